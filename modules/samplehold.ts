// Takes a voltage at each trigger and holds it until the next.
import { cv, defineModule, trigger } from '../src/module.js';
import { schmitt } from '../src/dsp/gate.js';

export const samplehold = defineModule({
  type: 'samplehold',
  summary: 'Sample and hold. With nothing plugged into `in`, random voltages.',
  tags: ['utility', 'random'],
  inputs: {
    in: cv('What is sampled; white noise, ±5 V, when unplugged.'),
    trigger: trigger('Samples on its rising edge.'),
  },
  outputs: { out: cv('The voltage held.') },
  params: {},
  state: { triggerHigh: false, held: 0 },

  process({ input, plugged, state, output }) {
    const source = plugged.in ? input.in : Math.random() * 10 - 5;
    const triggerHigh = schmitt(input.trigger, state.triggerHigh);
    if (triggerHigh && !state.triggerHigh) state.held = source;
    state.triggerHigh = triggerHigh;
    output.out = state.held;
  },
});
