// Waves with band-limited edges, in volts: polynomial steps, after Välimäki, Pekonen & Nam, "Perceptually informed synthesis of
// bandlimited classical waveforms using integrated polynomial interpolation" (JASA 131(1), 2012).
//
// Their B-spline dulls the top octave by 6 dB. This step is one odd polynomial over ±2.5 samples instead, its coefficients the
// least squares of (what folds back into 0..16 kHz) + (what is missing below 15 kHz) at 48 kHz: less alias, within 1.4 dB at
// 15 kHz, and no more operations.
//
// The saw's edge is at phase 0, where the phase, as a float, is most exact; the other waves are in step with the saw:
// sine and triangle fall through 0 there.
import { clamp } from './level.js';
import { HALF_CYCLE, phaseBipolar, toPhase } from './phase.js';
import { sine } from './wave.js';

/** Half the length of an edge, in samples. */
export const REACH = 2.5;
const AUDIO_V = 5;

/** From −size at x = −1 to size at x = 1. */
export function step(x: number, size: number): number {
  const x2 = x * x;
  return (
    x *
    (4.33025986 * size +
      x2 *
        (-12.2567016 * size + x2 * (21.6072201 * size + x2 * (-22.3613512 * size + x2 * (12.8381267 * size - x2 * (3.15755396 * size))))))
  );
}

/** What rounds the corner of |x| for 0 ≤ x ≤ 1, all that is left of it at 0 and nothing at 1: the integral of `step`, less x. */
export function cornerRest(x: number): number {
  const x2 = x * x;
  return (
    0.072327833 + x2 * (2.16512993 + x2 * (-3.0641754 + x2 * (3.60120336 + x2 * (-2.7951689 + x2 * (1.28381267 - x2 * 0.2631295))))) - x
  );
}

/** How sharp edges are at `cycles` > 0 per sample, for the waves below. An edge never reaches the next. */
export function edgeSharpness(cycles: number): number {
  return 1 / Math.min(cycles * (2 * REACH), 1);
}

/** ±5 V, rising over a cycle, with its edge at phase 0. */
export function sawWave(phase: number, sharpness: number): number {
  const x = clamp(phase * 2 ** -31 * sharpness, -1, 1);
  return phase * (AUDIO_V * 2 ** -31) - step(x, AUDIO_V);
}

/** 5 V for `width` (0..1) of a cycle that begins half a cycle after phase 0, then −5 V. */
export function pulseWave(phase: number, width: number, sharpness: number): number {
  const rise = phase ^ HALF_CYCLE;
  return sawWave(rise - toPhase(width), sharpness) - sawWave(rise, sharpness) + (2 * AUDIO_V * width - AUDIO_V);
}

/** ±5 V. Needs no help: it has no edge. */
export function sineWave(phase: number): number {
  return -AUDIO_V * sine(phaseBipolar(phase));
}

/** ±5 V. Its corners are rounded as the edges are. */
export function triangleWave(phase: number, sharpness: number): number {
  const x = phaseBipolar(phase);
  const fromPeak = Math.abs(Math.abs(x) - 0.5);
  const narrow = Math.max(sharpness, 2);
  const size = AUDIO_V - 2 * AUDIO_V * (fromPeak + cornerRest(Math.min(fromPeak * narrow, 1)) / narrow);
  return x < 0 ? size : -size;
}

// The same waves as they are before anything is done about their edges (which src/dsp/edges.ts can do).

export function plainSaw(phase: number): number {
  return phase * (AUDIO_V * 2 ** -31) - (phase < 0 ? -AUDIO_V : AUDIO_V);
}

export function plainPulse(phase: number, width: number): number {
  const rise = phase ^ HALF_CYCLE;
  return plainSaw(rise - toPhase(width)) - plainSaw(rise) + (2 * AUDIO_V * width - AUDIO_V);
}

export function plainTriangle(phase: number): number {
  const x = phaseBipolar(phase);
  const size = AUDIO_V - 2 * AUDIO_V * Math.abs(Math.abs(x) - 0.5);
  return x < 0 ? size : -size;
}
