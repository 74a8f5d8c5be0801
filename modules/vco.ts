// Oscillator with band-limited edges (src/dsp/blep.ts), linear through-zero FM and band-limited hard sync.
import { audio, buffer, cents, cv, defineModule, hz, int, phase, ratio, voct } from '../src/module.js';
import { edgeSharpness, jumpingWave, pulseWave, sawWave, sineWave, SLOPE_SPAN, triangleWave } from '../src/dsp/blep.js';
import { clamp } from '../src/dsp/level.js';
import { HALF_CYCLE, toPhase, toPhaseSlow } from '../src/dsp/phase.js';
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
      const jumped = state.syncBefore <= 0 && input.sync > 0;
      const since = jumped ? input.sync / (input.sync - state.syncBefore) : 0;
      state.syncBefore = input.sync;
      // The phases just before and just after the jump, and a little further off for the slopes there.
      const nudge = toPhase(cycles * SLOPE_SPAN);
      const from = before + toPhase(cycles * (1 - since));
      const past = from - nudge;
      const to = HALF_CYCLE;
      const next = to + nudge;
      if (jumped) state.phase = to + toPhase(cycles * since);
      const now = state.phase;
      const at = state.frame;
      state.frame++;

      output.sine = jumpingWave(
        state.sineLine,
        at,
        jumped,
        since,
        sineWave(now),
        sineWave(past),
        sineWave(from),
        sineWave(to),
        sineWave(next),
      );
      output.triangle = jumpingWave(
        state.triangleLine,
        at,
        jumped,
        since,
        triangleWave(now, sharp),
        triangleWave(past, sharp),
        triangleWave(from, sharp),
        triangleWave(to, sharp),
        triangleWave(next, sharp),
      );
      output.saw = jumpingWave(
        state.sawLine,
        at,
        jumped,
        since,
        sawWave(now, sharp),
        sawWave(past, sharp),
        sawWave(from, sharp),
        sawWave(to, sharp),
        sawWave(next, sharp),
      );
      output.pulse = jumpingWave(
        state.pulseLine,
        at,
        jumped,
        since,
        pulseWave(now, width, sharp),
        pulseWave(past, width, sharp),
        pulseWave(from, width, sharp),
        pulseWave(to, width, sharp),
        pulseWave(next, width, sharp),
      );
    } else {
      output.sine = sineWave(state.phase);
      output.triangle = triangleWave(state.phase, sharp);
      output.saw = sawWave(state.phase, sharp);
      output.pulse = pulseWave(state.phase, width, sharp);
    }
  },
});
