// The functions behind `Math.*` in kernels: without branches, the same bits in every back end.
//
// The errors stated are the largest found in 32-bit arithmetic (test/dsp/math.test.ts); "relative" is to the true value.
// Polynomials are minimax fits; arguments are reduced by constants split into parts whose multiples are exact (Cody and Waite).
import { bitsFloat, floatBits } from './bits.js';
import { clamp } from './level.js';

/** Adding 1.5 · 2²³ rounds a float to an integer, which then stands in its low bits. */
const ROUNDER = 12582912;

const PI_HIGH = 3.140625;
const PI_MIDDLE = 9.675025939941406e-4;
const PI_LOW = 1.5099580252808664e-7;
const LN2_HIGH = 0.69140625;
const LN2_MIDDLE = 1.7404556274414062e-3;
const LN2_LOW = 4.749325057673559e-7;

/** 2ˣ, x held within ±126. Relative error 2.2e-7; exact for whole x. */
export function exp2(x: number): number {
  const bounded = clamp(x, -126, 126);
  const rounded = Math.fround(bounded + ROUNDER);
  const f = bounded - (rounded - ROUNDER);
  const p = 1 + f * (0.6931469776 + f * (0.2402224208 + f * (0.05550733746 + f * (0.009671512862 + f * 0.001326472708))));
  return bitsFloat(floatBits(p) + (floatBits(rounded) << 23));
}

/** eˣ, x held within ±87. Relative error 2.5e-7. */
export function exp(x: number): number {
  const bounded = clamp(x, -87, 87);
  const rounded = Math.fround(bounded * Math.LOG2E + ROUNDER);
  const n = rounded - ROUNDER;
  const f = bounded - n * LN2_HIGH - n * LN2_MIDDLE - n * LN2_LOW;
  const p = 1 + f * (1 + f * (0.4999999345 + f * (0.1666652064 + f * (0.0416683879 + f * (0.008368715338 + f * 0.001381460195)))));
  return bitsFloat(floatBits(p) + (floatBits(rounded) << 23));
}

/** Smallest positive number that is not denormal: logarithms of less, and of negative numbers, are its logarithm. */
const SMALLEST = 2 ** -126;
const SQRT1_2_BITS = 0x3f3504f3;

/** The exponent n of x = m · 2ⁿ with m in [√½, √2). */
function exponentOf(x: number): number {
  return (floatBits(x) - SQRT1_2_BITS) >> 23;
}

/** ln m for the m of `exponentOf`: 2 artanh((m − 1) / (m + 1)). */
function logOfMantissa(x: number, exponent: number): number {
  const m = bitsFloat(floatBits(x) - (exponent << 23));
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  return 2 * s + s * s2 * (0.6666677649 + s2 * (0.3997752696 + s2 * 0.2987215552));
}

/** ln x. Error 1.5e-7, relative or absolute, whichever is larger. */
export function log(x: number): number {
  const bounded = Math.max(x, SMALLEST);
  const n = exponentOf(bounded);
  return n * LN2_HIGH + (n * LN2_MIDDLE + (n * LN2_LOW + logOfMantissa(bounded, n)));
}

/** log₂ x. Error 1.5e-7, relative or absolute, whichever is larger; exact for powers of two. */
export function log2(x: number): number {
  const bounded = Math.max(x, SMALLEST);
  const n = exponentOf(bounded);
  return n + logOfMantissa(bounded, n) * Math.LOG2E;
}

/** log₁₀ x. Error 2e-7, relative or absolute, whichever is larger. */
export function log10(x: number): number {
  return log(x) * Math.LOG10E;
}

/** xʸ for x ≥ 0 (a negative base counts as 0). Relative error 2e-7 + 1.2e-7 · |y log₂ x|. */
export function pow(x: number, y: number): number {
  return exp2(y * log2(x));
}

/** sin r for |r| ≤ π/2. */
function sinOfQuarters(r: number): number {
  const r2 = r * r;
  return r + r * r2 * (-0.1666665955 + r2 * (0.008333066245 + r2 * (-0.0001980960282 + r2 * 2.605780447e-6)));
}

/** sin x. Error 2e-7 absolute for |x| ≤ 1000, growing beyond. */
export function sin(x: number): number {
  const rounded = Math.fround(x * (1 / Math.PI) + ROUNDER);
  const n = rounded - ROUNDER;
  const r = x - n * PI_HIGH - n * PI_MIDDLE - n * PI_LOW;
  return bitsFloat(floatBits(sinOfQuarters(r)) ^ (floatBits(rounded) << 31));
}

/** cos x. Error 2e-7 absolute for |x| ≤ 1000, growing beyond. */
export function cos(x: number): number {
  const rounded = Math.fround(x * (1 / Math.PI) - 0.5 + ROUNDER);
  const n = rounded - ROUNDER + 0.5;
  const r = x - n * PI_HIGH - n * PI_MIDDLE - n * PI_LOW;
  return bitsFloat(floatBits(sinOfQuarters(r)) ^ ((floatBits(rounded) << 31) ^ 0x80000000));
}

/** tan x. Relative error 4e-7 for |x| ≤ 0.49π, 1e-5 for |x| ≤ 100 where 0.01 < |tan x| < 100. */
export function tan(x: number): number {
  const rounded = Math.fround(x * (2 / Math.PI) + ROUNDER);
  const n = rounded - ROUNDER;
  const r = x - n * (PI_HIGH / 2) - n * (PI_MIDDLE / 2) - n * (PI_LOW / 2);
  const r2 = r * r;
  const sine = r + r * r2 * (-0.1666665461 + r2 * (0.008332160758 + r2 * -0.0001951528262));
  const cosine = 1 - 0.5 * r2 + r2 * r2 * (0.04166664568 + r2 * (-0.001388731625 + r2 * 2.443315639e-5));
  const odd = (floatBits(rounded) & 1) === 1;
  return (odd ? -cosine : sine) / (odd ? sine : cosine);
}

/** arctan x. Relative error 3e-7. */
export function atan(x: number): number {
  const size = Math.abs(x);
  const large = size > 1;
  const t = large ? 1 / size : size;
  const t2 = t * t;
  const tail =
    0.1997421397 + t2 * (-0.1404132692 + t2 * (0.09968470354 + t2 * (-0.06020308548 + t2 * (0.02473402782 + t2 * -0.004822523273))));
  const angle = t + t * t2 * (-0.3333239159 + t2 * tail);
  const positive = large ? Math.PI / 2 - angle : angle;
  return x < 0 ? -positive : positive;
}

/** tanh x. Relative error 3e-7. */
export function tanh(x: number): number {
  const size = Math.min(Math.abs(x), 10);
  const x2 = x * x;
  const small = x + x * x2 * (-0.333329575 + x2 * (0.133209419 + x2 * (-0.05268414312 + x2 * 0.01645875705)));
  const large = 1 - 2 / (exp(2 * size) + 1);
  const sized = x < 0 ? -large : large;
  return size < 0.55 ? small : sized;
}
