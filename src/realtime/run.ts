// Running a partition: its segments for the block's frames, split where events fall, on past what traps.
import { BLOCK_EVENT, CONTROL, FAULT_TRAP, PARTITION, SEGMENT, WORKER } from '../shared/layout.js';
import { applyEvent, blockEventAt } from './events.js';
import { bypass } from './faults.js';
import type { DspThread } from './thread.js';

/** Where to go on in a partition: its segment, in it the place in the list of steps, and in a loop of cables the frame. 0 = from the start. */
const START = 0;

/**
 * Runs a partition's segments for `frames` frames from `offset` on. A step that traps is bypassed, and all goes on from there: that
 * ends, for a step traps but once. Where nothing can be bypassed, the rest of these frames is left out.
 */
function runFrames(thread: DspThread, partition: number, offset: number, frames: number, from: number): void {
  const { words, run, base } = thread;
  let segment = words[partition + PARTITION.SEGMENTS]!;
  let left = words[partition + PARTITION.SEGMENT_COUNT]!;
  let first = from;
  let frame = offset;
  for (;;) {
    if (first !== START) {
      frame = words[base + WORKER.FRAME]!;
      left -= ((words[base + WORKER.SEGMENT]! - segment) / (SEGMENT.WORDS * 4)) | 0;
      segment = words[base + WORKER.SEGMENT]!;
    }
    try {
      run(segment, left, offset, frames, base << 2, first, frame);
      break;
    } catch {
      thread.count(WORKER.FAULTS, 1);
      first = words[base + WORKER.AT]!;
      if (!bypass(thread, words[first >> 2]! >> 2, FAULT_TRAP, 0)) break;
    }
  }
  words[base + WORKER.AT] = 0;
}

/** Runs what lies before an event (`event` = 1) or the block's end. */
function runPiece(thread: DspThread, partition: number, offset: number, frames: number, event: number): void {
  const { words, base } = thread;
  words[base + WORKER.PIECE_OFFSET] = offset;
  words[base + WORKER.PIECE_FRAMES] = frames;
  words[base + WORKER.PIECE_EVENT] = event;
  runFrames(thread, partition, offset, frames, START);
}

/**
 * Runs the block from frame `from` on; `first` is the next event. A thread that was abandoned meanwhile stops at the next event: the
 * list then belongs to another block. So the event is copied first, and only then the claim is looked at.
 */
function runEvents(thread: DspThread, partition: number, claimed: number, from: number, first: number): void {
  const { words, floats } = thread;
  const copy = thread.base + WORKER.EVENT;
  let offset = from;
  for (let i = first; i >= 0; i = words[copy + BLOCK_EVENT.NEXT]!) {
    const event = blockEventAt(i);
    for (let word = 0; word < BLOCK_EVENT.WORDS; word++) words[copy + word] = words[event + word]!;
    if (Atomics.load(words, partition + PARTITION.CLAIM) !== claimed) return;
    const at = words[copy + BLOCK_EVENT.OFFSET]!;
    if (at > offset) runPiece(thread, partition, offset, at - offset, 1);
    offset = at;
    applyEvent(words, floats, copy);
  }
  runPiece(thread, partition, offset, words[CONTROL.BLOCK_FRAMES]! - offset, 0);
}

/** Runs a partition that this thread holds by `claimed`. */
export function runPartition(thread: DspThread, partition: number, claimed: number): void {
  thread.costs.choose(partition);
  runEvents(thread, partition, claimed, 0, thread.words[partition + PARTITION.EVENTS]!);
}

/**
 * Goes on where the thread before in this place died, in the step at AT. Kernels keep their state to themselves until they end, so
 * that step begins these frames anew as if nothing had been; of several groups of voices, those that were done go through them twice.
 */
export function resumePartition(thread: DspThread, partition: number, claimed: number): void {
  const { words, floats, base } = thread;
  const offset = words[base + WORKER.PIECE_OFFSET]!;
  const frames = words[base + WORKER.PIECE_FRAMES]!;
  words[base + WORKER.TIMED] = 0;
  runFrames(thread, partition, offset, frames, words[base + WORKER.AT]!);
  if (words[base + WORKER.PIECE_EVENT] === 0) return;
  applyEvent(words, floats, base + WORKER.EVENT);
  runEvents(thread, partition, claimed, offset + frames, words[base + WORKER.EVENT + BLOCK_EVENT.NEXT]!);
}

/** Leader: applies the events of a partition that is not run. */
export function applyEvents({ words, floats }: DspThread, partition: number): void {
  for (let i = words[partition + PARTITION.EVENTS]!; i >= 0; i = words[blockEventAt(i) + BLOCK_EVENT.NEXT]!)
    applyEvent(words, floats, blockEventAt(i));
  words[partition + PARTITION.EVENTS] = -1;
}
