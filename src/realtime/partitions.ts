// Partitions of a block: opened by the leader, claimed and run by whoever comes first.
//
// Everything about who runs a partition is in one word of it, CLAIM: the block's ticket, the owner, and a state that moves by
// compare-and-exchange, so that each move has exactly one winner.
//
//   ended ──leader: next ticket──► open ──any thread──► taken ──its owner──► ended
//                                                         │                    ▲
//                                                  leader, too late            │ its owner, when back; or the owner's successor
//                                                         └────► abandoned ────┘
//
// A partition is ready when all before it have ended or are abandoned. Nothing is counted: a thread may die between any two
// instructions, and what it leaves behind is still true. An abandoned partition is not opened in later blocks, so no second thread ever
// runs a state; what others read of it is silence, until its owner has left it.
//
// A helper may wake up late, when the block it was woken for has ended. It may read anything, but it holds an old ticket, and what is
// open has a new one: so it claims nothing. Nobody has to wait for it either: it reads a plan that its PLAN_IN_USE keeps from being
// freed, and writes nothing before it has claimed.
import {
  CLAIM_ABANDONED,
  CLAIM_ENDED,
  CLAIM_OPEN,
  CLAIM_OWNER,
  CLAIM_TAKEN,
  CLAIM_TICKET,
  CONTROL,
  PARTITION,
  PLAN,
  STAGE_OPEN,
  WORKER,
} from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { silence } from './abandon.js';
import { applyEvents, runPartition } from './run.js';
import type { Search } from './search.js';
import type { DspThread } from './thread.js';

/** What `findReady` answers when no partition is ready but some are still to come, and when none is left to claim. */
export const NONE_READY = -1;
export const NONE_LEFT = -2;

const STATE_BITS = CLAIM_OWNER - 1;

export const stateOf = (claim: number): number => claim & STATE_BITS;
export const ownerOf = (claim: number): number => (claim & (CLAIM_TICKET - 1)) >> 2;
export const withState = (claim: number, state: number): number => (claim & ~STATE_BITS) | state;
const taken = (ticket: number, worker: number): number => ticket | (worker * CLAIM_OWNER) | CLAIM_TAKEN;

/** Whether nobody will run a partition with this claim any more in this block. */
const isOver = (claim: number): boolean => stateOf(claim) === CLAIM_ENDED || stateOf(claim) === CLAIM_ABANDONED;

export const partitionAt = (words: Int32Array, plan: number, i: number): number =>
  (words[plan + PLAN.PARTITIONS]! >> 2) + i * PARTITION.WORDS;

/** Leader: resets event lists; not those that are empty, whose cache lines other threads have. No partition is open. */
export function preparePartitions(words: Int32Array, plan: number): void {
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = 0; i < count; i++) {
    const events = partitionAt(words, plan, i) + PARTITION.EVENTS;
    if (words[events] !== -1) words[events] = -1;
  }
}

/** Leader: opens for claims all partitions that nobody holds any more. Done again from the beginning, it does the same. */
export function openPartitions(thread: DspThread, plan: number): void {
  const { words } = thread;
  const ticket = (words[CONTROL.BLOCK_TICKET]! + CLAIM_TICKET) | 0;
  const count = plan === 0 ? 0 : words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = 0; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    if (stateOf(Atomics.load(words, partition + PARTITION.CLAIM)) !== CLAIM_ABANDONED) {
      words[partition + PARTITION.CLAIM] = ticket | CLAIM_OPEN;
      continue;
    }
    // Changes are not lost on a module that stands still.
    applyEvents(thread, partition);
    silence(thread, partition);
  }
  words[CONTROL.STAGE_TICKET] = ticket;
  Atomics.store(words, CONTROL.STAGE, STAGE_OPEN);
}

/** Whether all partitions of the block are over. Leader. */
export function blockEnded(words: Int32Array, plan: number, search: Search): boolean {
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  while (search.over < count && isOver(Atomics.load(words, partitionAt(words, plan, search.over) + PARTITION.CLAIM))) search.over++;
  return search.over === count;
}

/** Whether all that must end before a partition are over. */
function isReady(words: Int32Array, plan: number, partition: number): boolean {
  const after = words[partition + PARTITION.AFTER]! >> 2;
  const count = words[partition + PARTITION.AFTER_COUNT]!;
  for (let i = 0; i < count; i++)
    if (!isOver(Atomics.load(words, partitionAt(words, plan, words[after + i]!) + PARTITION.CLAIM))) return false;
  return true;
}

/**
 * A partition that could be claimed now (a word index), one meant for this thread if there is one; or NONE_READY or NONE_LEFT.
 */
export function findReady(words: Int32Array, plan: number, ticket: number, worker: number, search: Search): number {
  const open = ticket | CLAIM_OPEN;
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = search.own, isPrefix = true; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    if (words[partition + PARTITION.WORKER] === worker && Atomics.load(words, partition + PARTITION.CLAIM) === open) {
      if (isReady(words, plan, partition)) return partition;
      isPrefix = false;
    }
    if (isPrefix) search.own = i + 1;
  }
  let found = NONE_LEFT;
  for (let i = search.any, isPrefix = true; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    if (Atomics.load(words, partition + PARTITION.CLAIM) === open) {
      if (isReady(words, plan, partition)) return partition;
      found = NONE_READY;
      isPrefix = false;
    }
    if (isPrefix) search.any = i + 1;
  }
  return found;
}

/** Takes an open partition for a thread, if nobody was faster. */
export const claim = (words: Int32Array, partition: number, ticket: number, worker: number): boolean =>
  Atomics.compareExchange(words, partition + PARTITION.CLAIM, ticket | CLAIM_OPEN, taken(ticket, worker)) === (ticket | CLAIM_OPEN);

/** Ends a partition that this thread has run, holding it by `claimed`. When it came too late, it only says that it is back. */
export function finish(thread: DspThread, partition: number, claimed: number): void {
  const { words, base } = thread;
  const ended = withState(claimed, CLAIM_ENDED);
  if (Atomics.compareExchange(words, partition + PARTITION.CLAIM, claimed, ended) !== claimed) {
    Atomics.store(words, partition + PARTITION.CLAIM, ended);
    Atomics.store(words, base + WORKER.ABANDONED, 0);
  }
  // From here on the plan may be another block's: nothing of it is touched.
  words[base + WORKER.PARTITION] = 0;
  if (Atomics.load(words, CONTROL.DONE_WAITERS) !== 0) signal(words, CONTROL.DONE_GATE);
}

/** The first partition ready that waited for this one, or NONE_READY. */
function readySuccessor(words: Int32Array, plan: number, partition: number, ticket: number): number {
  const successors = words[partition + PARTITION.SUCCESSORS]! >> 2;
  const count = words[partition + PARTITION.SUCCESSOR_COUNT]!;
  for (let i = 0; i < count; i++) {
    const successor = partitionAt(words, plan, words[successors + i]!);
    if (Atomics.load(words, successor + PARTITION.CLAIM) === (ticket | CLAIM_OPEN) && isReady(words, plan, successor)) return successor;
  }
  return NONE_READY;
}

/** Runs a claimed partition, then, while its data are in the cache, a successor that is ready by it, and so on. */
export function runChain(thread: DspThread, plan: number, first: number, ticket: number): void {
  const { words, index } = thread;
  let partition = first;
  do {
    runPartition(thread, partition, taken(ticket, index));
    finish(thread, partition, taken(ticket, index));
    partition = readySuccessor(words, plan, partition, ticket);
  } while (partition >= 0 && claim(words, partition, ticket, index));
}
