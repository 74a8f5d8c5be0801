// Plain waves of x, −1..1 over a cycle (`phaseBipolar`), 0 and rising at x = 0. Not band-limited.

/** sin πx, error 1.2e-7: x (1 − |x|) is nearly the wave already, a cubic in its size corrects it. */
export function sine(x: number): number {
  const rest = 1 - Math.abs(x);
  const arch = Math.abs(x) * rest;
  return x * rest * (3.141586033 + arch * (3.14184887 + arch * (1.112395614 + arch * 0.219316035)));
}

/** Up to 1 at x = ½, down to −1 at −½. */
export function triangle(x: number): number {
  return Math.max(Math.min(2 * x, 2 - 2 * x), -2 - 2 * x);
}
