// Volts per octave.
import { bitsFloat, floatBits } from './bits.js';

/** Adding 1.5 · 2²³ rounds a float to an integer, which then stands in its low bits. */
const ROUNDER = 12582912;

/**
 * 2^octaves, for octaves within ±126: a pitch within 0.005 cents, whole octaves exact.
 * `2 ** x` is as exact as a float can be and takes any x, but costs more.
 */
export function octaveRatio(octaves: number): number {
  const rounded = Math.fround(octaves + ROUNDER);
  const f = octaves - (rounded - ROUNDER);
  const p = 1 + f * (0.6931241932 + f * (0.2402409862 + f * (0.05590642673 + f * 0.009582853144)));
  return bitsFloat(floatBits(p) + (floatBits(rounded) << 23));
}
