// Reading a delay line: a `buffer` that is written once per sample at a running index.
import type { Buffer } from '../module.js';

/**
 * The value `delay` ≥ 1 samples before index `at`, by the cubic through four neighbours (Lagrange), the newest of them one sample
 * nearer. Exact for whole delays; at worst 0.1 dB down at a tenth of the sample rate.
 */
export function readCubic(line: Buffer, at: number, delay: number): number {
  const whole = Math.floor(delay);
  const i = at - (whole | 0);
  const d = delay - whole;
  const newer = line[i + 1]!;
  const a = line[i]!;
  const b = line[i - 1]!;
  const older = line[i - 2]!;
  // Weights: −d(d−1)(d−2)/6, (d+1)(d−1)(d−2)/2, −(d+1)d(d−2)/2, (d+1)d(d−1)/6.
  const inner = (d - 1) * (d - 2);
  const outer = (d + 1) * d;
  return inner * (0.5 * (d + 1) * a - (1 / 6) * d * newer) + outer * ((1 / 6) * (d - 1) * older - 0.5 * (d - 2) * b);
}
