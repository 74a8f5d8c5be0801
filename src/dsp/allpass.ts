// Schroeder's all-pass: smears a sound over time and leaves its spectrum alone.
import type { Buffer } from '../module.js';

/** One sample through an all-pass of `frames` delay; `at` is the running index of `line`. */
export function allpass(line: Buffer, at: number, frames: number, gain: number, x: number): number {
  const delayed = line[at - frames]!;
  const kept = x - gain * delayed;
  line[at] = kept;
  return delayed + gain * kept;
}
