// What arrives on a socket: packets that lie, and a fuzzer that makes more of them.
import { describe, expect, it } from 'vitest';
import { decode, encode, encodeBundle, encodeMessage, LIMITS, Reader, type Decoded } from '#src/osc/codec.js';
import { fuzzer, PACKETS } from './fuzzer.js';

const raw = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const bundle = (...elements: Uint8Array[]): Uint8Array => encodeBundle(1n, elements);
/** Elements with sizes that need not be true. */
const lying = (size: number, element: Uint8Array): Uint8Array => {
  const packet = Buffer.from(bundle(element));
  packet.writeInt32BE(size, 16);
  return packet;
};
const nested = (depth: number): Uint8Array => (depth === 0 ? encodeMessage('/a') : bundle(nested(depth - 1)));
const A = encodeMessage('/a', [1]);
const many = (n: number): Uint8Array => bundle(...Array.from({ length: n }, () => A));
const tags = (n: number): Uint8Array => encodeMessage('/a', new Array(n).fill(null));

describe('broken packets', () => {
  it.each<[string, Uint8Array, string, number]>([
    ['nothing', raw(''), 'the packet is empty', 0],
    ['3 bytes', raw('/a\0'), 'the size of the packet is not a multiple of 4', 3],
    ['too much', new Uint8Array(LIMITS.bytes + 4), 'the packet is larger than 256 KiB', LIMITS.bytes],
    ['zeros', raw('\0\0\0\0'), 'neither a message nor a bundle begins here', 0],
    ['text', raw('GET / HTTP/1.1\r\n'), 'neither a message nor a bundle begins here', 0],
    ['nearly a bundle', raw('#bundel\0\0\0\0\0\0\0\0\x01'), 'neither a message nor a bundle begins here', 0],
    ['a bundle without time', raw('#bundle\0\0\0\0\0'), 'the bundle has no time tag', 12],
    ['9 bundles deep', nested(9), 'bundles are nested more than 8 deep', 8 * 20],
    ['1025 elements', many(1025), 'more than 1024 bundle elements', 16 + 1024 * 16],
    ['1025 elements in two bundles', bundle(many(512), many(511)), 'more than 1024 bundle elements', 20 + 16 + 512 * 16 + 20 + 510 * 16],
    ['an element of 0 bytes', lying(0, A), 'the size of a bundle element is not a positive multiple of 4', 16],
    ['an element of -4 bytes', lying(-4, A), 'the size of a bundle element is not a positive multiple of 4', 16],
    ['an element of 6 bytes', lying(6, A), 'the size of a bundle element is not a positive multiple of 4', 16],
    ['an element of 2 GiB', lying(0x7ffffffc, A), 'a bundle element is larger than what contains it', 16],
    ['an element one word too large', lying(A.length + 4, A), 'a bundle element is larger than what contains it', 16],
    [
      'an element larger than its bundle, not than the packet',
      bundle(lying(24, A), A),
      'a bundle element is larger than what contains it',
      36,
    ],
    ['an element one word too small', lying(A.length - 4, A), 'an argument is missing', 25],
    ['a size and nothing else', raw('#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x04'), 'a bundle element is larger than what contains it', 16],
    ['an address without end', raw('/abc'), 'a string does not end', 0],
    ['tags without end', raw('/abc\0\0\0\0,iii'), 'a string does not end', 8],
    ['a string without end', raw('/a\0\0,s\0\0abcd'), 'a string does not end', 8],
    ['a string that ends in the next element', bundle(raw('/a\0\0,s\0\0abcd'), A), 'a string does not end', 28],
    ['rubbish as padding', raw('/a\0x,\0\0\0'), 'the padding is not zero', 3],
    ['rubbish after a blob', raw('/a\0\0,b\0\0\0\0\0\x01\x01\0x\0'), 'the padding is not zero', 14],
    ['a string in Latin-1', raw('/a\0\0,s\0\0\xe9\0\0\0'), 'a string is not UTF-8', 8],
    ['numbers without tags', raw('/a\0\0\0\0\0\x01'), 'there is something other than type tags after the address', 4],
    ['a tag nobody knows', raw('/a\0\0,iQ\0\0\0\0\0'), 'unknown type tag', 6],
    ['a missing int', raw('/a\0\0,i\0\0'), 'an argument is missing', 5],
    ['a missing string', raw('/a\0\0,s\0\0'), 'an argument is missing', 5],
    ['a missing blob', raw('/a\0\0,b\0\0'), 'an argument is missing', 5],
    ['half a double', raw('/a\0\0,d\0\0\0\0\0\0'), 'an argument is missing', 5],
    ['the second of two', raw('/a\0\0,ii\0\0\0\0\0'), 'an argument is missing', 6],
    ['an int too many', raw('/a\0\0,i\0\0\0\0\0\0\0\0\0\0'), 'there are more arguments than type tags', 12],
    ['a blob of 2 GiB', raw('/a\0\0,b\0\0\x7f\xff\xff\xff\0\0\0\0'), 'a blob is larger than its message', 8],
    ['a blob of -1', raw('/a\0\0,b\0\0\xff\xff\xff\xff\0\0\0\0'), 'a blob is larger than its message', 8],
    ['a blob one byte too large', raw('/a\0\0,b\0\0\0\0\0\x05\0\0\0\0'), 'a blob is larger than its message', 8],
    ['an open array', raw('/a\0\0,[\0\0'), 'an array does not end', 4],
    ['a closed array', raw('/a\0\0,]\0\0'), 'an array ends that did not begin', 5],
    ['9 arrays deep', raw(`/a\0\0,${'['.repeat(9)}${']'.repeat(9)}\0`), 'arrays are nested more than 8 deep', 13],
    ['a char that is none', raw('/a\0\0,c\0\0\0\0\x01\0'), 'a character is not ASCII', 8],
    ['4097 tags', tags(4097), 'more than 4096 type tags', 5 + 4096],
  ])('%s', (_, packet, reason, at) => {
    expect(decode(packet)).toEqual({ kind: 'fault', reason, at });
  });

  it.each<[string, Uint8Array]>([
    ['8 bundles deep', nested(8)],
    ['1024 elements', many(1024)],
    ['4096 tags', tags(4096)],
    ['8 arrays deep', raw(`/a\0\0,${'['.repeat(8)}${']'.repeat(8)}\0\0\0`)],
    ['an empty bundle', bundle()],
    ['an empty blob at the end', raw('/a\0\0,b\0\0\0\0\0\0')],
    ['NaN', encodeMessage('/a', [NaN])],
  ])('%s may be', (_, packet) => {
    expect(encode(decode(packet) as Decoded)).toEqual(Buffer.from(packet));
  });
});

describe('fuzzing', () => {
  const { seed, packetAt } = fuzzer(['/', '/a', '/abc', '/abcd', '/vco1', '/größe', '/*', '/{a,b}']);
  const reader = new Reader();
  /** Reads everything in place. @returns messages, and those without type tags, which are written with them. */
  function walk(bytes: Uint8Array): { messages: number; untagged: boolean } {
    let messages = 0;
    let untagged = false;
    reader.open(bytes);
    for (; reader.next(); messages++) {
      const { message: view } = reader;
      for (let i = 0; i < view.argCount; i++) if (typeof view.number(i) !== 'number') return { messages: -1, untagged };
      untagged ||= view.argCount === 0 && bytes[(view.addressEnd + 4) & ~3] !== 0x2c;
    }
    return { messages, untagged };
  }
  const count = (decoded: Decoded): number =>
    decoded.kind === 'message' ? 1 : decoded.elements.reduce((n, element) => n + count(element), 0);

  /** Equal but for the bits of a NaN: what is written a second time no longer differs. */
  function sameBytes(first: Uint8Array, second: Uint8Array): boolean {
    if (Buffer.compare(first, second) === 0) return true;
    const again = decode(second);
    return (
      JSON.stringify(again, plain).includes('NaN') &&
      first.length === second.length &&
      Buffer.compare(encode(again as Decoded), second) === 0
    );
  }
  const plain = (_: string, item: unknown): unknown => (typeof item === 'bigint' || typeof item === 'number' ? String(item) : item);

  it(`${PACKETS} packets neither throw nor lie`, { timeout: 120_000 + PACKETS / 5 }, () => {
    let valid = 0;
    for (let i = 0; i < PACKETS; i++) {
      const bytes = packetAt(i);
      const where = (): string => `packet ${i} of seed ${seed}: ${Buffer.from(bytes).toString('hex')}`;
      let decoded;
      try {
        decoded = decode(bytes);
      } catch (error) {
        throw new Error(where(), { cause: error });
      }
      if (decoded.kind === 'fault') {
        if (decoded.at < 0 || decoded.at > bytes.length) expect.fail(`fault at ${decoded.at} in ${where()}`);
        continue;
      }
      valid++;
      const { messages, untagged } = walk(bytes);
      if (messages !== count(decoded)) expect.fail(`the reader saw ${messages} messages, decode ${count(decoded)}: ${where()}`);
      const written = encode(decoded);
      if (untagged ? decode(written).kind === 'fault' : !sameBytes(bytes, written))
        expect.fail(`is not written as it was read: ${where()}`);
    }
    expect(valid).toBeGreaterThan(PACKETS / 4);
    expect(valid).toBeLessThan(PACKETS * 0.9);
  });
});
