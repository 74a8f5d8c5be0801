// A gate to be switched by hand.
import { defineModule, gate as gateOutput, toggle } from '../src/module.js';

export const gate = defineModule({
  type: 'gate',
  summary: 'A gate switched by hand or by OSC.',
  tags: ['control'],
  inputs: {},
  outputs: { out: gateOutput('High while `gate` is on.') },
  params: { gate: toggle({ default: false, summary: 'On or off.' }) },

  process({ param, output }) {
    output.out = param.gate ? 10 : 0;
  },
});
