// The spare: a DSP thread without a place, warm and with all kernels, that takes the place of one that has died or leaves.
//
// A place is offered in SUCCESSION, by control when a thread has died, or by the thread itself as the last thing it does when it was
// asked to RETIRE: then the spare begins where it ended, between two blocks, and nothing is heard of it.
//
//   0 ──control, after a death──► offered ──the spare──► being taken ──the spare, its name is in SEAT──► 0
//   └──the thread, about to leave──► leaving ──the thread, last of all──► offered
//
// Either thread may die over it. A word that says who is doing what with which place lets control tell whether the place still has
// to be offered: at most once for each death, so that no place ever has two threads.
import { CONTROL, MAX_WORKERS, RUN_STOP, SPARE, WORKER, workerWord } from '../shared/layout.js';
import { installKernels } from './kernels.js';
import type { DspThread } from './thread.js';

/** States of a DSP thread, in its STATE word. */
export const THREAD_RUNNING = 1;
export const THREAD_LEFT = 2;

/** Milliseconds after which the spare looks around by itself. */
const WAIT_MS = 100;

/** Values of SUCCESSION. */
export const offered = (place: number): number => place + 1;
export const leaving = (place: number): number => -1 - place;
export const taking = (place: number, seat: number): number => -1 - place - MAX_WORKERS * seat;
/** The place that the thread with this seat was taking, −1 = none. */
export const takenBy = (succession: number, seat: number): number => {
  const place = -1 - succession - MAX_WORKERS * seat;
  return place >= 0 && place < MAX_WORKERS ? place : -1;
};

export function enter({ words, base }: DspThread, state: number): void {
  Atomics.store(words, base + WORKER.STATE, state);
  Atomics.notify(words, base + WORKER.STATE);
}

/** Waits for a place. @returns false when the engine stops before there is one */
export function waitForPlace(thread: DspThread): boolean {
  const { words } = thread;
  for (;;) {
    if (Atomics.load(words, CONTROL.RUN) === RUN_STOP) return false;
    if (thread.lacksKernels()) installKernels(thread);
    const vacant = Atomics.load(words, CONTROL.SUCCESSION);
    const place = vacant - 1;
    if (vacant > 0 && Atomics.compareExchange(words, CONTROL.SUCCESSION, vacant, taking(place, thread.seat)) === vacant) {
      enter(thread, 0);
      thread.become(place);
      Atomics.store(words, CONTROL.SUCCESSION, 0);
      return true;
    }
    Atomics.wait(words, CONTROL.SUCCESSION, 0, WAIT_MS);
  }
}

/** Whether this thread is to leave its place, the spare is there to take it, and nobody else wants the spare. Between blocks. */
export const mayRetire = ({ words, base, index }: DspThread): boolean =>
  words[base + WORKER.RETIRE] === 1 &&
  Atomics.load(words, workerWord(SPARE, WORKER.STATE)) === THREAD_RUNNING &&
  Atomics.compareExchange(words, CONTROL.SUCCESSION, 0, leaving(index)) === 0;

/** Leaves the place to the spare. The last thing a thread does in it. */
export function handOver({ words, base, index }: DspThread): void {
  Atomics.store(words, base + WORKER.RETIRE, 0);
  Atomics.store(words, CONTROL.SUCCESSION, offered(index));
  Atomics.notify(words, CONTROL.SUCCESSION);
}
