// Triggers given by hand. They are counted, not switched: however soon one follows another, each has its own rising edge.
import { defineModule, int, integer, LAST_COUNT, trigger as triggerOutput } from '../src/module.js';
import { triggerFrames } from '../src/dsp/gate.js';

/** More at one moment than this are no triggers: somebody has set the count. */
const MOST_AT_ONCE = 64;

export const trigger = defineModule({
  type: 'trigger',
  summary: 'A trigger given by hand or by OSC.',
  tags: ['control'],
  inputs: {},
  outputs: { out: triggerOutput('10 V for 1 ms; low for one sample before a trigger that comes sooner.') },
  params: { count: integer({ min: 0, max: LAST_COUNT, default: 0, summary: 'Triggers so far; each step up is one.' }) },
  events: { trig: { kind: 'trigger', param: 'count', summary: 'Gives a trigger.' } },
  state: { given: int(), pulse: int() },

  process({ param, state, output, sampleRate }) {
    const count = param.count | 0;
    const waiting = (count - state.given) & LAST_COUNT;
    const isHigh = state.pulse > 0;
    const rises = waiting > 0 && !isHigh;
    if (rises) state.given = waiting > MOST_AT_ONCE ? count : (state.given + 1) & LAST_COUNT;
    state.pulse = rises ? triggerFrames(sampleRate) : waiting > 0 ? 0 : Math.max(state.pulse - 1, 0);
    output.out = state.pulse > 0 ? 10 : 0;
  },
});
