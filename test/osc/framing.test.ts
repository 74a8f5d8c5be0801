import { describe, expect, it } from 'vitest';
import { frame, framingOf, Unframer, type Framing } from '#src/osc/framing.js';
import { LIMITS } from '#src/osc/codec.js';
import { generator } from './random.js';

const { below } = generator();
const packets = Array.from({ length: 20 }, (_, i) => {
  const packet = Buffer.alloc(4 * (1 + below(300)), i === 0 ? 0xc0 : i === 1 ? 0xdb : 0);
  if (i > 1) for (let at = 0; at < packet.length; at++) packet[at] = below(256);
  packet[0] = 0x2f;
  return packet;
});

function unframe(chunks: readonly Uint8Array[]): { packets: Buffer[]; isStream: boolean } {
  const got: Buffer[] = [];
  const unframer = new Unframer((packet) => got.push(Buffer.from(packet)));
  return { isStream: chunks.every((chunk) => unframer.take(chunk)), packets: got };
}

describe.each<Framing>(['length', 'slip'])('%s', (framing) => {
  const stream = Buffer.concat(packets.map((packet) => frame(packet, framing)));

  it.each([1, 7, 100_000])('comes out of pieces of %i bytes as it went in', (size) => {
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => stream.subarray(i * size, (i + 1) * size));
    expect(unframe(chunks)).toEqual({ isStream: true, packets });
  });

  it('bounds a packet', () => {
    const largest = Buffer.alloc(LIMITS.bytes, 1);
    const tooLarge = Buffer.alloc(LIMITS.bytes + 4, 1);
    const { isStream, packets } = unframe([frame(largest, framing)]);
    expect([isStream, packets.length, Buffer.compare(packets[0]!, largest)]).toEqual([true, 1, 0]);
    expect(unframe([frame(tooLarge, framing)])).toEqual({ isStream: false, packets: [] });
  });
});

describe('streams', () => {
  it.each([
    [0x00, 'length'],
    [0xc0, 'slip'],
    [0x2f, 'slip'],
    [0x23, 'slip'],
    [0x47, undefined],
    [0x01, undefined],
  ])('beginning with %i', (first, framing) => {
    expect(framingOf(first)).toBe(framing);
  });

  it('may begin with a packet, without END', () => {
    expect(unframe([Buffer.from('/a\0\0\xc0', 'latin1')]).packets).toEqual([Buffer.from('/a\0\0')]);
  });

  it('may end in the middle of an escape', () => {
    const { packets: got } = unframe([Buffer.from('\xc0/\xdb\xc0\xdc\xc0', 'latin1')]);
    expect(got).toEqual([Buffer.from('/'), Buffer.from([0xdc])]);
  });

  it('may not announce nothing, or what does not fit', () => {
    for (const length of [0, -4, 2 ** 31 - 4, LIMITS.bytes + 4]) {
      const chunk = Buffer.alloc(8);
      chunk.writeInt32BE(length);
      const [first, rest] = [Buffer.from([0, 0, 0, 4, 0, 0, 0, 0]), chunk];
      expect(unframe([first, rest]).isStream).toBe(false);
    }
  });

  it('make no room for what is only announced', () => {
    const chunk = Buffer.alloc(4);
    chunk.writeInt32BE(LIMITS.bytes);
    const before = process.memoryUsage().arrayBuffers;
    const unframers = Array.from({ length: 1000 }, () => new Unframer(() => {}));
    for (const unframer of unframers) unframer.take(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1000 * 8192);
  });
});
