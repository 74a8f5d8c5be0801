// Low-frequency oscillator: slow enough to need no band-limiting.
import { cv, defineModule, hz, phase, ratio, trigger, voct } from '../src/module.js';
import { schmitt } from '../src/dsp/gate.js';
import { clamp } from '../src/dsp/level.js';
import { HALF_CYCLE, phaseBipolar, toPhase, toPhaseSlow } from '../src/dsp/phase.js';
import { octaveRatio } from '../src/dsp/pitch.js';
import { sine, triangle } from '../src/dsp/wave.js';

export const lfo = defineModule({
  type: 'lfo',
  summary: 'Low-frequency oscillator: sine, triangle, saw and pulse at once.',
  tags: ['lfo', 'modulation'],
  inputs: {
    rate: voct('Raises the rate by an octave per volt.'),
    reset: trigger('Starts the cycle again, at `phase`.'),
  },
  outputs: {
    sine: cv('±5 V.'),
    triangle: cv('±5 V.'),
    saw: cv('±5 V, rising.'),
    pulse: cv('±5 V, high for the first half of the cycle.'),
  },
  params: {
    rate: hz({ min: 0.001, max: 200, default: 2, summary: 'Cycles per second at 0 V.' }),
    phase: ratio({ summary: 'Where in the cycle the waves stand when it starts.' }),
  },
  state: { phase: phase(), resetHigh: false },

  process({ input, param, state, output, sampleRate }) {
    const cycles = (param.rate / sampleRate) * octaveRatio(clamp(input.rate, -20, 20));
    const resetHigh = schmitt(input.reset, state.resetHigh);
    state.phase = resetHigh && !state.resetHigh ? 0 : state.phase + toPhaseSlow(cycles);
    state.resetHigh = resetHigh;
    const moved = state.phase + toPhase(param.phase);
    output.sine = 5 * sine(phaseBipolar(moved));
    output.triangle = triangle(moved, 5);
    output.saw = 5 * phaseBipolar(moved + HALF_CYCLE);
    output.pulse = moved < 0 ? -5 : 5;
  },
});
