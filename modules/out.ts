// The way out: to the engine's main bus, 10 V = 0 dBFS. Nothing louder and nothing that is not a number gets past.
import { audio, decibels, defineModule, toggle } from '../src/module.js';
import { clamp, decibelGain, finite, flush } from '../src/dsp/level.js';
import { glideCoefficient, lowpassCoefficient } from '../src/dsp/onepole.js';
import { softClip } from '../src/dsp/saturate.js';

/** 0 dBFS, and where the limiter begins, 1 dB below. */
const FULL_V = 10;
const KNEE_V = 8.9125;
/** The limiter turns down at once and comes back in this time. */
const RELEASE_S = 0.2;
/** A constant voltage is of no use to a loudspeaker: it is taken out below this. */
const DC_CORNER_HZ = 2;
/** What no patch means: 60 dB too loud. */
const ABSURD_V = 1e4;

export const out = defineModule({
  type: 'out',
  summary: 'To the speakers. Voices are summed; 10 V is full scale.',
  tags: ['output'],
  role: 'output',
  inputs: {
    left: audio('Left, or both when `right` is unplugged.'),
    right: audio('Right.'),
  },
  outputs: {
    left: audio('What the engine plays.'),
    right: audio('What the engine plays.'),
  },
  params: {
    level: decibels({ min: -60, max: 12, default: 0, summary: 'Gain; silence at −60 dB.' }),
    limiter: toggle({ default: true, summary: 'Keeps peaks below 0 dBFS; leaves alone what is below −1 dBFS.' }),
  },
  state: { leftDc: 0, rightDc: 0, peak: 0 },

  process({ input, plugged, param, state, output, sampleRate }) {
    const gain = param.level > -60 ? decibelGain(param.level) : 0;
    const leftIn = gain * finite(input.left, ABSURD_V);
    const rightIn = gain * finite(plugged.right ? input.right : input.left, ABSURD_V);

    const dc = lowpassCoefficient(DC_CORNER_HZ, sampleRate);
    state.leftDc = flush(state.leftDc + dc * (leftIn - state.leftDc));
    state.rightDc = flush(state.rightDc + dc * (rightIn - state.rightDc));
    const left = leftIn - state.leftDc;
    const right = rightIn - state.rightDc;

    const now = Math.max(Math.abs(left), Math.abs(right));
    const falling = state.peak - glideCoefficient(RELEASE_S, sampleRate) * state.peak;
    state.peak = flush(Math.max(now, falling));
    const held = Math.max(state.peak, KNEE_V);
    const turnedDown = param.limiter ? softClip(held, KNEE_V, FULL_V) / held : 1;
    // The last bits of a product may pass the limit that its factors keep.
    const limit = param.limiter ? FULL_V : ABSURD_V;
    output.left = clamp(left * turnedDown, -limit, limit);
    output.right = clamp(right * turnedDown, -limit, limit);
  },
});
