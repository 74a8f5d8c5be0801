// A pad with two axes, as on a touch screen.
import { cv, defineModule, ratio, seconds, toggle } from '../src/module.js';
import { flush } from '../src/dsp/level.js';
import { glideFactor } from '../src/dsp/onepole.js';

export const xy = defineModule({
  type: 'xy',
  summary: 'Two voltages set by a finger on a pad, or by OSC.',
  tags: ['control'],
  inputs: {},
  outputs: { x: cv('0..10 V, or ±5 V.'), y: cv('0..10 V, or ±5 V.') },
  params: {
    x: ratio({ default: 0.5, ramp: 0, summary: 'From left to right.' }),
    y: ratio({ default: 0.5, ramp: 0, summary: 'From bottom to top.' }),
    bipolar: toggle({ default: false, summary: 'Whether the middle is 0 V.' }),
    smooth: seconds({ min: 0, max: 10, default: 0.01, ramp: 0, summary: 'Time to 63 % of a change; at 0 it jumps.' }),
  },
  events: { xy: { kind: 'set', params: ['x', 'y'], summary: 'Both axes at one moment.' } },
  state: { x: 0, y: 0, behindX: 0, behindY: 0, fresh: true },

  process({ param, state, output, sampleRate }) {
    const middle = param.bipolar ? 0.5 : 0;
    const x = (param.x - middle) * 10;
    const y = (param.y - middle) * 10;
    const factor = glideFactor(param.smooth, sampleRate);
    // As in modules/value.ts.
    state.behindX = state.fresh ? 0 : flush((state.behindX + (state.x - x)) * factor);
    state.behindY = state.fresh ? 0 : flush((state.behindY + (state.y - y)) * factor);
    state.x = x;
    state.y = y;
    state.fresh = false;
    output.x = x + state.behindX;
    output.y = y + state.behindY;
  },
});
