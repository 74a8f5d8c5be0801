// Low-frequency oscillator: slow enough to need no band-limiting.
import { cv, defineModule, hz, int, phase, ratio, trigger, voct } from '../src/module.js';
import { schmitt } from '../src/dsp/gate.js';
import { clamp } from '../src/dsp/level.js';
import { HALF_CYCLE, phaseBipolar, toPhase } from '../src/dsp/phase.js';
import { octaveRatio } from '../src/dsp/pitch.js';
import { sine, triangle } from '../src/dsp/wave.js';

const CYCLE = 2 ** 32;
const FRACTION_BITS = 20;
const FRACTION = 2 ** FRACTION_BITS;

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
  // A slow cycle is a tiny step of the phase: `fraction` counts what is less than one.
  state: { phase: phase(), fraction: int(), resetHigh: false },

  process({ input, param, state, output, sampleRate }) {
    const steps = (param.rate / sampleRate) * CYCLE * octaveRatio(clamp(input.rate, -20, 20));
    const whole = steps | 0;
    const fraction = state.fraction + (((steps - whole) * FRACTION) | 0);
    const resetHigh = schmitt(input.reset, state.resetHigh);
    state.phase = resetHigh && !state.resetHigh ? 0 : state.phase + whole + (fraction >> FRACTION_BITS);
    state.fraction = fraction & (FRACTION - 1);
    state.resetHigh = resetHigh;
    const moved = state.phase + toPhase(param.phase);
    output.sine = 5 * sine(phaseBipolar(moved));
    output.triangle = triangle(moved, 5);
    output.saw = 5 * phaseBipolar(moved + HALF_CYCLE);
    output.pulse = moved < 0 ? -5 : 5;
  },
});
