// A job for `krell stress`: a little arithmetic over its argument, so that it is known that every byte has arrived.

/** Sum of the bytes. */
export default function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}
