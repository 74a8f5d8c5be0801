// Modules that put out what is no number, trap, hang or take too long.
import { setTimeout as sleep } from 'node:timers/promises';
import { PARAM, STATE, VECTOR_PARAMS } from '#src/shared/layout.js';
import { PLANTED } from '../kernels.js';
import type { Show } from '../show.js';
import { expectThat, type Disaster } from './disaster.js';

const QUIETLY = 0.01;
/** Frames after which what was in a module has come out. */
const SETTLED_FRAMES = 4096;
let planted = 0;
const nextId = (): string => `bad${planted++}`;
const toSpeakers = (id: string, port: string) => [{ from: `${id}.${port}`, to: 'out.right', gain: QUIETLY }];

const isBypassed = (show: Show, id: string): boolean => show.engine.moduleInfo(id).state === 'bypassed';

export const trap: Disaster = {
  name: 'a module traps',
  async run(show) {
    const id = nextId();
    const fault = show.witness.expect({ what: 'trap', id });
    await show.invite(id, PLANTED.trap, toSpeakers(id, 'out'));
    await show.until(`${id} traps`, () => fault.seen > 0);
    expectThat(isBypassed(show, id), `${id} trapped and is not bypassed`);
    await show.dismiss(id);
    show.witness.done(fault);
    return id;
  },
};

export const hang: Disaster = {
  name: 'a module never ends',
  async run(show) {
    const { engine, witness } = show;
    const id = nextId();
    const from = engine.frame;
    const faults = [witness.expect({ what: 'stuck', id }), witness.expect({ what: 'worker' })];
    await show.invite(id, PLANTED.endless, toSpeakers(id, 'out'));
    await witness.holdingUp(id, from, async () => {
      await show.until(`${id} is found to hang`, () => faults.every(({ seen }) => seen > 0));
      await show.until('the thread that hung is replaced', () => engine.stats().workers.every(({ alive }) => alive));
    });
    expectThat(isBypassed(show, id), `${id} hung and is not bypassed`);
    await show.dismiss(id);
    faults.forEach((fault) => witness.done(fault));
    return id;
  },
};

export const slow: Disaster = {
  name: 'a module takes too long',
  async run(show) {
    const { engine, witness } = show;
    const id = nextId();
    const from = engine.frame;
    const fault = witness.expect({ what: 'budget', id });
    await show.invite(id, PLANTED.slow, toSpeakers(id, 'out'));
    await witness.holdingUp(id, from, () => show.until(`${id} is found to be slow`, () => fault.seen > 0));
    expectThat(isBypassed(show, id), `${id} took too long and is not bypassed`);
    await show.dismiss(id);
    witness.done(fault);
    return id;
  },
};

export const nan: Disaster = {
  name: 'a module puts out NaN',
  async run(show, random) {
    const { engine, witness } = show;
    const id = nextId();
    const value = random.pick([NaN, Infinity, -Infinity, 1e38]);
    await show.invite(id, 'vcf', [{ from: 'sine.saw', to: `${id}.in` }, ...toSpeakers(id, 'low')], { voices: random.pick([1, 1, 4, 7]) });
    // Only from here on: a filter by itself gives none.
    const fault = witness.expect({ what: 'nan', id, repeats: true });
    const { state, lane = 0, lanes, params } = engine.liveModules().find((module) => module.id === id)!;
    const first = VECTOR_PARAMS + params.length * PARAM.VECTORS;
    const at = (state + STATE.HEADER_BYTES) / 4 + first * lanes + lane;
    await show.until(`${id} is found to put out ${value}`, () => {
      if (fault.seen === 0) engine.arena.floats[at] = value;
      return fault.seen > 0;
    });
    // What was put in last may still be found, which takes sound: while a device is away there may be none.
    const heard = engine.frame + SETTLED_FRAMES;
    await show.until('the sound goes on', () => engine.frame >= heard);
    await sleep(300);
    expectThat(engine.moduleInfo(id).faults > 0, `${id} failed and does not say so`);
    await show.dismiss(id);
    witness.done(fault);
    return `${id}, ${value}`;
  },
};
