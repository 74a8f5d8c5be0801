// Packets that are nearly right: well made ones, damaged where it hurts.
import { encodeBundle, encodeMessage, type Value } from '#src/osc/codec.js';
import { generator } from './random.js';

/** Packets a run makes; KRELL_FUZZ_PACKETS for another number. */
export const PACKETS = Number(process.env['KRELL_FUZZ_PACKETS'] ?? 1_000_000);

/** Packets that come of the same good one. */
const DAMAGED = 20;

/** `addresses`: those of its messages. */
export function fuzzer(
  addresses: readonly string[],
  times: readonly bigint[] = [1n],
): { seed: number; packetAt: (i: number) => Uint8Array } {
  const { seed, below, pick } = generator();
  const word = (): string => pick(['', 'a', 'abc', 'abcd', 'vco1', 'größe', '*', '{a,b}']);
  const int = (): number => pick([0, 1, -1, 4, 8, 2 ** 31 - 1, -(2 ** 31)]);
  const array = (most: number): Value[] => Array.from({ length: below(most) }, value);
  const MAKERS: (() => Value)[] = [
    () => ({ type: 'i', value: int() }),
    () => ({ type: 'f', value: pick([0, 440, -0.5, NaN, Infinity]) }),
    () => ({ type: 'd', value: pick([0.1, -0, NaN]) }),
    () => ({ type: pick(['s', 'S']), value: word() }),
    () => ({ type: 'b', value: new Uint8Array(below(9)).fill(below(256)) }),
    () => ({ type: 'h', value: BigInt(int()) * 3n }),
    () => ({ type: 't', value: BigInt(below(2 ** 31)) << 32n }),
    () => ({ type: 'c', value: pick(['a', '\0', '~']) }),
    () => ({ type: pick(['r', 'm']), value: int() >>> 0 }),
    () => pick([true, false, null, { type: 'I', value: Infinity }]),
    () => array(3),
  ];
  const value = (): Value => pick(MAKERS)();
  const message = (): Uint8Array => encodeMessage(pick(addresses), array(5));
  const packet = (depth: number): Uint8Array =>
    depth > 0 && below(3) === 0
      ? encodeBundle(
          pick(times),
          Array.from({ length: below(4) }, () => packet(depth - 1)),
        )
      : message();

  const INTERESTING = [0, 1, 3, 4, 0x20, 0x23, 0x2c, 0x2f, 0x5b, 0x5d, 0x62, 0x66, 0x69, 0x73, 0x7f, 0x80, 0xff];
  /** Damages a packet where it hurts: bytes that have a meaning, sizes, cuts, pieces moved about. */
  function mutate(source: Uint8Array): Uint8Array {
    const bytes = Buffer.from(source);
    const wordAt = below(bytes.length >> 2) * 4;
    switch (below(6)) {
      case 0:
        bytes[below(bytes.length)] = pick(INTERESTING);
        return bytes;
      case 1:
        bytes[below(bytes.length)]! ^= 1 << below(8);
        return bytes;
      case 2:
        bytes.writeInt32BE(pick([int(), below(64), below(16) * 4, -4]), wordAt);
        return bytes;
      case 3:
        return bytes.subarray(0, pick([wordAt, below(bytes.length)]));
      case 4:
        bytes.copyWithin(wordAt, below(bytes.length >> 2) * 4);
        return bytes;
      default:
        return Buffer.concat([bytes, pick([Buffer.alloc(4), Buffer.from('/a\0\0'), bytes.subarray(wordAt)])]);
    }
  }

  let source = packet(3);
  const packetAt = (i: number): Uint8Array => {
    if (i % DAMAGED === 0) source = packet(3);
    let bytes = source;
    for (let damage = below(3); damage > 0 && bytes.length > 4; damage--) bytes = mutate(bytes);
    return bytes;
  };
  return { seed, packetAt };
}
