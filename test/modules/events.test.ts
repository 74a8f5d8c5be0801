// A spec that promises events must be able to keep the promise.
import { expect, it } from 'vitest';
import { modules } from '#modules/index.js';
import {
  defineModule,
  integer,
  LAST_COUNT,
  NOTE_PARAMS,
  NOTE_STATES,
  ratio,
  type EventSpec,
  type ParamSpec,
  type StateSpec,
} from '#src/module.js';
import { COUNT_END } from '#src/shared/layout.js';

const define = (event: EventSpec, params: Record<string, ParamSpec>, state: Record<string, StateSpec> = {}): unknown =>
  defineModule({ type: 'test', summary: '', tags: [], inputs: {}, outputs: {}, params, state, events: { event }, process() {} });
const summary = 'A test.';
const note: EventSpec = { kind: 'note', summary };
const trigger: EventSpec = { kind: 'trigger', param: 'count', summary };
const count = (max: number, min = 0): ParamSpec => integer({ min, max, default: 0 });

it.each<[string, EventSpec, Record<string, ParamSpec>, Record<string, StateSpec>?]>([
  ['notes need ...NOTE_PARAMS first', note, { glide: ratio(), ...NOTE_PARAMS }, NOTE_STATES],
  ['notes need ...NOTE_PARAMS first', note, NOTE_PARAMS, { own: 0, ...NOTE_STATES }],
  ['notes need ...NOTE_PARAMS first', note, {}, {}],
  ["counts in 'count'", trigger, {}],
  ["counts in 'count'", trigger, { count: ratio() }],
  ["counts in 'count'", trigger, { count: count(100) }],
  ["counts in 'count'", trigger, { count: count(LAST_COUNT, -1) }],
  ["sets 'y', which is not a parameter", { kind: 'set', params: ['x', 'y'], summary }, { x: ratio() }],
])('%s', (message, event, params, state) => {
  expect(() => define(event, params, state)).toThrow(message);
});

it('takes specs that can', () => {
  define(note, { ...NOTE_PARAMS, glide: ratio() }, { ...NOTE_STATES, own: 0 });
  define(trigger, { other: ratio(), count: count(LAST_COUNT) });
  define({ kind: 'set', params: ['y', 'x'], summary }, { x: ratio(), y: ratio() });
  expect(LAST_COUNT + 1).toBe(COUNT_END);
});

it('every event says what it is, and no event has the name of a parameter', () => {
  const all = modules.flatMap((module) => Object.entries(module.events).map(([name, event]) => ({ module, name, event })));
  expect(all.map(({ module, name }) => `${module.type}/${name}`)).toEqual(['keys/note', 'trigger/trig', 'xy/xy']);
  for (const { module, name, event } of all) {
    expect(event.summary).toMatch(/^[A-Z].*\.$/);
    expect(Object.keys(module.params)).not.toContain(name);
  }
});
