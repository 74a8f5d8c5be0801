// Partitions whose thread is too late, or is no more.
//
// The leader waits at the end of a block until the device is about to run dry (offline, a second). What is still taken then is
// abandoned: the block ends without it, what others read of it fades out, and it stays shut until its owner says that it is back
// (`finish`). An owner that was killed says so through its successor: `settle` is the first thing a thread does in a place. What nobody
// has abandoned meanwhile it computes to its end, from where the one before it died, so that nothing is lost of the block.
import {
  CLAIM_ABANDONED,
  CLAIM_ENDED,
  CLAIM_TAKEN,
  CONTROL,
  FAULT_LATE,
  OUTPUT_RING_W,
  PARTITION,
  PLAN,
  RING,
  WORKER,
  workerWord,
} from '../shared/layout.js';
import { holdPlan, releasePlan } from '../shared/plans.js';
import { fadeOut, isSilent } from './fade.js';
import { tell } from './faults.js';
import { finish, ownerOf, partitionAt, stateOf, withState } from './partitions.js';
import { resumePartition } from './run.js';
import type { DspThread } from './thread.js';

/** Nanoseconds the leader waits offline: nobody is in a hurry there, the sound is to be the same every time, and a thread that hangs is replaced before. */
const OFFLINE_NS = 1.9e9;

/** Nanoseconds of sound in a block; whole ones, which need no memory. */
const blockTime = (words: Int32Array): number => ((words[CONTROL.BLOCK_FRAMES]! / words[CONTROL.SAMPLE_RATE]!) * 1e9) | 0;

/** Leader: the time of a block at which others have had theirs; when some have been given up, the rest have half a block more. */
export const deadline = (thread: DspThread, isFirst: boolean): number =>
  isFirst ? blockTime(thread.words) : (thread.blockNs() + blockTime(thread.words) / 2) | 0;

/** Leader: whether the deadline is past. While a device plays, that is no matter as long as the ring holds two blocks more than the device takes next. */
export function isOverdue(thread: DspThread, deadlineNs: number): boolean {
  const { words } = thread;
  const ns = thread.blockNs();
  // A device that has not begun waits until the ring is full.
  if (Atomics.load(words, CONTROL.LIVE) === 0 || Atomics.load(words, CONTROL.TAKEN_LO) === 0) return ns > OFFLINE_NS;
  const fill = (words[OUTPUT_RING_W + RING.WRITE]! - Atomics.load(words, OUTPUT_RING_W + RING.READ)) | 0;
  return ns > deadlineNs && fill <= words[CONTROL.PERIOD_FRAMES]! + 2 * words[CONTROL.BLOCK_FRAMES]!;
}

/** Leader: gives up all partitions that others hold, but for those they take meanwhile. */
export function abandonTaken(thread: DspThread, plan: number): void {
  const { words, overdue } = thread;
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  let found = 0;
  for (let i = 0; i < count && found < overdue.length; i++) {
    const partition = partitionAt(words, plan, i);
    if (stateOf(Atomics.load(words, partition + PARTITION.CLAIM)) === CLAIM_TAKEN) overdue[found++] = partition;
  }
  for (let i = 0; i < found; i++) {
    const partition = overdue[i]!;
    const claim = Atomics.load(words, partition + PARTITION.CLAIM);
    if (stateOf(claim) !== CLAIM_TAKEN) continue;
    // Said before it is true, so that the owner, should it come back at once, is the last to write here.
    const notice = workerWord(ownerOf(claim), WORKER.ABANDONED);
    Atomics.store(words, notice, claim);
    if (Atomics.compareExchange(words, partition + PARTITION.CLAIM, claim, withState(claim, CLAIM_ABANDONED)) !== claim) {
      Atomics.store(words, notice, 0);
      continue;
    }
    silence(thread, partition);
    Atomics.add(words, CONTROL.ABANDONED, 1);
    tell(thread, FAULT_LATE, -1, 0, ownerOf(claim));
  }
}

/** Leader: whether any partition of a plan is shut because its owner has not left it. */
export function hasAbandoned(words: Int32Array, plan: number): boolean {
  const count = plan === 0 ? 0 : words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = 0; i < count; i++)
    if (stateOf(Atomics.load(words, partitionAt(words, plan, i) + PARTITION.CLAIM)) === CLAIM_ABANDONED) return true;
  return false;
}

/** What others read of a partition fades out, from the last sample of the block before. */
export function silence({ words, floats, fade }: DspThread, partition: number): void {
  const outputs = words[partition + PARTITION.OUTPUTS]! >> 2;
  const count = words[partition + PARTITION.OUTPUT_COUNT]!;
  const frames = words[CONTROL.BLOCK_FRAMES]!;
  for (let i = 0; i < count; i++) {
    const samples = words[outputs + 2 * i]! >> 2;
    const lanes = words[outputs + 2 * i + 1]!;
    const last = samples + (frames - 1) * lanes;
    let sounds = 0;
    for (let lane = 0; lane < lanes; lane++) if (!isSilent(floats[last + lane]!)) sounds++;
    if (sounds === 0) floats.fill(0, samples, last + lanes);
    else for (let lane = 0; lane < lanes; lane++) fadeOut(floats, samples + lane, lanes, frames, floats[last + lane]!, fade);
  }
}

/** A thread begins in a place: ends what the one before it there, which is gone, may have left behind. */
export function settle(thread: DspThread): void {
  const { words, index, base } = thread;
  Atomics.and(words, CONTROL.DONE_WAITERS, ~(1 << index));
  // The leader alone changes the plan, so it need not hold it.
  let plan = Atomics.load(words, CONTROL.PLAN);
  while (index > 0 && holdPlan(words, index) !== plan) plan = Atomics.load(words, CONTROL.PLAN);
  const count = plan === 0 ? 0 : words[(plan >> 2) + PLAN.PARTITION_COUNT]!;
  for (let i = 0; i < count; i++) {
    const partition = partitionAt(words, plan >> 2, i);
    const claim = Atomics.load(words, partition + PARTITION.CLAIM);
    if (ownerOf(claim) !== index) continue;
    if (stateOf(claim) === CLAIM_TAKEN) {
      resumePartition(thread, partition, claim);
      finish(thread, partition, claim);
    } else if (stateOf(claim) === CLAIM_ABANDONED) Atomics.store(words, partition + PARTITION.CLAIM, withState(claim, CLAIM_ENDED));
  }
  words[base + WORKER.AT] = 0;
  words[base + WORKER.PARTITION] = 0;
  Atomics.store(words, base + WORKER.ABANDONED, 0);
  if (index > 0) releasePlan(words, index);
}
