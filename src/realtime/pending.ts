// Events that wait for their frame: a binary heap in the arena, ordered by frame, then by arrival. The leader only.
import { COMMAND, CONTROL, PENDING_MAX, PENDING_W, PENDING_WORDS } from '../shared/layout.js';
import type { CommandRing } from '../shared/ring.js';

const SIGN = 0x8000_0000 | 0;
const ARRIVAL = COMMAND.WORDS;

/** Places that only control may fill: whatever comes in from outside, an edit gets through. */
export const CONTROL_PLACES = 2048;

/** Word index of the heap's place `i`. */
export const pendingAt = (i: number): number => PENDING_W + i * PENDING_WORDS;

/** Whether the event at word `a` comes before the one at `b`. */
function before(words: Int32Array, a: number, b: number): boolean {
  const high = words[a + COMMAND.FRAME_HI]! - words[b + COMMAND.FRAME_HI]!;
  if (high !== 0) return high < 0;
  const lowA = words[a + COMMAND.FRAME_LO]! ^ SIGN;
  const lowB = words[b + COMMAND.FRAME_LO]! ^ SIGN;
  if (lowA !== lowB) return lowA < lowB;
  return ((words[a + ARRIVAL]! - words[b + ARRIVAL]!) | 0) < 0;
}

function swap(words: Int32Array, a: number, b: number): void {
  for (let word = 0; word < PENDING_WORDS; word++) {
    const kept = words[a + word]!;
    words[a + word] = words[b + word]!;
    words[b + word] = kept;
  }
}

function siftUp(words: Int32Array, from: number): void {
  let i = from;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(words, pendingAt(i), pendingAt(parent))) return;
    swap(words, pendingAt(i), pendingAt(parent));
    i = parent;
  }
}

function siftDown(words: Int32Array, size: number): void {
  let i = 0;
  for (;;) {
    let first = i;
    for (let child = 2 * i + 1; child < size && child <= 2 * i + 2; child++)
      if (before(words, pendingAt(child), pendingAt(first))) first = child;
    if (first === i) return;
    swap(words, pendingAt(i), pendingAt(first));
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
    const event = pendingAt(size);
    ring.pop(words, event);
    if (words[event + COMMAND.FRAME_HI] === -1 && words[event + COMMAND.FRAME_LO] === -1) {
      words[event + COMMAND.FRAME_LO] = words[CONTROL.FRAME_LO]!;
      words[event + COMMAND.FRAME_HI] = words[CONTROL.FRAME_HI]!;
    }
    words[event + ARRIVAL] = words[CONTROL.ARRIVALS]!;
    words[CONTROL.ARRIVALS] = (words[CONTROL.ARRIVALS]! + 1) | 0;
    words[CONTROL.PENDING] = size + 1;
    siftUp(words, size);
  }
}

/** Takes the first event out of the heap. */
export function dropFirst(words: Int32Array): void {
  const size = words[CONTROL.PENDING]! - 1;
  words[CONTROL.PENDING] = size;
  if (size > 0) swap(words, pendingAt(0), pendingAt(size));
  siftDown(words, size);
}

/**
 * Frames from the block's first frame to the first event's: negative when it is late, a large number when there is none
 * or it is farther away than 32 bits can say.
 */
export function framesToFirst(words: Int32Array): number {
  if (words[CONTROL.PENDING] === 0) return 0x7fff_ffff;
  const event = pendingAt(0);
  const frameLow = words[event + COMMAND.FRAME_LO]!;
  const nowLow = words[CONTROL.FRAME_LO]!;
  const low = (frameLow - nowLow) | 0;
  const borrow = (frameLow ^ SIGN) < (nowLow ^ SIGN) ? 1 : 0;
  const high = (words[event + COMMAND.FRAME_HI]! - words[CONTROL.FRAME_HI]! - borrow) | 0;
  if (high < 0) return -1;
  return high === 0 && low >= 0 ? low : 0x7fff_ffff;
}
