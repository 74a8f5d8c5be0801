// Partitions of a block: opened by the leader, claimed and run by whoever comes first.
//
// Each block has a ticket, an odd number. The leader prepares every partition (COUNT, EVENTS), then opens it by writing the
// ticket to CLAIM; to claim is to compare-and-exchange ticket → ticket + 1. A helper may wake up late, when the block it was
// woken for has ended and the leader prepares the next: it may read anything, but it holds an old ticket, and a
// partition that was run shows ticket + 1 until it is opened with a new one. So it claims nothing. Nobody has to wait for
// it either: it reads a plan that its PLAN_IN_USE keeps from being freed, and writes nothing before it has claimed.
import { BLOCK_EVENT, CONTROL, FAULT_TRAP, PARTITION, PLAN, SEGMENT, WORKER } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { applyEvent, blockEventAt } from './events.js';
import { bypass } from './faults.js';
import type { Search } from './search.js';
import type { DspThread } from './thread.js';

/** What `findReady` answers when no partition is ready but some are still to come, and when none is left to claim. */
export const NONE_READY = -1;
export const NONE_LEFT = -2;

const partitionAt = (words: Int32Array, plan: number, i: number): number => (words[plan + PLAN.PARTITIONS]! >> 2) + i * PARTITION.WORDS;

/** Leader: resets counts and event lists. No partition is open. */
export function preparePartitions(words: Int32Array, plan: number): void {
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = 0; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    words[partition + PARTITION.COUNT] = words[partition + PARTITION.LIMIT]!;
    words[partition + PARTITION.EVENTS] = -1;
  }
}

/** Leader: opens all partitions for claims. @returns the block's ticket. */
export function openPartitions(words: Int32Array, plan: number): number {
  const ticket = (words[CONTROL.BLOCK_TICKET]! + 2) | 1;
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  words[plan + PLAN.REMAINING] = count;
  for (let i = 0; i < count; i++) words[partitionAt(words, plan, i) + PARTITION.CLAIM] = ticket;
  // Publishes all of the above: whoever holds this ticket has read it here.
  Atomics.store(words, CONTROL.BLOCK_TICKET, ticket);
  return ticket;
}

/** Whether all partitions of the block have ended. */
export const blockEnded = (words: Int32Array, plan: number): boolean => Atomics.load(words, plan + PLAN.REMAINING) <= 0;

/**
 * A partition that could be claimed now (a word index), one meant for this thread if there is one; or NONE_READY or NONE_LEFT.
 */
export function findReady(words: Int32Array, plan: number, ticket: number, worker: number, search: Search): number {
  const count = words[plan + PLAN.PARTITION_COUNT]!;
  for (let i = search.own, isPrefix = true; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    if (words[partition + PARTITION.WORKER] === worker && Atomics.load(words, partition + PARTITION.CLAIM) === ticket) {
      if (Atomics.load(words, partition + PARTITION.COUNT) === 0) return partition;
      isPrefix = false;
    }
    if (isPrefix) search.own = i + 1;
  }
  let found = NONE_LEFT;
  for (let i = search.any, isPrefix = true; i < count; i++) {
    const partition = partitionAt(words, plan, i);
    if (Atomics.load(words, partition + PARTITION.CLAIM) === ticket) {
      if (Atomics.load(words, partition + PARTITION.COUNT) === 0) return partition;
      found = NONE_READY;
      isPrefix = false;
    }
    if (isPrefix) search.any = i + 1;
  }
  return found;
}

/** Takes a ready partition for this thread, if nobody was faster. */
export const claim = (words: Int32Array, partition: number, ticket: number): boolean =>
  Atomics.compareExchange(words, partition + PARTITION.CLAIM, ticket, (ticket + 1) | 0) === ticket;

/**
 * Runs a partition's segments for `frames` frames from `offset` on. A step that traps is bypassed, and all goes on from there: that
 * ends, for a step traps but once. Where nothing can be bypassed, the rest of these frames is left out.
 */
function runFrames(thread: DspThread, partition: number, offset: number, frames: number): void {
  const { words, run, base } = thread;
  let segment = words[partition + PARTITION.SEGMENTS]!;
  let left = words[partition + PARTITION.SEGMENT_COUNT]!;
  let first = 0;
  let frame = offset;
  for (;;) {
    try {
      run(segment, left, offset, frames, base << 2, first, frame);
      break;
    } catch {
      thread.count(WORKER.FAULTS, 1);
      first = words[base + WORKER.AT]!;
      frame = words[base + WORKER.FRAME]!;
      left -= ((words[base + WORKER.SEGMENT]! - segment) / (SEGMENT.WORDS * 4)) | 0;
      segment = words[base + WORKER.SEGMENT]!;
      if (!bypass(thread, words[first >> 2]! >> 2, FAULT_TRAP, 0)) break;
    }
  }
  words[base + WORKER.AT] = 0;
}

/** Runs a claimed partition for the block's frames, split where its events fall. */
function runPartition(thread: DspThread, partition: number, frames: number): void {
  const { words, floats } = thread;
  let offset = 0;
  thread.costs.choose(partition);
  for (let i = words[partition + PARTITION.EVENTS]!; i >= 0; i = words[blockEventAt(i) + BLOCK_EVENT.NEXT]!) {
    const event = blockEventAt(i);
    const at = words[event + BLOCK_EVENT.OFFSET]!;
    if (at > offset) runFrames(thread, partition, offset, at - offset);
    offset = at;
    applyEvent(words, floats, event);
  }
  runFrames(thread, partition, offset, frames - offset);
}

/** Counts a partition as done. @returns the first successor that became ready by it (a word index), or NONE_READY. */
function finish(words: Int32Array, plan: number, partition: number): number {
  const successors = words[partition + PARTITION.SUCCESSORS]! >> 2;
  const count = words[partition + PARTITION.SUCCESSOR_COUNT]!;
  let next = NONE_READY;
  for (let i = 0; i < count; i++) {
    const successor = partitionAt(words, plan, words[successors + i]!);
    if (Atomics.sub(words, successor + PARTITION.COUNT, 1) === 1 && next < 0) next = successor;
  }
  Atomics.sub(words, plan + PLAN.REMAINING, 1);
  // From here on the plan may be another block's: nothing of it is touched.
  if (Atomics.load(words, CONTROL.DONE_WAITERS) > 0) signal(words, CONTROL.DONE_GATE);
  return next;
}

/** Runs a claimed partition, then, while its data are in the cache, a successor it made ready, and so on. */
export function runChain(thread: DspThread, plan: number, first: number, ticket: number, frames: number): void {
  const { words } = thread;
  let partition = first;
  do {
    runPartition(thread, partition, frames);
    partition = finish(words, plan, partition);
  } while (partition >= 0 && claim(words, partition, ticket));
}
