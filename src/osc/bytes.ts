// Big-endian numbers and text in a packet, read in place.
//
// A DataView would have to be made anew for every packet, so words are put together from bytes and floats reread through `scratch`.

const scratch = new DataView(new ArrayBuffer(8));

export const readInt32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

export const readUint32 = (bytes: Uint8Array, at: number): number => readInt32(bytes, at) >>> 0;

export function readFloat32(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, readInt32(bytes, at));
  return scratch.getFloat32(0);
}

export function readFloat64(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, readInt32(bytes, at));
  scratch.setInt32(4, readInt32(bytes, at + 4));
  return scratch.getFloat64(0);
}

export const readUint64 = (bytes: Uint8Array, at: number): bigint =>
  (BigInt(readUint32(bytes, at)) << 32n) | BigInt(readUint32(bytes, at + 4));

export const readText = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');

/** Where the zero byte at or after `start` is. The packet is known to have one. */
export function endOfText(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] !== 0) at++;
  return at;
}

/** The next multiple of 4 at or above `size`. */
export const padded = (size: number): number => (size + 3) & ~3;
/** The room that a text of `size` bytes takes with its zero bytes, of which there is at least one. */
export const paddedText = (size: number): number => (size + 4) & ~3;
