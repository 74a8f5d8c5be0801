// What becomes of a module's sound when the module fails.
//
// A kernel notices by itself that it put out NaN or an infinity (STEP.FAULT), the runner calls `mend` before anything reads it, and
// from the first bad sample on the sound fades out from the last good one: nothing downstream ever sees the number. The voice begins
// anew, with its parameters, from the values kept behind its state; its buffers are zeroed, which takes about a millisecond for the
// ten seconds of a delay. A module that is bypassed (STATE.MUTED) comes here in place of its kernel and fades out in the same way.
// Where lanes are modules of their own, all this is done lane by lane, and the other lanes keep their bits.
import { FAULT_NAN, MUTED_REVIVE, PARAM, STATE, STEP, VECTOR_PARAMS } from '../shared/layout.js';
import { fadeOut } from './fade.js';
import { countFailure } from './faults.js';
import type { DspThread } from './thread.js';

/** Volts no cable carries: a sample before the bad one that is larger went bad already. */
const LOUDEST = 1000;
const ALIGNED_WORDS = 16;

/** `step` is a byte address, as the runner has it. */
export function mend(thread: DspThread, step: number, offset: number, frames: number): void {
  const { words } = thread;
  const record = step >> 2;
  const state = words[record + STEP.STATE]! >> 2;
  const isPacked = words[state + STATE.PACKED] === 1;
  const computed = words[record + STEP.LANES]!;
  const muted = Atomics.load(words, state + STATE.MUTED) & (computed | (computed << MUTED_REVIVE));
  const bad = words[record + STEP.FAULT]!;
  words[record + STEP.FAULT] = 0;
  const reviving = muted & (muted >> MUTED_REVIVE);
  const groups = words[state + STATE.GROUPS]!;
  const lanes = words[state + STATE.LANES]!;
  let worst = 0;
  for (let group = 0; group < groups; group++)
    for (let lane = 0; lane < lanes; lane++) {
      const bit = isPacked ? 1 << lane : 1;
      if ((computed & bit) === 0) continue;
      if ((muted & bit) !== 0) {
        if ((reviving & bit) !== 0) reset(thread, state, group, lane);
        fadeOutputs(thread, record, state, group, lane, offset, 0, frames);
      } else if ((bad & (1 << lane)) !== 0) {
        const from = firstBad(thread, record, group, lane, offset, frames);
        if (from === frames) continue;
        const value = words[thread.badSample]!;
        reset(thread, state, group, lane);
        fadeOutputs(thread, record, state, group, lane, offset, from, frames);
        if (isPacked) countFailure(thread, record, lane, FAULT_NAN, offset + from, value);
        else worst = worst === 0 ? value : worst;
      }
    }
  if (worst !== 0) countFailure(thread, record, 0, FAULT_NAN, offset, worst);
  if (reviving !== 0) Atomics.and(words, state + STATE.MUTED, ~(reviving | (reviving << MUTED_REVIVE)));
}

/** Index of the first sample of a lane in an output's buffer. */
function outputAt(words: Int32Array, step: number, output: number, group: number, lane: number, offset: number, lanes: number): number {
  const port = step + STEP.PORTS + 2 * (words[step + STEP.FIRST_OUTPUT]! + output);
  return (words[port]! >> 2) + group * (words[port + 1]! >> 2) + offset * lanes + lane;
}

/** The first frame (from `offset`) in which an output of a lane is no number, or no signal; `frames` = none. Its word goes to `badSample`. */
function firstBad(thread: DspThread, step: number, group: number, lane: number, offset: number, frames: number): number {
  const { words, floats } = thread;
  const lanes = words[(words[step + STEP.STATE]! >> 2) + STATE.LANES]!;
  let first = frames;
  for (let output = 0; output < words[step + STEP.OUTPUT_COUNT]!; output++) {
    const at = outputAt(words, step, output, group, lane, offset, lanes);
    for (let frame = 0; frame < first; frame++) {
      const size = Math.abs(floats[at + frame * lanes]!);
      if (size < LOUDEST) continue;
      first = frame;
      thread.badSample = at + frame * lanes;
    }
  }
  return first;
}

/** From frame `from` on, all outputs of a lane fade from their last good sample to silence. */
function fadeOutputs(
  { words, floats, fade }: DspThread,
  step: number,
  state: number,
  group: number,
  lane: number,
  offset: number,
  from: number,
  frames: number,
): void {
  const lanes = words[state + STATE.LANES]!;
  const vector = VECTOR_PARAMS + words[state + STATE.PARAMS]! * PARAM.VECTORS + words[state + STATE.SCALARS]!;
  const base = state + ((STATE.HEADER_BYTES + group * words[state + STATE.GROUP_BYTES]!) >> 2) + lane;
  for (let output = 0; output < words[step + STEP.OUTPUT_COUNT]!; output++) {
    const at = outputAt(words, step, output, group, lane, offset, lanes);
    const last = base + (vector + output) * lanes;
    const value = from > 0 ? floats[at + (from - 1) * lanes]! : floats[last]!;
    floats[last] = fadeOut(floats, at + from * lanes, lanes, frames - from, value, fade);
  }
}

/** A voice's state as it was when it was made; its parameters stay. */
function reset({ words }: DspThread, state: number, group: number, lane: number): void {
  const lanes = words[state + STATE.LANES]!;
  const scalars = words[state + STATE.SCALARS]!;
  const groupWords = words[state + STATE.GROUP_BYTES]! >> 2;
  const groups = state + (STATE.HEADER_BYTES >> 2);
  const first = VECTOR_PARAMS + words[state + STATE.PARAMS]! * PARAM.VECTORS;
  const base = groups + group * groupWords;
  const kept = groups + words[state + STATE.GROUPS]! * groupWords + group * scalars * lanes + lane;
  for (let i = 0; i < scalars; i++) words[base + (first + i) * lanes + lane] = words[kept + i * lanes]!;
  const values = (first + scalars + words[state + STATE.OUTPUTS]!) * lanes;
  const buffers = (((values + ALIGNED_WORDS - 1) / ALIGNED_WORDS) | 0) * ALIGNED_WORDS;
  for (let i = buffers + lane; i < groupWords; i += lanes) words[base + i] = 0;
}
