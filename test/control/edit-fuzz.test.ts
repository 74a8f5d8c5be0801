// Hundreds of random edits while two threads play, one after the other and all at once: nothing traps, nothing leaks, and what plays is what the patch says.
import { afterEach, describe, expect, it } from 'vitest';
import { PatchError } from '#src/errors.js';
import { Engine, modules, type ModuleInfo } from '#src/index.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6);
const EDITS = 250;
/** Bytes: the tables of module types stay. */
const TABLES = 24 * 1024;

let engine: Engine | undefined;
afterEach(async () => engine?.stop());

const BASE = { format: 'krell-patch', formatVersion: 1, modules: { out: { type: 'out' } }, cables: [] };
/** Of 32 bits, from a seed. */
function randomFrom(seed: number): { random: () => number; pick: <T>(of: readonly T[]) => T } {
  let state = seed;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return { random, pick: (of) => of[Math.floor(random() * of.length)]! };
}
const definitionOf = ({ type }: { type: string }) => modules.find((module) => module.type === type)!;
const numbersOf = (module: { type: string }) =>
  Object.entries(definitionOf(module).params).flatMap(([name, spec]) => (spec.kind === 'number' ? [{ name, ...spec }] : []));

/** Bytes in use; those of what has faded out are given back by and by. */
async function shrinksTo(engine: Engine, bytes: number): Promise<void> {
  const growth = (): number => engine.stats().memory.used - bytes;
  for (let i = 0; i < 400 && growth() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(growth()).toBeLessThanOrEqual(0);
}

describe('random edits', () => {
  it(`leave no trace (SEED=${SEED})`, async () => {
    const { random, pick } = randomFrom(SEED);
    engine = await Engine.create({ workers: 2, realtime: false, memoryBytes: 512 * 1024 * 1024 });
    await engine.loadPatch(BASE);
    const frames = 48_000 * 3600;
    await engine.start({ driver: 'file', file: { frames, bits: '32f' } });
    const before = engine.stats().memory.used;
    for (let edit = 0; edit < EDITS; edit++) {
      const all = engine.listModules();
      const [one, other] = [pick(all), pick(all)];
      const kind = random();
      try {
        if (kind < 0.25 && all.length < 30) {
          const { type } = pick(modules);
          await engine.createModule(type, `m${edit}`, { voices: type === 'out' ? 1 : pick([1, 1, 1, 2, 5, 16]) });
        } else if (kind < 0.65) {
          const [outputs, inputs] = [Object.keys(definitionOf(one).outputs), Object.keys(definitionOf(other).inputs)];
          if (outputs.length > 0 && inputs.length > 0)
            await engine.connect(`${one.id}.${pick(outputs)}`, `${other.id}.${pick(inputs)}`, pick([1, 0.5, -1]));
        } else if (kind < 0.8 && engine.patch.cables.length > 0) {
          const { from, to } = pick(engine.patch.cables);
          await engine.disconnect(`${from.id}.${from.port}`, `${to.id}.${to.port}`);
        } else if (kind < 0.88 && one.id !== 'out') await engine.removeModule(one.id);
        else {
          const { name, min, max } = pick(numbersOf(one)) ?? { name: '', min: 0, max: 0 };
          if (name) await engine.set(one.id, name, min + random() * (max - min));
        }
      } catch (error) {
        // The same cable twice, or more memory than there is: refused, and nothing changed.
        if (!(error instanceof PatchError) && (error as { code?: string }).code !== 'memory') throw error;
      }
    }
    const { workers, frames: played } = engine.stats();
    expect(workers.map(({ faults }) => faults)).toEqual([0, 0]);
    expect(played).toBeGreaterThan(0);
    for (const { id } of engine.listModules()) if (id !== 'out') await engine.removeModule(id);
    await shrinksTo(engine, before + TABLES);
  }, 60_000);

  it(`at the same moment, of the same modules, end as if one came after the other (SEED=${SEED})`, async () => {
    const { random, pick } = randomFrom(SEED);
    const TYPES = ['lfo', 'vco', 'vca', 'vcf', 'delay', 'adsr', 'attenuverter'];
    engine = await Engine.create({ workers: 2, realtime: false, memoryBytes: 64 * 1024 * 1024 });
    const live = engine;
    await engine.loadPatch(BASE);
    await engine.start({ driver: 'file', file: { frames: 48_000 * 3600, bits: '32f' } });
    const before = engine.stats().memory.used;
    const one = (): Promise<unknown> => {
      const [id, other] = [`m${Math.floor(random() * 8)}`, `m${Math.floor(random() * 8)}`];
      const typeOf = (id: string): { type: string } => live.patch.modules.get(id) ?? { type: pick(TYPES) };
      const from = `${id}.${pick(Object.keys(definitionOf(typeOf(id)).outputs))}`;
      const to = pick([`${other}.${pick(Object.keys(definitionOf(typeOf(other)).inputs))}`, 'out.left']);
      const { name, min, max } = pick(numbersOf(typeOf(id)));
      return pick([
        () => live.createModule(pick(TYPES), id, { voices: pick([1, 1, 3, 8]) }),
        () => live.createModule(pick(TYPES), id),
        () => live.removeModule(id),
        () =>
          live.edit([
            { kind: 'remove', id },
            { kind: 'create', type: pick(TYPES), id },
          ]),
        () => live.connect(from, to, pick([1, 0.5, -1])),
        () => live.connect(from, to),
        () => live.disconnect(from, to),
        () => live.set(id, name, min + random() * (max - min)),
        () => live.saveSnapshot('s'),
        () => live.recallSnapshot('s'),
        () =>
          live.loadPatch({ ...BASE, modules: { ...BASE.modules, [id]: { type: pick(TYPES) }, [other]: { type: pick(TYPES), voices: 2 } } }),
      ])();
    };
    for (let round = 0; round < 60; round++) {
      const results = await Promise.allSettled(Array.from({ length: 1 + Math.floor(random() * 16) }, one));
      for (const result of results)
        if (result.status === 'rejected') expect(['patch', 'memory']).toContain((result.reason as { code?: string }).code);
      expect(engine.liveModules().map(({ id }) => id)).toEqual([...engine.patch.modules.keys()]);
    }
    // What was set last is heard when all commands have been taken.
    const end = engine.frame + 4800;
    while (engine.frame < end) await new Promise((resolve) => setImmediate(resolve));
    for (const module of engine.listModules()) {
      const { type, voices, params } = engine.patch.modules.get(module.id)!;
      expect(module).toMatchObject({ type, voices });
      for (const { name, default: unless, follows } of numbersOf(module)) {
        const wanted = params.get(name) ?? [follows ? engine.patch.tempo : unless];
        const heard = [module.params[name] as number | number[]].flat();
        expect(new Set(heard), `${module.id}.${name}`).toEqual(new Set(wanted.map(Math.fround)));
      }
    }
    await engine.loadPatch(BASE);
    await shrinksTo(engine, before + TABLES);
  }, 60_000);
});
