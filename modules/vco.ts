// Oscillator with band-limited edges (src/dsp/blep.ts), linear through-zero FM and band-limited hard sync.
import { audio, buffer, cents, cv, defineModule, hz, int, phase, ratio, voct } from '../src/module.js';
import { edgeSharpness, plainPulse, plainSaw, plainTriangle, pulseWave, sawWave, sineWave, triangleWave } from '../src/dsp/blep.js';
import { addEdge, passed, samplesPast, throughEdges } from '../src/dsp/edges.js';
import { clamp } from '../src/dsp/level.js';
import { HALF_CYCLE, phaseBipolar, QUARTER_CYCLE, toPhase, toPhaseSlow } from '../src/dsp/phase.js';
import { octaveRatio } from '../src/dsp/pitch.js';

/** Cycles per sample below which edges are sharp enough. */
const SLOWEST = 1e-7;

export const vco = defineModule({
  type: 'vco',
  summary: 'Oscillator: sine, triangle, saw and pulse at once, with FM, pulse width modulation and hard sync.',
  tags: ['oscillator'],
  inputs: {
    pitch: voct('Raises the frequency by an octave per volt; 0 V plays `freq`.'),
    fm: audio('Linear FM through zero: at `fmAmount` 1, each volt adds the frequency itself.'),
    pwm: cv('Widens the pulse by a tenth of the cycle per volt.'),
    sync: audio('Restarts the cycle where this rises through 0 V. The outputs then lag by 3 samples.'),
  },
  outputs: {
    sine: audio('±5 V.'),
    triangle: audio('±5 V.'),
    saw: audio('±5 V, rising.'),
    pulse: audio('±5 V, high for the pulse width.'),
  },
  params: {
    freq: hz({ min: 1, max: 20_000, default: 261.6256, summary: 'Frequency at 0 V.' }),
    fine: cents({ min: -100, max: 100, default: 0, summary: 'Fine tuning.' }),
    fmAmount: ratio({ min: -1, default: 0, summary: 'Depth of `fm`.' }),
    pulseWidth: ratio({ min: 0.01, max: 0.99, default: 0.5, summary: 'Part of the cycle in which the pulse is high.' }),
  },
  // The saw's edge is at phase 0, so all waves begin half a cycle after it: at 0 V and rising.
  state: {
    phase: phase(0.5),
    syncBefore: 0,
    frame: int(),
    sineLine: buffer({ length: 8 }),
    triangleLine: buffer({ length: 8 }),
    sawLine: buffer({ length: 8 }),
    pulseLine: buffer({ length: 8 }),
  },

  process({ input, plugged, param, state, output, sampleRate }) {
    const tuned = (param.freq / sampleRate) * 2 ** (param.fine * (1 / 1200));
    const pitched = tuned * octaveRatio(clamp(input.pitch, -20, 20));
    const cycles = pitched * (1 + param.fmAmount * input.fm);
    const sharp = edgeSharpness(plugged.fm ? Math.max(Math.abs(cycles), SLOWEST) : cycles);
    const width = clamp(param.pulseWidth + input.pwm * 0.1, 0.01, 0.99);
    const before = state.phase;
    state.phase += plugged.fm ? toPhase(cycles) : toPhaseSlow(cycles);

    if (plugged.sync) {
      // Where the wave was when sync came, or is now; how long ago that was.
      const synced = state.syncBefore <= 0 && input.sync > 0;
      const since = synced ? input.sync / (input.sync - state.syncBefore) : 0;
      const from = before + toPhase(cycles * (1 - since));
      state.syncBefore = input.sync;
      state.phase = synced ? HALF_CYCLE + toPhase(cycles * since) : from;
      state.frame++;
      const at = state.frame;

      // The edges that each wave has passed by itself, then the one that sync makes. At its start it is at 0 V, rising.
      const slope = cycles * 20;
      const sineSlope = cycles * (2 * Math.PI);
      if (synced) addEdge(state.sineLine, at, since, -sineWave(from), sineSlope * (5 - sineWave(from + QUARTER_CYCLE)));

      const falling = Math.abs(phaseBipolar(from)) < 0.5;
      const peak = passed(before + QUARTER_CYCLE, from + QUARTER_CYCLE, cycles);
      const trough = passed(before - QUARTER_CYCLE, from - QUARTER_CYCLE, cycles);
      const past = samplesPast(peak ? from + QUARTER_CYCLE : from - QUARTER_CYCLE, cycles);
      const bend = Math.abs(slope) * (peak ? -2 : 2);
      if (peak || trough) addEdge(state.triangleLine, at, since + past, 0, bend);
      if (synced) addEdge(state.triangleLine, at, since, -plainTriangle(from), falling ? 2 * slope : 0);

      const height = cycles < 0 ? -10 : 10;
      if (passed(before, from, cycles)) addEdge(state.sawLine, at, since + samplesPast(from, cycles), -height, 0);
      if (synced) addEdge(state.sawLine, at, since, -plainSaw(from), 0);

      const rise = HALF_CYCLE;
      const fall = HALF_CYCLE - toPhase(width);
      if (passed(before + rise, from + rise, cycles)) addEdge(state.pulseLine, at, since + samplesPast(from + rise, cycles), height, 0);
      if (passed(before + fall, from + fall, cycles)) addEdge(state.pulseLine, at, since + samplesPast(from + fall, cycles), -height, 0);
      if (synced) addEdge(state.pulseLine, at, since, 5 - plainPulse(from, width), 0);

      output.sine = throughEdges(state.sineLine, at, sineWave(state.phase));
      output.triangle = throughEdges(state.triangleLine, at, plainTriangle(state.phase));
      output.saw = throughEdges(state.sawLine, at, plainSaw(state.phase));
      output.pulse = throughEdges(state.pulseLine, at, plainPulse(state.phase, width));
    } else {
      output.sine = sineWave(state.phase);
      output.triangle = triangleWave(state.phase, sharp);
      output.saw = sawWave(state.phase, sharp);
      output.pulse = pulseWave(state.phase, width, sharp);
    }
  },
});
