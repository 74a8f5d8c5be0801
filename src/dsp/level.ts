// Small arithmetic on levels: limits, blends, decibels.

export function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** From `a` at `amount` 0 to `b` at 1, both exactly. */
export function lerp(a: number, b: number, amount: number): number {
  return a * (1 - amount) + b * amount;
}

/** Gain of a level in dB. */
export function decibelGain(db: number): number {
  return Math.exp(db * (Math.LN10 / 20));
}

/**
 * Zero for what is inaudibly small. Recursive state that decays must pass through here,
 * or it ends in denormal numbers, on which a processor is a hundred times slower.
 */
export function flush(x: number): number {
  return Math.abs(x) < 1e-15 ? 0 : x;
}

/** `x` within ±limit; 0 if it is infinite or not a number. */
export function finite(x: number, limit: number): number {
  return x - x === 0 ? clamp(x, -limit, limit) : 0;
}
