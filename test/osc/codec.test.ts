import OSC from 'osc-js';
import { describe, expect, it } from 'vitest';
import {
  decode,
  encode,
  encodeBundle,
  encodeBundleInto,
  encodeMessage,
  encodeMessageInto,
  IMMEDIATELY,
  Message,
  Reader,
  TAG,
  timetagFromUnix,
  unixFromTimetag,
  type Arg,
  type Decoded,
} from '#src/osc/codec.js';

const hex = (text: string): Uint8Array => Uint8Array.from(text.trim().split(/\s+/), (byte) => parseInt(byte, 16));
const f32 = Math.fround;

/** The two messages that the OSC 1.0 specification prints byte for byte. */
const OSCILLATOR = hex(`2f 6f 73 63 69 6c 6c 61 74 6f 72 2f 34 2f 66 72 65 71 75 65 6e 63 79 00 2c 66 00 00 43 dc 00 00`);
const FOO = hex(`2f 66 6f 6f 00 00 00 00 2c 69 69 73 66 66 00 00 00 00 03 e8 ff ff ff ff 68 65 6c 6c 6f 00 00 00 3f 9d f3 b6 40 b5 b2 2d`);
const FOO_ARGS: Arg[] = [
  { type: 'i', value: 1000 },
  { type: 'i', value: -1 },
  { type: 's', value: 'hello' },
  { type: 'f', value: f32(1.234) },
  { type: 'f', value: f32(5.678) },
];

/** One and more of every type. */
const EVERY_TYPE: Arg[] = [
  ...[0, -1, 2 ** 31 - 1, -(2 ** 31)].map((value): Arg => ({ type: 'i', value })),
  ...[0, -0, 0.5, f32(1e-45), f32(3.4e38), Infinity, -Infinity, NaN].map((value): Arg => ({ type: 'f', value })),
  ...[0.1, -0, 5e-324, Number.MAX_VALUE, -Infinity, NaN].map((value): Arg => ({ type: 'd', value })),
  ...['', 'a', 'abc', 'abcd', 'Größe ♪ 🎛', '\ufeffmark'].map((value): Arg => ({ type: 's', value })),
  { type: 'S', value: 'symbol' },
  ...[0, 1, 3, 4, 5].map((size): Arg => ({ type: 'b', value: Uint8Array.from({ length: size }, (_, i) => 255 - i) })),
  ...[0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)].map((value): Arg => ({ type: 'h', value })),
  ...[IMMEDIATELY, 2n ** 64n - 1n].map((value): Arg => ({ type: 't', value })),
  { type: 'T', value: true },
  { type: 'F', value: false },
  { type: 'N', value: null },
  { type: 'I', value: Infinity },
  { type: 'c', value: 'K' },
  { type: 'r', value: 0xff8000c0 },
  { type: 'm', value: 0x0190407f },
  { type: '[', value: [] },
  {
    type: '[',
    value: [
      { type: 'i', value: 1 },
      { type: '[', value: [{ type: 's', value: 'deep' }] },
      { type: 'T', value: true },
    ],
  },
];

describe('the examples of the OSC 1.0 specification', () => {
  it('are written byte for byte', () => {
    expect(encodeMessage('/oscillator/4/frequency', [{ type: 'f', value: 440 }])).toEqual(Buffer.from(OSCILLATOR));
    expect(encodeMessage('/foo', [1000, -1, 'hello', 1.234, 5.678])).toEqual(Buffer.from(FOO));
  });

  it('are read', () => {
    expect(decode(OSCILLATOR)).toEqual({ kind: 'message', address: '/oscillator/4/frequency', args: [{ type: 'f', value: 440 }] });
    expect(decode(FOO)).toEqual({ kind: 'message', address: '/foo', args: FOO_ARGS });
  });
});

describe('round trips', () => {
  it.each(EVERY_TYPE.map((arg) => [arg.type, String(arg.value), arg] as const))('%s %s', (_type, _value, arg) => {
    const packet = encodeMessage('/a', [arg]);
    expect(packet.length % 4).toBe(0);
    expect(decode(packet)).toEqual({ kind: 'message', address: '/a', args: [arg] });
  });

  it('all types in one message, in a bundle in a bundle', () => {
    const message: Decoded = { kind: 'message', address: '/every/type', args: EVERY_TYPE };
    const inner: Decoded = { kind: 'bundle', timetag: 2n ** 40n, elements: [message, { kind: 'message', address: '/b', args: [] }] };
    const outer: Decoded = { kind: 'bundle', timetag: IMMEDIATELY, elements: [inner, message, { ...inner, elements: [] }] };
    expect(decode(encode(outer))).toEqual(outer);
  });

  it('plain values become the obvious types', () => {
    const plain = [1, 0.5, -0, 2 ** 31, 'x', true, false, null, 3n, Uint8Array.of(7), [1, ['y']]];
    const decoded = decode(encodeMessage('/a', plain));
    expect(decoded.kind === 'message' && decoded.args.map((arg) => arg.type)).toEqual([...'ifffsTFNhb[']);
  });

  it('copies blobs out of the packet', () => {
    const packet = encodeMessage('/a', [Uint8Array.of(1, 2, 3, 4)]);
    const decoded = decode(packet);
    packet.fill(0);
    expect(decoded).toMatchObject({ args: [{ value: Uint8Array.of(1, 2, 3, 4) }] });
  });

  it('takes a message without type tags for one without arguments', () => {
    expect(decode(Buffer.from('/old\0\0\0\0'))).toEqual({ kind: 'message', address: '/old', args: [] });
  });
});

describe('writing', () => {
  it('goes to the beginning of a buffer, whatever that held, or not at all', () => {
    const expected = encodeMessage('/foo', FOO_ARGS);
    const target = new Uint8Array(64).fill(0xaa);
    expect(encodeMessageInto(target, '/foo', FOO_ARGS)).toBe(expected.length);
    expect(target.subarray(0, 40)).toEqual(FOO);
    expect(target[40]).toBe(0xaa);
    const small = new Uint8Array(39).fill(0xaa);
    expect(encodeMessageInto(small, '/foo', FOO_ARGS)).toBe(0);
    expect(small.every((byte) => byte === 0xaa)).toBe(true);
  });

  it('does the same for bundles', () => {
    const expected = encodeBundle(5n, [FOO, OSCILLATOR]);
    const target = new Uint8Array(expected.length).fill(0xaa);
    expect(encodeBundleInto(target, 5n, [FOO, OSCILLATOR])).toBe(expected.length);
    expect(Buffer.from(target)).toEqual(expected);
    expect(encodeBundleInto(target.subarray(1), 5n, [FOO, OSCILLATOR])).toBe(0);
  });

  it.each([
    ['an address without a slash', 'foo', []],
    ['a zero byte in a string', '/a', ['b\0c']],
    ['a character that is not ASCII', '/a', [{ type: 'c', value: 'é' }]],
    ['two characters as one', '/a', [{ type: 'c', value: 'ab' }]],
    ['an integer that is too large', '/a', [{ type: 'i', value: 2 ** 31 }]],
  ] as const)('refuses %s', (_, address, args) => {
    expect(() => encodeMessage(address, args)).toThrow();
  });
});

describe('reading in place', () => {
  it('gives address and arguments of a message', () => {
    const message = new Message();
    const args: Arg[] = [...FOO_ARGS, { type: 'b', value: new Uint8Array(5) }, { type: 'h', value: -(2n ** 40n) - 1n }];
    const packet = encodeMessage('/foo', [...args, true, false, { type: 'd', value: 0.1 }, null]);
    message.open(packet, 0, packet.length);
    expect(message.argCount).toBe(11);
    expect(packet.subarray(message.addressStart, message.addressEnd)).toEqual(Buffer.from('/foo'));
    expect(message.address()).toBe('/foo');
    expect(message.tag(2)).toBe(TAG.string);
    const numbers = Array.from({ length: 12 }, (_, i) => message.number(i));
    expect(numbers).toEqual([1000, -1, NaN, f32(1.234), f32(5.678), NaN, -(2 ** 40) - 1, 1, 0, 0.1, NaN, NaN]);
    expect([1, 2, 12].map((i) => message.string(i))).toEqual([undefined, 'hello', undefined]);
  });

  it('walks through nested bundles with the time of each', () => {
    const time = (tag: bigint, ...names: (string | Uint8Array)[]): Uint8Array =>
      encodeBundle(
        tag,
        names.map((name) => (typeof name === 'string' ? encodeMessage(name, [1]) : name)),
      );
    const packet = time((7n << 32n) | 70n, time(8n << 32n, '/a', time(9n << 32n), '/b'), time(10n << 32n), '/c');
    const reader = new Reader();
    expect(reader.open(packet)).toBeUndefined();
    const seen: unknown[] = [];
    while (reader.next()) seen.push([reader.message.address(), reader.timeSeconds, reader.timeFraction, reader.depth]);
    expect(seen).toEqual([
      ['/a', 8, 0, 2],
      ['/b', 8, 0, 2],
      ['/c', 7, 70, 1],
    ]);
    expect(reader.open(FOO)).toBeUndefined();
    expect(reader.next()).toBe(true);
    expect([reader.timeSeconds, reader.timeFraction, reader.message.argCount]).toEqual([0, 1, 5]);
    expect(reader.next()).toBe(false);
    expect(reader.open(FOO.subarray(0, 36))).toMatchObject({ kind: 'fault' });
    expect(reader.next()).toBe(false);
  });
});

describe('time tags', () => {
  it('begin in 1900', () => {
    expect(timetagFromUnix(0)).toBe(2_208_988_800n << 32n);
    expect(timetagFromUnix(1.5)).toBe((2_208_988_801n << 32n) + 2n ** 31n);
    expect(unixFromTimetag(timetagFromUnix(1_795_000_000.25))).toBe(1_795_000_000.25);
  });
  it('go on after 2036', () => {
    const in2040 = Date.UTC(2040, 0) / 1000;
    expect(timetagFromUnix(in2040) >> 63n).toBe(0n);
    expect(unixFromTimetag(timetagFromUnix(in2040))).toBe(in2040);
  });
  it('carry a fraction that rounds up to a second', () => {
    expect(unixFromTimetag(timetagFromUnix(100 - 1e-11))).toBe(100);
  });
});

describe('osc-js', () => {
  // What osc-js has: i f s b d h t T F N I, texts in ASCII.
  const SHARED: Arg[] = [
    ...EVERY_TYPE.filter(({ type, value }) => 'ifdTFNI'.includes(type) && !Number.isNaN(value)),
    { type: 's', value: 'hello' },
    { type: 's', value: 'four' },
    { type: 'b', value: Uint8Array.of(1, 2, 3, 4, 5) },
    { type: 'h', value: -(2n ** 40n) },
  ];
  const theirs = (args: readonly Arg[]) => {
    const message = new OSC.TypedMessage('/from/them', []);
    for (const { type, value } of args) message.add(type as never, value as never);
    return message;
  };
  const viewOf = (packet: Uint8Array): DataView => new DataView(packet.buffer, packet.byteOffset, packet.length);

  it.each(SHARED.map((arg) => [arg.type, String(arg.value), arg] as const))('writes what we read: %s %s', (_type, _value, arg) => {
    expect(decode(theirs([arg]).pack())).toEqual({ kind: 'message', address: '/from/them', args: [arg] });
  });

  it.each(SHARED.map((arg) => [arg.type, String(arg.value), arg] as const))('reads what we write: %s %s', (_type, _value, arg) => {
    const message = new OSC.Message('');
    message.unpack(viewOf(encodeMessage('/to/them', [{ type: 'i', value: 7 }, arg, { type: 'i', value: 8 }])));
    expect(message.address).toBe('/to/them');
    expect(message.types).toBe(`,i${arg.type}i`);
    expect(message.args).toEqual([7, ...(Object.is(arg.value, -0) ? [-0] : [arg.value]), 8]);
  });

  it('agrees about bundles, both ways', () => {
    const bundle = new OSC.Bundle([new OSC.Message('/a', 1), new OSC.Message('/b', 'two')]);
    bundle.timestamp(1_795_000_000_500);
    const ours = encodeBundle(timetagFromUnix(1_795_000_000.5), [encodeMessage('/a', [1]), encodeMessage('/b', ['two'])]);
    expect(Buffer.from(bundle.pack())).toEqual(ours);
    const read = new OSC.Bundle();
    read.unpack(viewOf(ours));
    expect(read.bundleElements.map(({ address, args }) => [address, args])).toEqual([
      ['/a', [1]],
      ['/b', ['two']],
    ]);
  });
});
