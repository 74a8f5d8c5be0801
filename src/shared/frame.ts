// The sample frame is the master clock: a 64-bit count in three words (low, high, high again) with one writer.
//
// The writer works in 32-bit integers throughout, because a double could become an object on the heap. Readers on
// other threads get a double, exact up to 2⁵³ frames: six thousand years at 48 kHz.
//
// The low word wraps once a day. Writer: high, low, high's copy. Reader: the other way round. If the reader finds both
// high words equal, then the carry to this high word had ended when it read the copy and the next one had not begun
// when it read the high word itself, so the low word in between belongs to them.
//
// Where a writer died over a carry the high words stay different. Nobody waits for it: a low word that is small has the carry behind it,
// and one that is large has it still to come.

const SIGN = 0x8000_0000 | 0;
/** Reads after which a carry that has not ended is taken for one that never will. */
const TRIES = 1000;

/** The high word that belongs to a low one, of two that are equal but for a carry. */
const highOf = (low: number, high: number, copy: number): number => (low >= 0 ? high : copy);

/** Adds `frames`, fewer than 2³¹, to the count whose low word is `lo`. Only the thread that owns the count. */
export function advanceFrame(words: Int32Array, lo: number, frames: number): void {
  const low = words[lo]!;
  setAdvanced(words, lo, low, highOf(low, words[lo + 1]!, words[lo + 2]!), frames);
}

/** Sets a count to `frames` after the frame with these words. Done again, or after a thread died over it, it does the same. Only the thread that owns the count. */
export function setAdvanced(words: Int32Array, lo: number, low: number, high: number, frames: number): void {
  const next = (low + frames) | 0;
  const nextHigh = (next ^ SIGN) < (frames ^ SIGN) ? (high + 1) | 0 : high;
  Atomics.store(words, lo + 1, nextHigh);
  Atomics.store(words, lo, next);
  Atomics.store(words, lo + 2, nextHigh);
}

/** Reads a count that another thread may be advancing. */
export function readFrame(words: Int32Array, lo: number): number {
  for (let left = TRIES; ; left--) {
    const copy = Atomics.load(words, lo + 2);
    const low = Atomics.load(words, lo);
    const high = Atomics.load(words, lo + 1);
    if (high === copy || left === 0) return highOf(low, high, copy) * 2 ** 32 + (low >>> 0);
  }
}

/** Sets a count while its owner stands still. */
export function writeFrame(words: Int32Array, lo: number, frame: number): void {
  const high = Math.floor(frame / 2 ** 32) | 0;
  Atomics.store(words, lo + 1, high);
  Atomics.store(words, lo, frame | 0);
  Atomics.store(words, lo + 2, high);
}
