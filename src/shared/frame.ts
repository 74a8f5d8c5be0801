// The sample frame is the master clock: a 64-bit count in three words (low, high, high again) with one writer.
//
// The writer works in 32-bit integers throughout, because a double could become an object on the heap. Readers on
// other threads get a double, exact up to 2⁵³ frames: six thousand years at 48 kHz.
//
// The low word wraps once a day. Writer: high, low, high's copy. Reader: the other way round. If the reader finds both
// high words equal, then the carry to this high word had ended when it read the copy and the next one had not begun
// when it read the high word itself, so the low word in between belongs to them.

const SIGN = 0x8000_0000 | 0;

/** Adds `frames` to the count whose low word is `lo`. Only the thread that owns the count. */
export function advanceFrame(words: Int32Array, lo: number, frames: number): void {
  const low = (words[lo]! + frames) | 0;
  const carry = (low ^ SIGN) < (frames ^ SIGN);
  if (carry) Atomics.add(words, lo + 1, 1);
  Atomics.store(words, lo, low);
  if (carry) Atomics.add(words, lo + 2, 1);
}

/** Reads a count that another thread may be advancing. */
export function readFrame(words: Int32Array, lo: number): number {
  for (;;) {
    const copy = Atomics.load(words, lo + 2);
    const low = Atomics.load(words, lo);
    if (Atomics.load(words, lo + 1) === copy) return copy * 2 ** 32 + (low >>> 0);
  }
}

/** Sets a count while its owner stands still. */
export function writeFrame(words: Int32Array, lo: number, frame: number): void {
  const high = Math.floor(frame / 2 ** 32) | 0;
  Atomics.store(words, lo + 1, high);
  Atomics.store(words, lo, frame | 0);
  Atomics.store(words, lo + 2, high);
}
