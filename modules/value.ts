// A voltage set by hand, smoothed.
import { cv, defineModule, seconds, volts } from '../src/module.js';
import { flush } from '../src/dsp/level.js';
import { glideFactor } from '../src/dsp/onepole.js';

export const value = defineModule({
  type: 'value',
  summary: 'A voltage set by hand or by OSC.',
  tags: ['control'],
  inputs: {},
  outputs: { out: cv('`value`, smoothed.') },
  params: {
    value: volts({ min: -10, max: 10, default: 0, ramp: 0, summary: 'The voltage.' }),
    smooth: seconds({ min: 0, max: 10, default: 0.005, ramp: 0, summary: 'Time to 63 % of a change; at 0 it jumps.' }),
  },
  state: { value: 0, behind: 0, fresh: true },

  process({ param, state, output, sampleRate }) {
    // What decays is how far the output is behind: so it arrives at the value exactly, however slowly.
    const behind = state.fresh ? 0 : state.behind + (state.value - param.value);
    state.behind = flush(behind * glideFactor(param.smooth, sampleRate));
    state.value = param.value;
    state.fresh = false;
    output.out = param.value + state.behind;
  },
});
