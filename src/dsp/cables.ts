// What the engine puts before an input that takes several cables, or one whose gain is not 1 or is fading.
import { audio, defineModule, number } from '../module.js';

/** Cables one of these adds up; more are chained through in1. */
export const CABLES_INPUTS = 8;

const gain = () => number('ratio', { min: -1000, max: 1000, default: 1 });

export const cables = defineModule({
  type: 'cables',
  summary: 'Adds cables, each times its gain. Made by the engine, not for patches.',
  tags: [],
  inputs: { in1: audio(), in2: audio(), in3: audio(), in4: audio(), in5: audio(), in6: audio(), in7: audio(), in8: audio() },
  outputs: { out: audio() },
  params: { gain1: gain(), gain2: gain(), gain3: gain(), gain4: gain(), gain5: gain(), gain6: gain(), gain7: gain(), gain8: gain() },

  // ── real time: one sample of one voice ──
  process({ input, param, output }) {
    let sum = input.in1 * param.gain1;
    sum += input.in2 * param.gain2;
    sum += input.in3 * param.gain3;
    sum += input.in4 * param.gain4;
    sum += input.in5 * param.gain5;
    sum += input.in6 * param.gain6;
    sum += input.in7 * param.gain7;
    sum += input.in8 * param.gain8;
    output.out = sum;
  },
});
