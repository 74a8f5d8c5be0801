// Envelope of exponential segments, each placed by a phase: it begins and ends on its sample, however long, and ends exactly.
import { cv, defineModule, gate, int, ratio, seconds, trigger } from '../src/module.js';
import { floatBits, rarely } from '../src/dsp/bits.js';
import { power1000 } from '../src/dsp/curve.js';
import { schmitt } from '../src/dsp/gate.js';

/** How much of the 60 dB of `power1000` the attack uses. */
const ATTACK_BEND = 0.25;
/** So far below 2³¹ that `length` stays below it when a step is rounded up. */
const FULL_LENGTH = 2 ** 31 - 256;

export const adsr = defineModule({
  type: 'adsr',
  summary: 'Envelope: attack, decay, sustain, release.',
  tags: ['envelope', 'modulation'],
  inputs: {
    gate: gate('Attack and decay to `sustain` while high, release when low.'),
    retrigger: trigger('Starts the attack again while the gate is high.'),
  },
  outputs: { env: cv('0..10 V.') },
  params: {
    attack: seconds({ min: 0.0005, max: 30, default: 0.005, summary: 'Time to 10 V, from wherever the envelope stands.' }),
    decay: seconds({ min: 0.001, max: 30, default: 0.2, summary: 'Time from 10 V to `sustain`: the last 60 dB of an exponential.' }),
    sustain: ratio({ default: 0.7, summary: 'Level held while the gate stays high; 1 is 10 V.' }),
    release: seconds({ min: 0.001, max: 30, default: 0.3, summary: 'Time to 0 V, from wherever the envelope stands.' }),
  },
  state: {
    threshold: 1,
    gateHigh: false,
    retriggerHigh: false,
    attacking: false,
    env: 0,
    // The segment: `position` runs from −`length` · `step` to 0, the envelope from `from` to `target`.
    position: int(),
    step: int(),
    scale: 0,
    from: 0,
    target: 0,
    height: 0,
    settings: int(),
  },

  process({ input, param, state, output, sampleRate }) {
    const attackFrames = Math.round(param.attack * sampleRate) | 0;
    const decayFrames = Math.round(param.decay * sampleRate) | 0;
    const releaseFrames = Math.round(param.release * sampleRate) | 0;
    const settings = ((attackFrames * 31 + decayFrames) * 31 + releaseFrames) * 31 + floatBits(param.sustain);

    // A Schmitt trigger, like `schmitt`, whose threshold need not be found anew every sample.
    const gateHigh = input.gate >= state.threshold;
    const turned = gateHigh !== state.gateHigh;
    const retriggerHigh = schmitt(input.retrigger, state.retriggerHigh);
    const again = retriggerHigh && !state.retriggerHigh;
    state.retriggerHigh = retriggerHigh;
    const peaked = state.attacking && state.position >= 0;
    const moved = state.position + state.step;
    state.position = moved & (moved >> 31);

    if (rarely(turned || again || peaked || settings !== state.settings)) {
      const struck = gateHigh && (turned || again);
      const released = turned && !gateHigh;
      state.gateHigh = gateHigh;
      state.threshold = gateHigh ? 0.1 : 1;
      state.settings = settings;
      state.attacking = struck || (state.attacking && gateHigh && !peaked);
      const frames = state.attacking ? attackFrames : gateHigh ? decayFrames : releaseFrames;
      state.step = (FULL_LENGTH / frames) | 0;
      const length = state.step * frames;
      if (struck || released) {
        state.position = -length;
        state.from = state.env;
      } else if (peaked) {
        // The decay follows at once.
        state.position = state.step - length;
        state.from = state.env;
      }
      // A capacitor charging towards 12.2 V, then discharging by 60 dB.
      const bend = state.attacking ? ATTACK_BEND : 1;
      state.scale = -bend / length;
      state.target = state.attacking ? 10 : gateHigh ? 10 * param.sustain : 0;
      state.height = (state.from - state.target) / (power1000(bend) - 1);
    }
    state.env = state.target + state.height * (power1000(state.position * state.scale) - 1);
    output.env = state.env;
  },
});
