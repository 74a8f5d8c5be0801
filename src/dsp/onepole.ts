// One-pole filters: coefficients; the filter itself is one line, `state.y += coefficient * (x - state.y)`.

/** Coefficient of a low-pass that is 3 dB down at `cutoffHz` (while that is well below the sample rate). */
export function lowpassCoefficient(cutoffHz: number, sampleRate: number): number {
  return 1 - Math.exp((-2 * Math.PI * cutoffHz) / sampleRate);
}

/** Coefficient with which a value comes to 1/e of its distance in `seconds`. */
export function glideCoefficient(seconds: number, sampleRate: number): number {
  return 1 - Math.exp(-1 / (seconds * sampleRate));
}

/** What is left after one sample of a distance that shrinks to 1/e of itself in `seconds`. */
export function glideFactor(seconds: number, sampleRate: number): number {
  return Math.exp(-1 / (seconds * sampleRate));
}
