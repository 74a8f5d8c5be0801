// Running a partition: its segments for the block's frames, split where events fall, on past what traps.
import { BLOCK_EVENT, FAULT_TRAP, PARTITION, SEGMENT, WORKER } from '../shared/layout.js';
import { applyEvent, blockEventAt } from './events.js';
import { bypass } from './faults.js';
import type { DspThread } from './thread.js';

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

/**
 * Runs a partition that this thread holds by `claimed`. A thread that was abandoned meanwhile stops at the next event: the list then
 * belongs to another block. So the event is copied first, and only then the claim is looked at.
 */
export function runPartition(thread: DspThread, partition: number, claimed: number, frames: number): void {
  const { words, floats } = thread;
  const copy = thread.base + WORKER.EVENT;
  let offset = 0;
  thread.costs.choose(partition);
  for (let i = words[partition + PARTITION.EVENTS]!; i >= 0; i = words[copy + BLOCK_EVENT.NEXT]!) {
    const event = blockEventAt(i);
    for (let word = 0; word < BLOCK_EVENT.WORDS; word++) words[copy + word] = words[event + word]!;
    if (Atomics.load(words, partition + PARTITION.CLAIM) !== claimed) return;
    const at = words[copy + BLOCK_EVENT.OFFSET]!;
    if (at > offset) runFrames(thread, partition, offset, at - offset);
    offset = at;
    applyEvent(words, floats, copy);
  }
  runFrames(thread, partition, offset, frames - offset);
}

/** Leader: applies the events of a partition that is not run. */
export function applyEvents({ words, floats }: DspThread, partition: number): void {
  for (let i = words[partition + PARTITION.EVENTS]!; i >= 0; i = words[blockEventAt(i) + BLOCK_EVENT.NEXT]!)
    applyEvent(words, floats, blockEventAt(i));
  words[partition + PARTITION.EVENTS] = -1;
}
