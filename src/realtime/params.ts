// Setting a parameter of a module, in its state in the arena.
import { PARAM, STATE, VECTOR_PARAMS } from '../shared/layout.js';

const integers = new Int32Array(1);
const bits = new Float32Array(integers.buffer);

/**
 * Sets parameter `param` of one voice, or of all (−1), to the float whose bits are `valueBits`, within `ramp` frames.
 * `state` is a word index. The kernel moves the value by STEP for REMAINING frames and then sets it to TARGET.
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
  const voices = words[state + STATE.VOICES]!;
  if (param < 0 || param >= words[state + STATE.PARAMS]! || voice < -1 || voice >= voices) return false;
  const lanes = words[state + STATE.LANES]!;
  const groupWords = words[state + STATE.GROUP_BYTES]! >> 2;
  const first = state + (STATE.HEADER_BYTES >> 2) + (VECTOR_PARAMS + param * PARAM.VECTORS) * lanes;
  const to = voice < 0 ? voices : voice + 1;
  integers[0] = valueBits;
  for (let v = voice < 0 ? 0 : voice; v < to; v++) {
    const value = first + ((v / lanes) | 0) * groupWords + (v % lanes);
    const target = value + PARAM.TARGET * lanes;
    floats[target] = bits[0]!;
    if (ramp > 0) {
      floats[value + PARAM.STEP * lanes] = (floats[target]! - floats[value]!) / ramp;
    } else {
      floats[value] = bits[0]!;
      floats[value + PARAM.STEP * lanes] = 0;
    }
    words[value + PARAM.REMAINING * lanes] = ramp > 0 ? ramp : 0;
  }
  const frames = state + STATE.RAMP_FRAMES + (words[state + STATE.PACKED] === 1 && voice > 0 ? voice : 0);
  if (ramp > words[frames]!) words[frames] = ramp;
  return true;
}
