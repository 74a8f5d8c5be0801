// Patches and cables that come and go, more than there is room for, and values that are all recalled at once.
import { DIALS, DIAL_PARAM, randomCast, REMOTE_DIALS } from '../stage.js';
import { MAX_MODULES, type Show } from '../show.js';
import { codeOf, expectThat, type Disaster } from './disaster.js';

export const swap: Disaster = {
  name: 'swap patches',
  async run(show, random) {
    const cast = randomCast(random);
    const dials = new Map(
      [...DIALS, ...REMOTE_DIALS].filter(() => random.next() < 0.5).map((id) => [`${id}.${DIAL_PARAM}`, random.between(-5, 5)]),
    );
    await show.cast(cast, dials);
    return `${cast.file}${cast.hasChoir ? ' and the choir' : ''}`;
  },
};

/** Creates modules until there is no room, the first `atOnce` in one edit. @returns how many */
async function fill({ engine, edits }: Show, type: string, voices: number, code: string, atOnce = 0): Promise<number> {
  return edits.take(async () => {
    const ids = Array.from({ length: atOnce }, (_, i) => `more${i}`);
    await engine.edit(ids.map((id) => ({ kind: 'create', type, id, voices })));
    let why: string | undefined;
    while (why === undefined && ids.length <= MAX_MODULES) {
      const id = `more${ids.length}`;
      why = await codeOf(engine.createModule(type, id, { voices }));
      if (why === undefined) ids.push(id);
    }
    expectThat(why === code, `${ids.length} × ${type}, then ${why} instead of ${code}`);
    await engine.edit(ids.map((id) => ({ kind: 'remove', id })));
    return ids.length;
  });
}

export const exhaustMemory: Disaster = {
  name: 'exhaust the memory',
  async run(show) {
    return `${await fill(show, 'delay', 4, 'memory')} delays`;
  },
};

/** Others may be creating modules at the same time. */
const LEFT_TO_OTHERS = 60;

export const exhaustModules: Disaster = {
  name: 'create more modules than there may be',
  async run(show) {
    const room = MAX_MODULES - show.engine.patch.modules.size;
    return `${await fill(show, 'mixer', 1, 'modules', Math.max(0, room - LEFT_TO_OTHERS))} modules`;
  },
};

export const cableStorm: Disaster = {
  name: 'pull and plug cables',
  async run(show, random) {
    const { engine } = show;
    const count = await show.edits.take(async () => {
      const cables = engine.patch.cables.map(({ from, to, gain }) => ({
        from: `${from.id}.${from.port}`,
        to: `${to.id}.${to.port}`,
        gain,
      }));
      const loose = cables.filter(({ to, from }) => to !== 'out.left' && !/^(bad|net)/.test(from));
      const pulled = Array.from({ length: 1 + random.below(25) }, () => random.pick(loose));
      for (const { from, to, gain } of new Set(pulled)) {
        await engine.disconnect(from, to);
        await engine.connect(from, to, gain);
      }
      return pulled.length;
    });
    return `${count} cables`;
  },
};

export const recall: Disaster = {
  name: 'recall a snapshot',
  async run(show, random) {
    const { engine, ledger } = show;
    const seconds = random.pick([0, 0.05, 0.3]);
    await show.edits.take(() =>
      show.withDials(async () => {
        await show.keep('mark');
        const kept = new Map(ledger.values);
        for (const id of DIALS) {
          const value = random.between(-5, 5);
          await engine.set(id, DIAL_PARAM, value);
          ledger.set(`${id}.${DIAL_PARAM}`, value);
        }
        await engine.recallSnapshot('mark', { seconds });
        for (const [key, value] of kept) ledger.set(key, value);
      }),
    );
    return `in ${seconds} s`;
  },
};
