// Eight inputs, one sum.
import { audio, defineModule, ratio } from '../src/module.js';

const channel = (n: number) => audio(`Channel ${n}.`);
const level = (n: number) => ratio({ default: 1, summary: `Gain of channel ${n}.` });

export const mixer = defineModule({
  type: 'mixer',
  summary: 'Adds up to eight signals, each with its level.',
  tags: ['mixer'],
  inputs: {
    in1: channel(1),
    in2: channel(2),
    in3: channel(3),
    in4: channel(4),
    in5: channel(5),
    in6: channel(6),
    in7: channel(7),
    in8: channel(8),
  },
  outputs: { out: audio('The sum.') },
  params: {
    level1: level(1),
    level2: level(2),
    level3: level(3),
    level4: level(4),
    level5: level(5),
    level6: level(6),
    level7: level(7),
    level8: level(8),
  },

  process({ input, param, output }) {
    output.out =
      input.in1 * param.level1 +
      input.in2 * param.level2 +
      input.in3 * param.level3 +
      input.in4 * param.level4 +
      input.in5 * param.level5 +
      input.in6 * param.level6 +
      input.in7 * param.level7 +
      input.in8 * param.level8;
  },
});
