// Jumps and corners at any moment between two samples, band-limited. An edge is spread over the samples around it, also those
// before it, so a wave goes through an edge line: a `buffer` 8 long that holds it back for EDGE_DELAY frames.
import type { Buffer } from '../module.js';
import { cornerRest, REACH, step } from './blep.js';
import { clamp } from './level.js';
import { phaseBipolar } from './phase.js';

/** Frames by which an edge line holds a wave back. */
export const EDGE_DELAY = 3;

/** Puts a sample into `line` and takes out the one of EDGE_DELAY frames before, its edges added. */
export function throughEdges(line: Buffer, at: number, wave: number): number {
  const ready = line[at - EDGE_DELAY]!;
  line[at - EDGE_DELAY] = 0;
  line[at] = line[at]! + wave;
  return ready;
}

/**
 * The wave jumped by `height`, and its slope changed by `bend` per sample, `since` samples (0..1) before frame `at`.
 * To be called before the frame's `throughEdges`.
 */
export function addEdge(line: Buffer, at: number, since: number, height: number, bend: number): void {
  for (let i = 0; i < 2 * EDGE_DELAY; i++) {
    const x = (i - EDGE_DELAY + since) * (1 / REACH);
    const jump = step(clamp(x, -1, 1), 0.5) - (i < EDGE_DELAY ? -0.5 : 0.5);
    const corner = 0.5 * REACH * cornerRest(Math.min(Math.abs(x), 1));
    const near = at + i - EDGE_DELAY;
    line[near] = line[near]! + height * jump + bend * corner;
  }
}

/** Whether a phase passed 0 on its way from `begin` to `end`, less than half a cycle. */
export function passed(begin: number, end: number, cycles: number): boolean {
  return cycles < 0 ? begin >= 0 && end < 0 : begin < 0 && end >= 0;
}

/** Samples since a phase was at 0, now that it is a little past. */
export function samplesPast(phase: number, cycles: number): number {
  return clamp((0.5 * phaseBipolar(phase)) / cycles, 0, 1);
}
