// Amplifier under voltage control.
import { audio, choice, cv, defineModule, ratio } from '../src/module.js';
import { exponential60 } from '../src/dsp/curve.js';
import { clamp } from '../src/dsp/level.js';

export const vca = defineModule({
  type: 'vca',
  summary: 'Amplifier: what comes in, as loud as `cv` says.',
  tags: ['amplifier'],
  inputs: {
    in: audio('What is amplified.'),
    cv: cv('0 V is silence, 10 V full level.', { unplugged: 10 }),
  },
  outputs: { out: audio('`in` · level · response of `cv`.') },
  params: {
    level: ratio({ default: 1, summary: 'Gain at 10 V.' }),
    response: choice(['linear', 'exponential'], {
      default: 'linear',
      summary: 'Exponential: 60 dB over 0..10 V, with silence at 0 V.',
    }),
  },

  process({ input, param, output }) {
    const volts = clamp(input.cv, 0, 10);
    const gain = param.response === 'exponential' ? exponential60(volts * 0.1) * param.level : volts * (0.1 * param.level);
    output.out = input.in * gain;
  },
});
