// Stamps: which frame the host took when, so that other threads can tell frames from times.
//
// One writer, the host, once a period; any number of readers. The pair is guarded by a sequence number (a seqlock): odd while
// the writer is at it, another one afterwards. A reader that meets an odd number, or finds it changed when it is done, reads
// again. The writer never waits; a reader that never gets a whole one (the writer died over it) gives up.
//
//   host                                      reader
//     SEQ + 1  (odd)                            seen = SEQ; odd? again
//     time, frame                               time, frame
//     SEQ + 1  (even)                           SEQ === seen? else again
import { CONTROL } from './layout.js';

/** A moment: Unix time, and the engine's frame that went out then. */
export interface Stamp {
  seconds: number;
  nanoseconds: number;
  frame: number;
}

const TRIES = 64;

/** Writes a stamp for the frame counted at word `frameLo` (low and high word). The host only. */
export function writeStamp(words: Int32Array, seconds: number, nanoseconds: number, frameLo: number): void {
  // Odd also when a host before this one died over a stamp.
  const odd = words[CONTROL.STAMP_SEQ]! | 1;
  Atomics.store(words, CONTROL.STAMP_SEQ, odd);
  Atomics.store(words, CONTROL.STAMP_SECONDS, seconds);
  Atomics.store(words, CONTROL.STAMP_NANOSECONDS, nanoseconds);
  Atomics.store(words, CONTROL.STAMP_FRAME_LO, words[frameLo]!);
  Atomics.store(words, CONTROL.STAMP_FRAME_HI, words[frameLo + 1]!);
  Atomics.store(words, CONTROL.STAMP_SEQ, (odd + 1) | 0);
}

/** Reads the latest stamp into `stamp`. Any thread. @returns its sequence number, another for each stamp; 0 = there is none */
export function readStamp(words: Int32Array, stamp: Stamp): number {
  for (let left = TRIES; left > 0; left--) {
    const seen = Atomics.load(words, CONTROL.STAMP_SEQ);
    if (seen & 1) continue;
    stamp.seconds = Atomics.load(words, CONTROL.STAMP_SECONDS) >>> 0;
    stamp.nanoseconds = Atomics.load(words, CONTROL.STAMP_NANOSECONDS);
    stamp.frame = Atomics.load(words, CONTROL.STAMP_FRAME_HI) * 2 ** 32 + (Atomics.load(words, CONTROL.STAMP_FRAME_LO) >>> 0);
    if (Atomics.load(words, CONTROL.STAMP_SEQ) === seen) return seen;
  }
  return 0;
}
