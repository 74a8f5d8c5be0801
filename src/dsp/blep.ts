// Waves with band-limited edges, in volts: polynomial steps, after Välimäki, Pekonen & Nam, "Perceptually informed synthesis of
// bandlimited classical waveforms using integrated polynomial interpolation" (JASA 131(1), 2012).
//
// Their B-spline dulls the top octave by 6 dB. This step is one odd polynomial over ±2.5 samples instead, its coefficients the
// least squares of (what folds back into 0..16 kHz) + (what is missing below 15 kHz) at 48 kHz: less alias, within 1.4 dB at
// 15 kHz, and no more operations.
//
// The saw's edge is at phase 0, where the phase, as a float, is most exact; the other waves are in step with the saw:
// sine and triangle fall through 0 there.
import type { Buffer } from '../module.js';
import { clamp } from './level.js';
import { HALF_CYCLE, phaseBipolar, toPhase } from './phase.js';
import { sine } from './wave.js';

/** Half the length of an edge, in samples. */
const REACH = 2.5;
const AUDIO_V = 5;

/** From −size at x = −1 to size at x = 1. */
function step(x: number, size: number): number {
  const x2 = x * x;
  return (
    x *
    (4.33025986 * size +
      x2 *
        (-12.2567016 * size + x2 * (21.6072201 * size + x2 * (-22.3613512 * size + x2 * (12.8381267 * size - x2 * (3.15755396 * size))))))
  );
}

/** What rounds the corner of |x| for 0 ≤ x ≤ 1, all that is left of it at 0 and nothing at 1: the integral of `step`, less x. */
function cornerRest(x: number): number {
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

/** Frames by which `jumpingWave` lags. */
export const JUMP_DELAY = 3;
/** Samples over which the slope of a wave at a jump is to be taken. */
export const SLOPE_SPAN = 0.125;

/**
 * A wave that may jump at any moment, band-limited, JUMP_DELAY frames late. The wave is followed up to the jump, `past` → `from`,
 * and away from it, `to` → `next`, over SLOPE_SPAN each.
 * @param line the wave's own buffer, 8 long
 * @param at the frame's number
 * @param since samples from the jump to this frame, 0..1
 * @param now the wave at this frame
 */
export function jumpingWave(
  line: Buffer,
  at: number,
  jumped: boolean,
  since: number,
  now: number,
  past: number,
  from: number,
  to: number,
  next: number,
): number {
  line[at] = line[at]! + now;
  if (jumped) {
    const jump = to - from;
    const bend = (next - to - (from - past)) * (1 / SLOPE_SPAN);
    for (let i = 0; i < 2 * JUMP_DELAY; i++) {
      const x = (i - JUMP_DELAY + since) * (1 / REACH);
      const rest = step(clamp(x, -1, 1), 1) - (x < 0 ? -1 : 1);
      const near = at + i - JUMP_DELAY;
      line[near] = line[near]! + 0.5 * (jump * rest + bend * REACH * cornerRest(Math.min(Math.abs(x), 1)));
    }
  }
  const ready = line[at - JUMP_DELAY]!;
  line[at - JUMP_DELAY] = 0;
  return ready;
}
