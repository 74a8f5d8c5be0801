// State-variable filter, 12 dB/oct: trapezoidal integrators solved without delay.
// Simper, "Linear Trapezoidal Integrated State Variable Filter" (Cytomic, 2013); Zavalishin, "The Art of VA Filter Design", 4.
//
// With g = tan(w/2) the solution divides by 1 + g(g + k). Times cos²(w/2) that is 1 + k · sin(w/2) cos(w/2), and g leaves the
// formulas: no tangent, no pole at half the sample rate, and small coefficients keep their precision at low cutoffs.
import { audio, cv, decibels, defineModule, hz, ratio, voct } from '../src/module.js';
import { clamp, decibelGain } from '../src/dsp/level.js';
import { octaveRatio } from '../src/dsp/pitch.js';

/** Below 0 at resonance 1: the filter whistles by itself. */
const LEAST_DAMPING = -0.004;
/** Damping per squared volt, as of the diodes in analogue filters: what limits the whistle. */
const LOSS_PER_V2 = 1e-4;
/** log₂ of twice the highest cutoff, 0.475 of the sample rate: a little more and the sine below would pass 1. */
const MAX_OCTAVES = Math.log2(0.95);
/**
 * Volts of a tone at half the sample rate that is added to what the integrators see. It is far below hearing and its outputs are nearly nothing,
 * but the integrators never decay into denormal numbers.
 */
const WHISPER_V = 1e-12;
/** Where the saturation has flattened at full drive, in volts. */
const KNEE_V = 11.25;

export const vcf = defineModule({
  type: 'vcf',
  summary: 'State-variable filter with simultaneous low, band, high and notch outputs.',
  tags: ['filter'],
  inputs: {
    in: audio('What is filtered.'),
    cutoff: voct('Raises the cutoff by an octave per volt.'),
    resonance: cv('Raises the resonance by a tenth per volt.'),
  },
  outputs: {
    low: audio('12 dB/oct above the cutoff.'),
    band: audio('6 dB/oct on both sides; at the cutoff, Q times the input.'),
    high: audio('12 dB/oct below the cutoff.'),
    notch: audio('All but the cutoff.'),
  },
  params: {
    cutoff: hz({ min: 20, max: 20_000, default: 1_000, summary: 'Cutoff at 0 V; where it resonates.' }),
    resonance: ratio({ default: 0.2, summary: 'Q is 1 / (2 − 2 · resonance); near 1 the filter whistles by itself.' }),
    drive: decibels({ min: 0, max: 36, default: 0, summary: 'Gain into a soft saturation; 0 dB is clean.' }),
  },
  // The two integrators. The damping lags two samples behind the level it follows: it is in no hurry, and a processor need not
  // wait for it.
  state: { band: 0, low: 0, loss1: 0, loss2: 0, whisper: WHISPER_V },

  process({ input, param, state, output, sampleRate }) {
    // From log₂, so that a modulated cutoff costs one exponential. The sine is right within 0.03 cents to 17 kHz, 1.5 at 23 kHz.
    const octaves = Math.log2((2 / sampleRate) * param.cutoff) + input.cutoff;
    const halfTurns = octaveRatio(clamp(octaves, -20, MAX_OCTAVES)); // w / π
    const h2 = halfTurns * halfTurns;
    const sine = halfTurns * (1.57077185 + h2 * (-0.645181924 + h2 * 0.0758814024)); // sin(w/2)
    const sine2 = sine * sine;
    const sineCosine = Math.sqrt(sine2 - sine2 * sine2);

    const resonance = clamp(param.resonance + input.resonance * 0.1, 0, 1);
    const damping = 2 + (LEAST_DAMPING - 2) * resonance + state.loss2;
    const scale = 2 / (1 + damping * sineCosine);
    const a = sineCosine * scale;
    const b = sine2 * scale;

    const x = param.drive > 0 ? driven(input.in, param.drive) : input.in;
    const across = x - state.low + state.whisper;
    const bandNext = state.band + (a * across - (b + damping * a) * state.band);
    const lowNext = state.low + (a * state.band + b * across);
    output.band = 0.5 * (state.band + bandNext);
    output.low = 0.5 * (state.low + lowNext);
    output.notch = x - damping * output.band;
    output.high = output.notch - output.low;

    state.loss2 = state.loss1;
    state.loss1 = LOSS_PER_V2 * (state.band * state.band);
    state.band = bandNext;
    state.low = lowNext;
    state.whisper = -state.whisper;
  },
});

/** x − x³ up to where that is level, then flat. The cubic comes in with the gain, so that little drive bends little. */
function driven(volts: number, driveDb: number): number {
  const gain = decibelGain(driveDb);
  const cubic = Math.max(1 - 1 / gain, 1e-6) * (1 / (3 * KNEE_V ** 2));
  const limit = Math.sqrt(1 / (3 * cubic)) / gain;
  const x = clamp(volts, -limit, limit);
  return x * (gain - cubic * gain ** 3 * (x * x));
}
