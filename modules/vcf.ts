// State-variable filter, 12 dB/oct: trapezoidal integrators solved without delay.
// Simper, "Linear Trapezoidal Integrated State Variable Filter" (Cytomic, 2013); Zavalishin, "The Art of VA Filter Design", 4.
//
// With g = tan(w/2) the solution divides by 1 + g(g + k). Times cos²(w/2) that is 1 + k/2 · sin w, and g leaves the formulas:
// no tangent, no pole at half the sample rate, and small coefficients keep their precision at low cutoffs.
import { audio, cv, decibels, defineModule, hz, ratio, voct } from '../src/module.js';
import { clamp, decibelGain } from '../src/dsp/level.js';
import { exp2Within } from '../src/dsp/math.js';

/** A little more than the resonance that would just sustain itself. */
const WHISTLE = 1.005;
/** Damping per squared volt, as of the diodes in analogue filters: what limits the whistle. */
const LOSS_PER_V2 = 1e-4;
/** log₂ of twice the highest cutoff, 0.49 of the sample rate. */
const MAX_OCTAVES = Math.log2(0.98);
/** Keeps decaying integrators at multiples of its last bit, out of the denormal numbers. */
const BIAS = 1e-9;
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
    band: audio('6 dB/oct on both sides; as loud as the resonance at the cutoff.'),
    high: audio('12 dB/oct below the cutoff.'),
    notch: audio('All but the cutoff.'),
  },
  params: {
    cutoff: hz({ min: 20, max: 20_000, default: 1_000, summary: 'Cutoff at 0 V; where it resonates.' }),
    resonance: ratio({ default: 0.2, summary: 'Q is 1 / (2 − 2 · resonance) until near 1, where it whistles by itself.' }),
    drive: decibels({ min: 0, max: 36, default: 0, summary: 'Gain into a soft saturation; 0 dB is clean.' }),
  },
  // Of the two integrators, with BIAS added; and the damping that the level of the first adds.
  state: { band: BIAS, low: BIAS, loss: 0 },

  process({ input, param, state, output, sampleRate }) {
    // w = 2π · cutoff / sampleRate, from log₂ so that a modulated cutoff costs one exp2.
    const octaves = Math.log2((2 / sampleRate) * param.cutoff) + input.cutoff;
    const halfTurns = exp2Within(clamp(octaves, -20, MAX_OCTAVES));
    const h2 = halfTurns * halfTurns;
    const root = halfTurns * (2.221439385 + h2 * (-0.913470222 + h2 * (0.1124125512 - h2 * 0.00616948032))); // √2 · sin(w/2)
    const versine = root * root; // 1 − cos w
    const sine = Math.sqrt(versine * (2 - versine)); // sin w
    const damping = 1 - WHISTLE * clamp(param.resonance + input.resonance * 0.1, 0, 1) + state.loss;

    const scale = 1 / (1 + damping * sine);
    const a = sine * scale;
    const b = versine * scale;

    const band = state.band - BIAS;
    const low = state.low - BIAS;
    const x = driven(input.in, param.drive);
    const across = x - low;
    const bandNext = state.band + (a * across - (b + 2 * damping * a) * band);
    const lowNext = state.low + (a * band + b * across);
    output.band = 0.5 * (band + (bandNext - BIAS));
    output.low = 0.5 * (low + (lowNext - BIAS));
    output.notch = x - 2 * damping * output.band;
    output.high = output.notch - output.low;
    state.band = bandNext;
    state.low = lowNext;
    state.loss = LOSS_PER_V2 * (band * band);
  },
});

/** x − x³ up to where that is level, then flat. The cubic comes in with the gain, so that 0 dB is a straight line. */
function driven(volts: number, driveDb: number): number {
  const gain = decibelGain(driveDb);
  const cubic = Math.max(1 - 1 / gain, 1e-9) / (3 * KNEE_V ** 2);
  const limit = Math.sqrt(1 / (3 * cubic)) / gain;
  const x = clamp(volts, -limit, limit);
  return x * (gain - cubic * gain ** 3 * (x * x));
}
