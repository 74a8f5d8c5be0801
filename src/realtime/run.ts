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
}

/** Runs the piece between two events, from frame `from` to frame `to`. Each line leaves behind what is true: see resumePartition. */
function runPiece(thread: DspThread, partition: number, from: number, to: number): void {
  if (from === to) return;
  const { words, base } = thread;
  words[base + WORKER.PIECE_FROM] = from;
  words[base + WORKER.PIECE_RUNS] = 1;
  words[base + WORKER.PIECE_TO] = to;
  runFrames(thread, partition, from, to - from, START);
  endPiece(thread);
}

function endPiece({ words, base }: DspThread): void {
  words[base + WORKER.PIECE_RUNS] = 0;
  words[base + WORKER.AT] = 0;
}

/**
 * Runs the block from frame `from` on; `first` is the next event. A thread that was abandoned meanwhile stops at the next event: the
 * list then belongs to another block. So the event is copied first, and only then the claim is looked at.
 */
function runEvents(thread: DspThread, partition: number, claimed: number, from: number, first: number): void {
  const { words, floats, base } = thread;
  const copy = base + WORKER.EVENT;
  let offset = from;
  for (let i = first; i >= 0; i = words[copy + BLOCK_EVENT.NEXT]!) {
    const event = blockEventAt(i);
    for (let word = 0; word < BLOCK_EVENT.WORDS; word++) words[copy + word] = words[event + word]!;
    if (Atomics.load(words, partition + PARTITION.CLAIM) !== claimed) return;
    const at = words[copy + BLOCK_EVENT.OFFSET]!;
    runPiece(thread, partition, offset, at);
    offset = at;
    applyEvent(words, floats, copy);
    words[base + WORKER.NEXT_EVENT] = words[copy + BLOCK_EVENT.NEXT]!;
  }
  runPiece(thread, partition, offset, words[CONTROL.BLOCK_FRAMES]!);
}

/** Runs a partition that this thread holds by `claimed`. */
export function runPartition(thread: DspThread, partition: number, claimed: number): void {
  const { words, base } = thread;
  const first = words[partition + PARTITION.EVENTS]!;
  thread.costs.choose(partition);
  words[base + WORKER.AT] = 0;
  words[base + WORKER.PIECE_RUNS] = 0;
  words[base + WORKER.PIECE_TO] = 0;
  words[base + WORKER.NEXT_EVENT] = first;
  words[base + WORKER.PARTITION] = partition;
  runEvents(thread, partition, claimed, 0, first);
}

/**
 * Goes on where the thread before in this place died, whatever instruction that was. What the record says: nothing of the partition has
 * been run, if PARTITION names another. Else, if PIECE_RUNS, it died between PIECE_FROM and PIECE_TO (both the same, before that is set) in the
 * step AT, or before the first. Else all up to PIECE_TO is done. NEXT_EVENT comes next; it may have been applied and not been counted, then
 * that is done twice.
 *
 * Kernels keep their state to themselves until they end, so the step at AT begins its frames anew as if nothing had been; of several
 * groups of voices, those that were done go through them twice.
 */
export function resumePartition(thread: DspThread, partition: number, claimed: number): void {
  const { words, base } = thread;
  if (words[base + WORKER.PARTITION] !== partition) {
    runPartition(thread, partition, claimed);
    return;
  }
  words[base + WORKER.TIMED] = 0;
  const from = words[base + WORKER.PIECE_FROM]!;
  const to = words[base + WORKER.PIECE_TO]!;
  if (words[base + WORKER.PIECE_RUNS] === 1 && to > from) runFrames(thread, partition, from, to - from, words[base + WORKER.AT]!);
  endPiece(thread);
  runEvents(thread, partition, claimed, to, words[base + WORKER.NEXT_EVENT]!);
}

/** Leader: applies the events of a partition that is not run. */
export function applyEvents({ words, floats }: DspThread, partition: number): void {
  for (let i; (i = words[partition + PARTITION.EVENTS]!) >= 0;) {
    applyEvent(words, floats, blockEventAt(i));
    words[partition + PARTITION.EVENTS] = words[blockEventAt(i) + BLOCK_EVENT.NEXT]!;
  }
}
