// Hundreds of random edits while two threads play: nothing traps and nothing leaks.
import { afterEach, describe, expect, it } from 'vitest';
import { PatchError } from '#src/errors.js';
import { Engine, modules, type ModuleInfo } from '#src/index.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6);
const EDITS = 250;
/** Bytes: the tables of module types stay. */
const TABLES = 24 * 1024;

let engine: Engine | undefined;
afterEach(async () => engine?.stop());

describe('random edits', () => {
  it(`leave no trace (SEED=${SEED})`, async () => {
    let state = SEED;
    const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const definitionOf = ({ type }: ModuleInfo) => modules.find((module) => module.type === type)!;

    engine = await Engine.create({ workers: 2, realtime: false, memoryBytes: 512 * 1024 * 1024 });
    await engine.loadPatch({ format: 'krell-patch', formatVersion: 1, modules: { out: { type: 'out' } }, cables: [] });
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
          const params = Object.entries(definitionOf(one).params).flatMap(([name, spec]) =>
            spec.kind === 'number' ? [{ name, ...spec }] : [],
          );
          const { name, min, max } = pick(params) ?? { name: '', min: 0, max: 0 };
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
    const growth = (): number => engine!.stats().memory.used - before;
    for (let i = 0; i < 100 && growth() > TABLES; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(growth()).toBeLessThan(TABLES);
  }, 60_000);
});
