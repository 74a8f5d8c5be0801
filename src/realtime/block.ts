// One block, as every DSP thread lives it: run what is ready until nothing is left.
import { CONTROL, RUN_STOP, WORKER } from '../shared/layout.js';
import { abandonTaken, deadline, isOverdue } from './abandon.js';
import { NONE_LEFT, blockEnded, claim, findReady, runChain } from './partitions.js';
import type { DspThread } from './thread.js';

/** Milliseconds after which a thread that waits for another's partition looks around by itself; the leader looks at the time. */
const WAIT_MS = 0.5;

/**
 * Claims and runs partitions of the block with `ticket` as long as there are any: helpers leave when all are claimed
 * or the block is over, the leader (`leads`) when all are over. @returns false when it gave up because of RUN_STOP.
 *
 * A thread that finds nothing spins, looking again and again, then announces in DONE_WAITERS that it waits, looks once more, and sleeps.
 * Who ends a partition looks there for waiters afterwards. So either it sees the announcement and wakes the waiter, or the
 * partition had ended before the announcement and the last look has found what came of it.
 */
export function takePart(thread: DspThread, plan: number, ticket: number, leads: boolean): boolean {
  const { words, index, search, partitionSpin } = thread;
  const bit = 1 << index;
  let looks = 0;
  let isAnnounced = false;
  let isStopped = false;
  let deadlineNs = deadline(thread, true);
  thread.startBlock();
  search.restart();
  for (;;) {
    const seen = Atomics.load(words, CONTROL.DONE_GATE);
    const ready = findReady(words, plan, ticket, index, search);
    if (ready >= 0) {
      if (looks > 0) thread.resume();
      if (looks > 1) partitionSpin.learn(!isAnnounced);
      if (isAnnounced) Atomics.and(words, CONTROL.DONE_WAITERS, ~bit);
      looks = 0;
      isAnnounced = false;
      if (claim(words, ready, ticket, index)) runChain(thread, plan, ready, ticket);
      continue;
    }
    if (leads ? blockEnded(words, plan, search) : ready === NONE_LEFT) break;
    isStopped = Atomics.load(words, CONTROL.RUN) === RUN_STOP;
    if (isStopped) break;
    if (looks++ === 0) thread.pause();
    if (looks <= partitionSpin.turns) continue;
    if (!isAnnounced) Atomics.or(words, CONTROL.DONE_WAITERS, bit);
    else if (leads && isOverdue(thread, deadlineNs)) {
      abandonTaken(thread, plan);
      deadlineNs = deadline(thread, false);
    } else {
      Atomics.wait(words, CONTROL.DONE_GATE, seen, WAIT_MS);
      thread.count(WORKER.HEARTBEAT, 1);
    }
    isAnnounced = true;
  }
  if (looks > 1) partitionSpin.learn(!isAnnounced);
  if (isAnnounced) Atomics.and(words, CONTROL.DONE_WAITERS, ~bit);
  thread.endBlock(looks === 0);
  return !isStopped;
}
