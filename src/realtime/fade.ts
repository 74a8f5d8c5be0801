// How sound ends that nobody computes any more: by a constant factor per frame, from the last sample there was.

/** Below this, what fades is silent. */
const SILENT = 1e-5;

/** Whether nothing is left to fade; also of what is no number. */
export const isSilent = (value: number): boolean => !(Math.abs(value) > SILENT && Math.abs(value) < Infinity);

/** Fades from `value` on, into every `stride`-th word from `at` on. @returns the last value */
export function fadeOut(floats: Float32Array, at: number, stride: number, frames: number, value: number, factor: number): number {
  for (let frame = 0; frame < frames; frame++) {
    value = isSilent(value) ? 0 : value * factor;
    floats[at + frame * stride] = value;
  }
  return value;
}

const WARM_FRAMES = 4096;
const WARM_TURNS = 50;

// setup
/**
 * Has `fadeOut` compiled before it is needed. What a thread that hangs leaves behind may be a hundred outputs to be faded within one block,
 * and the interpreter took 35 ms for them.
 */
export function warmFadeOut(): void {
  const floats = new Float32Array(WARM_FRAMES);
  for (let turn = 0; turn < WARM_TURNS; turn++) fadeOut(floats, 0, 1, WARM_FRAMES, 1, 0.999);
}
