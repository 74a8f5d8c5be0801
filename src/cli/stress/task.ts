// What the stress test has the job threads do: a little arithmetic over its argument, so that every byte has been there and back is known.

/** Sum of the bytes. */
export default function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}
