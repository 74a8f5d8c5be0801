// Values in a module's state: where they lie in the arena, and how parameters change.
import { COUNT_END, PARAM, STATE, VECTOR_PARAMS } from '../shared/layout.js';

const integers = new Int32Array(1);
const bits = new Float32Array(integers.buffer);

/** The float that has these bits. */
function floatOf(word: number): number {
  integers[0] = word;
  return bits[0]!;
}

/** Word index of a voice's lane in vector `vector` of its lane group. `state` is a word index, here and below. */
function laneAt(words: Int32Array, state: number, vector: number, voice: number): number {
  const lanes = words[state + STATE.LANES]!;
  const group = state + (STATE.HEADER_BYTES >> 2) + ((voice / lanes) | 0) * (words[state + STATE.GROUP_BYTES]! >> 2);
  return group + vector * lanes + (voice % lanes);
}

/** Word index of a parameter's value in one voice. */
export const paramAt = (words: Int32Array, state: number, param: number, voice: number): number =>
  laneAt(words, state, VECTOR_PARAMS + param * PARAM.VECTORS, voice);

/** Word index of a NOTE field of one voice, in a module that plays notes. */
export const noteAt = (words: Int32Array, state: number, field: number, voice: number): number =>
  laneAt(words, state, VECTOR_PARAMS + words[state + STATE.PARAMS]! * PARAM.VECTORS + field, voice);

/** Whether a module has parameter `param` and voice `voice`; −1 is all voices. */
const has = (words: Int32Array, state: number, param: number, voice: number): boolean =>
  param >= 0 && param < words[state + STATE.PARAMS]! && voice >= -1 && voice < words[state + STATE.VOICES]!;

/**
 * Sets parameter `param` of one voice, or of all (−1), to the float whose bits are `valueBits`, within `ramp` frames.
 * The kernel moves the value by STEP for REMAINING frames and then sets it to TARGET.
 * @returns false when the module has no such parameter or voice.
 */
export function setParam(
  words: Int32Array,
  floats: Float32Array,
  state: number,
  param: number,
  voice: number,
  valueBits: number,
  ramp: number,
): boolean {
  if (!has(words, state, param, voice)) return false;
  const lanes = words[state + STATE.LANES]!;
  const to = voice < 0 ? words[state + STATE.VOICES]! : voice + 1;
  const wanted = floatOf(valueBits);
  for (let v = voice < 0 ? 0 : voice; v < to; v++) {
    const value = paramAt(words, state, param, v);
    floats[value + PARAM.TARGET * lanes] = wanted;
    if (ramp > 0) {
      floats[value + PARAM.STEP * lanes] = (wanted - floats[value]!) / ramp;
    } else {
      floats[value] = wanted;
      floats[value + PARAM.STEP * lanes] = 0;
    }
    words[value + PARAM.REMAINING * lanes] = ramp > 0 ? ramp : 0;
  }
  const frames = state + STATE.RAMP_FRAMES + (words[state + STATE.PACKED] === 1 && voice > 0 ? voice : 0);
  if (ramp > words[frames]!) words[frames] = ramp;
  return true;
}

/**
 * Adds the float whose bits are `amountBits`, a whole number, to a whole-number parameter of one voice, or of all (−1), which
 * wraps at COUNT_END. @returns false when the module has no such parameter or voice.
 */
export function addToParam(
  words: Int32Array,
  floats: Float32Array,
  state: number,
  param: number,
  voice: number,
  amountBits: number,
): boolean {
  if (!has(words, state, param, voice)) return false;
  const lanes = words[state + STATE.LANES]!;
  const to = voice < 0 ? words[state + STATE.VOICES]! : voice + 1;
  const amount = floatOf(amountBits);
  for (let v = voice < 0 ? 0 : voice; v < to; v++) {
    const value = paramAt(words, state, param, v);
    floats[value] = (floats[value]! + amount) & (COUNT_END - 1);
    floats[value + PARAM.TARGET * lanes] = floats[value]!;
  }
  return true;
}
