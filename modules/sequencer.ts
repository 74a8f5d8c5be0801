// Step sequencer: up to sixteen pitches, each with or without a gate.
import { defineModule, gate, int, integer, ratio, toggle, trigger, voct, volts } from '../src/module.js';
import { pick } from '../src/dsp/bits.js';
import { schmitt } from '../src/dsp/gate.js';

const pitch = (n: number) => volts({ min: -10, max: 10, default: 0, ramp: 0, summary: `Pitch of step ${n}.` });
const plays = (n: number) => toggle({ default: true, summary: `Whether step ${n} has a gate.` });

/** A reset this soon after a clock means the same moment, as when both come from one source by different ways. */
const SAME_MOMENT_S = 0.001;
/** A count that stays: longer than any period that is measured. */
const LONG = 1 << 30;

export const sequencer = defineModule({
  type: 'sequencer',
  summary: 'Plays up to sixteen pitches and gates, one per clock.',
  tags: ['sequencer'],
  inputs: {
    clock: trigger('Goes to the next step; the first one after a reset plays step 1.'),
    reset: trigger('The next clock plays step 1.'),
  },
  outputs: {
    pitch: voct('Of the step that plays.'),
    gate: gate('High for `gateLength` of the time between clocks; until two clocks have come, as long as the clock is high.'),
  },
  params: {
    length: integer({ min: 1, max: 16, default: 16, summary: 'Steps played.' }),
    gateLength: ratio({ default: 0.5, summary: 'Part of a step that its gate lasts; at 1, gates join.' }),
    step1: pitch(1),
    step2: pitch(2),
    step3: pitch(3),
    step4: pitch(4),
    step5: pitch(5),
    step6: pitch(6),
    step7: pitch(7),
    step8: pitch(8),
    step9: pitch(9),
    step10: pitch(10),
    step11: pitch(11),
    step12: pitch(12),
    step13: pitch(13),
    step14: pitch(14),
    step15: pitch(15),
    step16: pitch(16),
    gate1: plays(1),
    gate2: plays(2),
    gate3: plays(3),
    gate4: plays(4),
    gate5: plays(5),
    gate6: plays(6),
    gate7: plays(7),
    gate8: plays(8),
    gate9: plays(9),
    gate10: plays(10),
    gate11: plays(11),
    gate12: plays(12),
    gate13: plays(13),
    gate14: plays(14),
    gate15: plays(15),
    gate16: plays(16),
  },
  state: { clockHigh: false, resetHigh: false, fresh: true, step: int(), sinceClock: int(LONG), period: int() },

  process({ input, param, state, output, sampleRate }) {
    const clockHigh = schmitt(input.clock, state.clockHigh);
    const resetHigh = schmitt(input.reset, state.resetHigh);
    const ticks = clockHigh && !state.clockHigh;
    const resets = resetHigh && !state.resetHigh;
    state.clockHigh = clockHigh;
    state.resetHigh = resetHigh;

    const sinceClock = Math.min(state.sinceClock + 1, LONG);
    if (resets) {
      const late = sinceClock < SAME_MOMENT_S * sampleRate;
      state.step = late ? 0 : state.step;
      state.fresh = !late;
    }
    if (ticks) {
      state.step = state.fresh || state.step + 1 >= param.length ? 0 : state.step + 1;
      state.period = state.fresh || sinceClock === LONG ? 0 : sinceClock;
      state.fresh = false;
    }
    state.sinceClock = ticks ? 0 : sinceClock;

    const sounds = state.period === 0 ? clockHigh : state.sinceClock < param.gateLength * state.period || param.gateLength === 1;
    output.pitch = pick(
      state.step,
      param.step1,
      param.step2,
      param.step3,
      param.step4,
      param.step5,
      param.step6,
      param.step7,
      param.step8,
      param.step9,
      param.step10,
      param.step11,
      param.step12,
      param.step13,
      param.step14,
      param.step15,
      param.step16,
    );
    const gated = pick(
      state.step,
      param.gate1,
      param.gate2,
      param.gate3,
      param.gate4,
      param.gate5,
      param.gate6,
      param.gate7,
      param.gate8,
      param.gate9,
      param.gate10,
      param.gate11,
      param.gate12,
      param.gate13,
      param.gate14,
      param.gate15,
      param.gate16,
    );
    output.gate = sounds && gated && state.sinceClock < LONG ? 10 : 0;
  },
});
