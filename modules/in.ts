// From the sound card: what its first two inputs bring, full scale at 10 V as at the output. Silent offline and without an input.
import { audio, decibels, defineModule, int } from '../src/module.js';
import { decibelGain } from '../src/dsp/level.js';

/** Frames in each side's ring. Before each block the engine puts that block's input into it, and says where: `block` is its first frame and its length. */
const RING_FRAMES = 2048;
const MASK = RING_FRAMES - 1;
const silence = new Array<number>(RING_FRAMES).fill(0);

export const input = defineModule({
  type: 'in',
  summary: 'What comes into the sound card; play with an input to hear it.',
  tags: ['input'],
  role: 'input',
  inputs: {},
  outputs: {
    left: audio('The first input.'),
    right: audio('The second, or the first when there is one.'),
  },
  params: { gain: decibels({ min: -60, max: 40, default: 0, summary: 'Silence at −60 dB.' }) },
  tables: { left: silence, right: silence, block: [0, 0] },
  state: { next: int(-1) },

  process({ param, state, output, table }) {
    const start = table.block[0]! | 0;
    const length = table.block[1]! | 0;
    // A module that is new, or was left out for a while, begins with the block.
    const isInBlock = state.next >= 0 && ((state.next - start) & MASK) < length;
    const at = isInBlock ? state.next : start;
    const gain = param.gain > -60 ? decibelGain(param.gain) : 0;
    output.left = gain * table.left[at]!;
    output.right = gain * table.right[at]!;
    state.next = (at + 1) & MASK;
  },
});
