// Stereo delay with a low-pass in its feedback.
import { audio, buffer, defineModule, hz, int, ratio, seconds, voct } from '../src/module.js';
import { readCubic } from '../src/dsp/delayline.js';
import { clamp, flush, lerp } from '../src/dsp/level.js';
import { glideCoefficient, lowpassCoefficient } from '../src/dsp/onepole.js';
import { softClip } from '../src/dsp/saturate.js';

const MAX_TIME_S = 10;
/** Above this, `tone` is out of the way. */
const TONE_OPEN_HZ = 20_000;
/** How soon the time follows its input: too soon for a slide between notes, not so soon that it clicks. */
const GLIDE_S = 0.002;
/** Feedback is a straight line below the first of these volts and stays below the second. */
const FEEDBACK_KNEE_V = 10;
const FEEDBACK_CEILING_V = 20;

export const delay = defineModule({
  type: 'delay',
  summary: 'Stereo delay up to 10 s, in tune down to one sample.',
  tags: ['effect', 'delay'],
  inputs: {
    left: audio('Left, or both when `right` is unplugged.'),
    right: audio('Right.'),
    time: voct('Halves the time per volt, so that a tuned delay follows a pitch.'),
  },
  outputs: {
    left: audio('Dry and delayed left.'),
    right: audio('Dry and delayed right.'),
  },
  params: {
    time: seconds({
      min: 0.0001,
      max: MAX_TIME_S,
      default: 0.35,
      ramp: 0.1,
      summary: 'Delay at 0 V. A change bends the pitch for a tenth of a second.',
    }),
    feedback: ratio({ default: 0.4, summary: 'How much of the delayed sound is delayed again; at 1 it stays.' }),
    tone: hz({ min: 100, max: TONE_OPEN_HZ, default: 8_000, summary: 'Low-pass in the feedback; none at 20 kHz.' }),
    mix: ratio({ default: 0.35, summary: '0 is dry, 1 is delayed only.' }),
  },
  state: {
    leftLine: buffer({ seconds: MAX_TIME_S }),
    rightLine: buffer({ seconds: MAX_TIME_S }),
    at: int(),
    octaves: 0,
    leftTone: 0,
    rightTone: 0,
  },

  process({ input, plugged, param, state, output, sampleRate }) {
    state.octaves = flush(state.octaves + glideCoefficient(GLIDE_S, sampleRate) * (input.time - state.octaves));
    const octaves = plugged.time ? state.octaves : 0;
    const frames = clamp(param.time * sampleRate * 2 ** -octaves, 1, MAX_TIME_S * sampleRate);

    const left = input.left;
    const right = plugged.right ? input.right : input.left;
    state.leftLine[state.at] = left;
    state.rightLine[state.at] = right;
    const wetLeft = readCubic(state.leftLine, state.at, frames);
    const wetRight = readCubic(state.rightLine, state.at, frames);

    const brightness = lowpassCoefficient(param.tone, sampleRate) / lowpassCoefficient(TONE_OPEN_HZ, sampleRate);
    state.leftTone = flush(lerp(state.leftTone, wetLeft, brightness));
    state.rightTone = flush(lerp(state.rightTone, wetRight, brightness));
    state.leftLine[state.at] = softClip(left + param.feedback * state.leftTone, FEEDBACK_KNEE_V, FEEDBACK_CEILING_V);
    state.rightLine[state.at] = softClip(right + param.feedback * state.rightTone, FEEDBACK_KNEE_V, FEEDBACK_CEILING_V);
    state.at++;

    output.left = lerp(left, wetLeft, param.mix);
    output.right = lerp(right, wetRight, param.mix);
  },
});
