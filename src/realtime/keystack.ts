// The keys held in a mode with one voice, in the order they were pressed: the last one sounds, and when it ends the one before
// sounds again.
//
// A note may end by itself, in the middle of a block, while nobody looks but the kernel. So each event leaves it a list of what
// then follows (THEN_PITCH, THEN_LEFT, from row NEXT to LAST), and when the next event comes, `age` drops the keys that have
// ended meanwhile. Both count the same frames, so the stack and what sounds agree.
import { KEY_ROW, KEY_STACK_ROWS, NOTE, STATE } from '../shared/layout.js';
import { noteAt } from './params.js';

/** Word index of a field of row `row`. */
function rowAt(words: Int32Array, state: number, row: number, field: number): number {
  const stack = state + ((STATE.HEADER_BYTES + words[state + STATE.KEYS]!) >> 2);
  return stack + (row * KEY_ROW.WORDS + field) * words[state + STATE.LANES]!;
}

export const keyOf = (words: Int32Array, state: number, row: number): number => words[rowAt(words, state, row, KEY_ROW.KEY)]!;
export const pitchOf = (words: Int32Array, state: number, row: number): number => words[rowAt(words, state, row, KEY_ROW.PITCH)]!;
export const leftOf = (words: Int32Array, state: number, row: number): number => words[rowAt(words, state, row, KEY_ROW.LEFT)]!;

/** How many keys are held. */
export const depthOf = (words: Int32Array, state: number): number => words[noteAt(words, state, NOTE.DEPTH, 0)]!;

/** Forgets all keys; what sounds goes on and nothing follows it. */
export function clearKeys(words: Int32Array, state: number): void {
  words[noteAt(words, state, NOTE.DEPTH, 0)] = 0;
  words[noteAt(words, state, NOTE.NEXT, 0)] = 0;
  words[noteAt(words, state, NOTE.LAST, 0)] = 0;
}

/** The row of a key, −1 when it is not held. */
export function rowOf(words: Int32Array, state: number, key: number): number {
  for (let row = depthOf(words, state) - 1; row >= 0; row--) if (keyOf(words, state, row) === key) return row;
  return -1;
}

export function dropRow(words: Int32Array, state: number, row: number): void {
  const last = depthOf(words, state) - 1;
  for (let to = row; to < last; to++)
    for (let field: number = KEY_ROW.KEY; field <= KEY_ROW.LEFT; field++)
      words[rowAt(words, state, to, field)] = words[rowAt(words, state, to + 1, field)]!;
  words[noteAt(words, state, NOTE.DEPTH, 0)] = last;
}

/** Puts a key on top, once. When too many are held, the first one is forgotten. */
export function pushKey(words: Int32Array, state: number, key: number, pitch: number, frames: number): void {
  const known = rowOf(words, state, key);
  if (known >= 0) dropRow(words, state, known);
  if (depthOf(words, state) === KEY_STACK_ROWS) dropRow(words, state, 0);
  const row = depthOf(words, state);
  words[rowAt(words, state, row, KEY_ROW.KEY)] = key;
  words[rowAt(words, state, row, KEY_ROW.PITCH)] = pitch;
  words[rowAt(words, state, row, KEY_ROW.LEFT)] = frames;
  words[noteAt(words, state, NOTE.DEPTH, 0)] = row + 1;
}

/** Takes the frames since the last event off the time that keys have left, and drops those that have none. */
export function age(words: Int32Array, state: number): void {
  const elapsed = words[noteAt(words, state, NOTE.ELAPSED, 0)]!;
  for (let row = depthOf(words, state) - 1; row >= 0; row--) {
    const left = rowAt(words, state, row, KEY_ROW.LEFT);
    if (words[left] === 0) continue;
    if (words[left]! > elapsed) words[left] = words[left]! - elapsed;
    else dropRow(words, state, row);
  }
  words[noteAt(words, state, NOTE.ELAPSED, 0)] = 0;
}

/** Lists for the kernel what follows when the top key ends by itself: of the keys below, down from it, each that lasts longer than all above. */
export function planReturns(words: Int32Array, state: number): void {
  let row = depthOf(words, state) - 1;
  let end = leftOf(words, state, row);
  let count = 0;
  for (row--; row >= 0 && end > 0; row--) {
    const left = leftOf(words, state, row);
    if (left > 0 && left <= end) continue;
    words[rowAt(words, state, count, KEY_ROW.THEN_PITCH)] = pitchOf(words, state, row);
    words[rowAt(words, state, count, KEY_ROW.THEN_LEFT)] = left > 0 ? left - end : 0;
    end = left;
    count++;
  }
  words[noteAt(words, state, NOTE.NEXT, 0)] = 0;
  words[noteAt(words, state, NOTE.LAST, 0)] = count;
}
