// Scales, turns over and shifts a voltage.
import { cv, defineModule, ratio, volts } from '../src/module.js';

export const attenuverter = defineModule({
  type: 'attenuverter',
  summary: 'Scales a voltage, upside down if wanted, and shifts it. Unplugged, a constant voltage.',
  tags: ['utility'],
  inputs: { in: cv('What is scaled.') },
  outputs: { out: cv('in · amount + offset.') },
  params: {
    amount: ratio({ min: -1, default: 1, summary: 'Gain; below 0 turns over.' }),
    offset: volts({ min: -10, max: 10, default: 0, summary: 'Added.' }),
  },

  process({ input, param, output }) {
    output.out = input.in * param.amount + param.offset;
  },
});
