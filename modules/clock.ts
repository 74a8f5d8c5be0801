// Clock. It counts beats exactly, in whole numbers, so it never drifts from its tempo: not in an hour, not in a week.
import { bpm, choice, defineModule, gate, int, ratio, trigger } from '../src/module.js';
import { ordinal } from '../src/dsp/bits.js';
import { schmitt } from '../src/dsp/gate.js';

/** Length of a pulse in 24ths of a quarter note: all are whole. */
const DIVISIONS = {
  '4/1': 384,
  '2/1': 192,
  '1/1': 96,
  '1/2': 48,
  '1/2T': 32,
  '1/4D': 36,
  '1/4': 24,
  '1/4T': 16,
  '1/8D': 18,
  '1/8': 12,
  '1/8T': 8,
  '1/16D': 9,
  '1/16': 6,
  '1/16T': 4,
  '1/32': 3,
  '1/32T': 2,
};
const NAMES = Object.keys(DIVISIONS) as (keyof typeof DIVISIONS)[];

const FRACTION_BITS = 19;
const FRACTION_MASK = 2 ** FRACTION_BITS - 1;

export const clock = defineModule({
  type: 'clock',
  summary: 'Clock: a gate at the patch’s tempo, divided and swung.',
  tags: ['clock', 'sequencer'],
  inputs: {
    run: gate('Runs while high; stands still while low.', { unplugged: 10 }),
    reset: trigger('Begins again, with a pulse.'),
  },
  outputs: { out: gate('High for half the period.') },
  params: {
    tempo: bpm({ min: 10, max: 999, default: 120, follows: 'tempo', ramp: 0, summary: 'Quarter notes per minute.' }),
    division: choice(NAMES, { default: '1/4', summary: 'Length of a pulse as a note; T is a triplet, D dotted.' }),
    swing: ratio({ summary: 'Delays every other pulse, at 1 by half a pulse; 0.67 is a triplet shuffle.' }),
  },
  tables: { length: Object.values(DIVISIONS) },
  // `time` since the first of two pulses is in units of which a minute at 1 BPM has sampleRate · 60; `fraction` counts 2⁻¹⁹ of one,
  // which holds all bits that a tempo has.
  state: { time: int(), fraction: int(), runHigh: false, resetHigh: false },

  process({ input, param, state, output, table, sampleRate }) {
    const runHigh = schmitt(input.run, state.runHigh);
    const resetHigh = schmitt(input.reset, state.resetHigh);
    const restarts = resetHigh && !state.resetHigh;
    state.runHigh = runHigh;
    state.resetHigh = resetHigh;

    const period = (table.length[ordinal(param.division)]! | 0) * Math.round(sampleRate * (60 / 24));
    const second = period + ((param.swing * 0.5 * period) | 0);
    const cycle = 2 * period;
    const time = restarts ? 0 : state.time;
    const sincePulse = time < second ? time : time - second;
    const high = Math.min(period, time < second ? period : cycle - second) >> 1;
    output.out = runHigh && sincePulse < high ? 10 : 0;

    if (runHigh) {
      const tempo = (param.tempo * 2 ** FRACTION_BITS) | 0;
      const fraction = (restarts ? 0 : state.fraction) + (tempo & FRACTION_MASK);
      const next = time + (tempo >> FRACTION_BITS) + (fraction >> FRACTION_BITS);
      state.fraction = fraction & FRACTION_MASK;
      // A shorter division may have begun meanwhile: keep its place on the grid.
      state.time = next >= cycle ? next - cycle * ((next / cycle) | 0) : next;
    } else if (restarts) {
      state.time = 0;
      state.fraction = 0;
    }
  },
});
