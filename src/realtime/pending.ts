// Events that wait for their frame: a binary heap in the arena, ordered by frame, then by arrival. The leader only.
//
// A leader may die between any two instructions and no event be lost or heard twice by it. So what counts are the records: each has a
// state that changes by one store, and stays in its place. The heap, an order of their numbers, is made anew from them (`gather`).
//
//   free ──the record is whole──► waits ──its block is dealt──► dealt ──the dealing is done (STAGE_DEALT)──► free
//
// A command is in the heap before it leaves its ring; which one it was there tells whether it still has to leave.
import {
  COMMAND,
  CONTROL,
  PENDING,
  PENDING_DEALT,
  PENDING_FREE,
  PENDING_MAX,
  PENDING_ORDER_W,
  PENDING_W,
  PENDING_WAITS,
  STAGE_FREE,
} from '../shared/layout.js';
import type { CommandRing } from '../shared/ring.js';

const SIGN = 0x8000_0000 | 0;

/** Places that only control may fill: whatever comes in from outside, an edit gets through. */
export const CONTROL_PLACES = 2048;

const recordAt = (number: number): number => PENDING_W + number * PENDING.WORDS;
const numberAt = (words: Int32Array, place: number): number => words[PENDING_ORDER_W + place]! + place;
function putNumber(words: Int32Array, place: number, number: number): void {
  words[PENDING_ORDER_W + place] = number - place;
}

/** Word index of the record in place `place` of the heap; the first event is in place 0. */
export const pendingAt = (words: Int32Array, place: number): number => recordAt(numberAt(words, place));

/** Whether the event in place `i` comes before the one in place `k`. */
function before(words: Int32Array, i: number, k: number): boolean {
  const a = pendingAt(words, i);
  const b = pendingAt(words, k);
  const high = words[a + COMMAND.FRAME_HI]! - words[b + COMMAND.FRAME_HI]!;
  if (high !== 0) return high < 0;
  const lowA = words[a + COMMAND.FRAME_LO]! ^ SIGN;
  const lowB = words[b + COMMAND.FRAME_LO]! ^ SIGN;
  if (lowA !== lowB) return lowA < lowB;
  return ((words[a + PENDING.ARRIVAL]! - words[b + PENDING.ARRIVAL]!) | 0) < 0;
}

function swap(words: Int32Array, i: number, k: number): void {
  const kept = numberAt(words, i);
  putNumber(words, i, numberAt(words, k));
  putNumber(words, k, kept);
}

/** Takes the record in the place behind the heap into it. */
function enter(words: Int32Array): void {
  let i = words[CONTROL.PENDING]!;
  words[CONTROL.PENDING] = i + 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(words, i, parent)) return;
    swap(words, i, parent);
    i = parent;
  }
}

function siftDown(words: Int32Array, size: number): void {
  let i = 0;
  for (;;) {
    let first = i;
    for (let child = 2 * i + 1; child < size && child <= 2 * i + 2; child++) if (before(words, child, first)) first = child;
    if (first === i) return;
    swap(words, i, first);
    i = first;
  }
}

/**
 * Moves the commands of `ring` into the heap, but for what would leave fewer than `spare` places free: that stays in the ring, in
 * its order, until there is room. So nothing is lost here, and a ring that is full says so to who writes into it. Commands
 * for "now" get the frame of the block to come.
 */
export function takeCommands(words: Int32Array, ring: CommandRing, spare: number): void {
  const room = PENDING_MAX - spare;
  // As many as were there at the start: a producer that never pauses cannot keep the leader here.
  for (let left = ring.fill(); left > 0; left--) {
    const size = words[CONTROL.PENDING]!;
    if (size >= room) {
      Atomics.add(words, CONTROL.HELD_BACK, 1);
      return;
    }
    const event = pendingAt(words, size);
    ring.peek(words, event);
    if (words[event + COMMAND.FRAME_HI] === -1 && words[event + COMMAND.FRAME_LO] === -1) {
      words[event + COMMAND.FRAME_LO] = words[CONTROL.FRAME_LO]!;
      words[event + COMMAND.FRAME_HI] = words[CONTROL.FRAME_HI]!;
    }
    words[event + PENDING.ARRIVAL] = words[CONTROL.ARRIVALS]!;
    words[CONTROL.ARRIVALS] = (words[CONTROL.ARRIVALS]! + 1) | 0;
    words[event + PENDING.RING] = ring.base;
    words[event + PENDING.PLACE] = ring.first();
    Atomics.store(words, event + PENDING.STATE, PENDING_WAITS);
    ring.release();
    enter(words);
  }
}

/** Takes the first event out of the heap, whose record now says what has become of it. Records taken out lie behind the heap, the last one first. */
export function dropFirst(words: Int32Array, state = PENDING_FREE): void {
  Atomics.store(words, pendingAt(words, 0) + PENDING.STATE, state);
  const size = words[CONTROL.PENDING]! - 1;
  words[CONTROL.PENDING] = size;
  if (size > 0) swap(words, 0, size);
  siftDown(words, size);
}

/** The block's events are with its partitions: `count` records were taken out for it. */
export function forgetDealt(words: Int32Array, count: number): void {
  const size = words[CONTROL.PENDING]!;
  for (let i = 0; i < count; i++) Atomics.store(words, pendingAt(words, size + i) + PENDING.STATE, PENDING_FREE);
}

// setup
/** A leader begins: makes the heap from the records, and ends what the leader before, which is gone, was doing to it. */
export function gather(words: Int32Array, rings: readonly CommandRing[]): void {
  // What was dealt waits again, unless the block has it.
  const dealt = words[CONTROL.STAGE] === STAGE_FREE ? PENDING_WAITS : PENDING_FREE;
  let free = PENDING_MAX;
  words[CONTROL.PENDING] = 0;
  for (let number = 0; number < PENDING_MAX; number++) {
    const record = recordAt(number);
    if (words[record + PENDING.STATE] === PENDING_DEALT) Atomics.store(words, record + PENDING.STATE, dealt);
    if (words[record + PENDING.STATE] !== PENDING_WAITS) {
      putNumber(words, --free, number);
      continue;
    }
    putNumber(words, words[CONTROL.PENDING]!, number);
    enter(words);
    for (const ring of rings)
      if (words[record + PENDING.RING] === ring.base && words[record + PENDING.PLACE] === ring.first() && ring.fill() > 0) ring.release();
  }
}

/**
 * Frames from the block's first frame to the first event's: negative when it is late, a large number when there is none
 * or it is farther away than 32 bits can say.
 */
export function framesToFirst(words: Int32Array): number {
  if (words[CONTROL.PENDING] === 0) return 0x7fff_ffff;
  const event = pendingAt(words, 0);
  const frameLow = words[event + COMMAND.FRAME_LO]!;
  const nowLow = words[CONTROL.FRAME_LO]!;
  const low = (frameLow - nowLow) | 0;
  const borrow = (frameLow ^ SIGN) < (nowLow ^ SIGN) ? 1 : 0;
  const high = (words[event + COMMAND.FRAME_HI]! - words[CONTROL.FRAME_HI]! - borrow) | 0;
  if (high < 0) return -1;
  return high === 0 && low >= 0 ? low : 0x7fff_ffff;
}
