// Patches and cables that come and go, more than there is room for, and values that are all recalled at once.
import type { Edit } from '#src/control/edits.js';
import { DIALS, DIAL_PARAM, randomCast, REMOTE_DIALS } from '../stage.js';
import { MAX_MODULES } from '../show.js';
import { codeOf, expectThat, type Disaster } from './disaster.js';

export const swap: Disaster = {
  name: 'swap patches',
  async run(show, random) {
    const cast = randomCast(random);
    const dials = new Map([...DIALS, ...REMOTE_DIALS].filter(() => random.next() < 0.5).map((id) => [`${id}.${DIAL_PARAM}`, random.between(-5, 5)]));
    await show.cast(cast, dials);
    return `${cast.file}${cast.hasChoir ? ' and the choir' : ''}`;
  },
};

/** Creates modules until there is no room. @returns how many */
async function fill(show: Parameters<Disaster['run']>[0], type: string, voices: number, code: string): Promise<number> {
  const { engine } = show;
  return show.edits.take(async () => {
    const ids: string[] = [];
    let why: string | undefined;
    for (let i = 0; why === undefined && i <= MAX_MODULES; i++) {
      why = await codeOf(engine.createModule(type, `more${i}`, { voices }));
      if (why === undefined) ids.push(`more${i}`);
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

export const exhaustModules: Disaster = {
  name: 'create more modules than there may be',
  async run(show, random) {
    const { engine } = show;
    const count = await show.edits.take(async () => {
      const create = (n: number): Edit[] => Array.from({ length: n }, (_, i) => ({ kind: 'create', type: 'mixer', id: `many${i}` }));
      const room = MAX_MODULES - engine.patch.modules.size - random.below(3);
      await engine.edit(create(room));
      const code = await codeOf(engine.edit(create(MAX_MODULES).map((edit) => ({ ...edit, id: `too-${(edit as { id: string }).id}` }) as Edit)));
      expectThat(code === 'modules', `too many modules gave ${code}`);
      await engine.edit(create(room).map((edit) => ({ kind: 'remove', id: (edit as { id: string }).id })));
      return room;
    });
    return `${count} modules`;
  },
};

export const cableStorm: Disaster = {
  name: 'pull and plug cables',
  async run(show, random) {
    const { engine } = show;
    const count = await show.edits.take(async () => {
      const cables = engine.patch.cables.map(({ from, to, gain }) => ({ from: `${from.id}.${from.port}`, to: `${to.id}.${to.port}`, gain }));
      const loose = cables.filter(({ to, from }) => to !== 'out.left' && !from.startsWith('bad'));
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
        await engine.saveSnapshot('mark');
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
