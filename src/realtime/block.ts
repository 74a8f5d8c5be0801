// One block, as every DSP thread lives it: run what is ready until nothing is left.
import { CONTROL } from '../shared/layout.js';
import { NONE_LEFT, blockEnded, claim, findReady, runChain } from './partitions.js';
import type { DspThread } from './thread.js';

/** Milliseconds after which a thread that waits for another's partition looks around by itself. */
const WAIT_MS = 2;

/** Sleeps until another partition ends, unless one has since DONE_GATE was `seen`. */
function waitForPartition(words: Int32Array, seen: number): void {
  const spin = words[CONTROL.SPIN]!;
  for (let turn = 0; turn < spin; turn++) if (Atomics.load(words, CONTROL.DONE_GATE) !== seen) return;
  // Who ends a partition adds to DONE_GATE first and looks for waiters then; so either it sees this one, or the gate
  // has moved and the wait returns at once.
  Atomics.add(words, CONTROL.DONE_WAITERS, 1);
  Atomics.wait(words, CONTROL.DONE_GATE, seen, WAIT_MS);
  Atomics.sub(words, CONTROL.DONE_WAITERS, 1);
}

/**
 * Claims and runs partitions of the block with `ticket` as long as there are any: helpers leave when all are claimed
 * or the block is over, the leader (`toTheEnd`) when all have ended. @returns false when it gave up because of `stop`.
 */
export function takePart(thread: DspThread, plan: number, ticket: number, toTheEnd: boolean, stop: number): boolean {
  const { words, index, search } = thread;
  const frames = words[CONTROL.BLOCK_FRAMES]!;
  thread.startBlock();
  search.restart();
  for (;;) {
    const seen = Atomics.load(words, CONTROL.DONE_GATE);
    const ready = findReady(words, plan, ticket, index, search);
    if (ready >= 0) {
      if (claim(words, ready, ticket)) runChain(thread, plan, ready, ticket, frames);
      continue;
    }
    if (toTheEnd ? blockEnded(words, plan) : ready === NONE_LEFT) break;
    if (Atomics.load(words, CONTROL.RUN) === stop) return false;
    thread.pause();
    waitForPartition(words, seen);
    thread.resume();
  }
  thread.endBlock();
  return true;
}
