// Plain waves, 0 and rising where the cycle starts. Not band-limited.
import { QUARTER_CYCLE } from './phase.js';

/** sin πx for |x| ≤ 1, error 1.5e-7: x (1 − |x|) is nearly the wave already, a cubic in its size corrects it. */
export function sine(x: number): number {
  const rest = 1 - Math.abs(x);
  const arch = Math.abs(x) * rest;
  return x * rest * (3.141586033 + arch * (3.14184887 + arch * (1.112395614 + arch * 0.219316035)));
}

/** ±size over a cycle of `phase`. */
export function triangle(phase: number, size: number): number {
  return size - Math.abs((phase - QUARTER_CYCLE) * (size * 2 ** -30));
}
