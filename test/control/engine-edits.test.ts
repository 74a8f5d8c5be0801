// Several edits as one, the gain of a cable, tempo.
import { describe, expect, it } from 'vitest';
import type { Engine } from '#src/control/engine.js';
import type { EngineEvent } from '#src/control/events.js';
import { LIMITS } from '#src/control/patch/index.js';
import { CONTROL } from '#src/shared/layout.js';
import { create, most, OUT, patch, record, TWO, TWO_CABLES, until } from './engine-fixture.js';

describe('several edits as one', () => {
  const EDITS = [
    { kind: 'create', type: 'lfo', id: 'lfo', params: { rate: 3 } },
    { kind: 'create', type: 'vca', id: 'vca', voices: 2 },
    { kind: 'connect', from: 'lfo.sine', to: 'vca.in', gain: 0.5 },
    { kind: 'gain', from: 'lfo.sine', to: 'vca.in', gain: 0.25 },
    { kind: 'connect', from: 'vca.out', to: 'out.left' },
    { kind: 'snapshot', name: 'now' },
    { kind: 'alias', address: '/rate', to: 'lfo.rate', range: [1, 2] },
    { kind: 'tempo', bpm: 99 },
    { kind: 'title', title: 'edited' },
  ] as const;

  it('are carried out in order, with one plan', async () => {
    const engine = await create();
    await engine.loadPatch(patch(OUT));
    await engine.start({ driver: 'null' });
    const plans = (): number => Atomics.load(engine.arena.words, CONTROL.ADOPTED);
    const before = plans();
    const events: EngineEvent[] = [];
    engine.on('edit', (event) => events.push(event));
    await engine.edit(EDITS);
    expect(plans()).toBe(before + 1);
    expect(events).toEqual([{ kind: 'edit', added: ['lfo', 'vca'], removed: [], changed: [] }]);
    expect(engine.patch).toMatchObject({ title: 'edited', tempo: 99, cables: [{ gain: 0.25 }, { gain: 1 }] });
    expect(engine.patch.snapshots.get('now')!.find(({ param }) => param === 'rate')!.values).toEqual([3]);
    expect(engine.patch.osc.has('/rate')).toBe(true);
    const copy = await create();
    await copy.loadPatch(engine.savePatch());
    expect(copy.patch).toEqual(engine.patch);
  });

  it.each([
    ['wrong', { kind: 'connect', from: 'lfo.sine', to: 'vca.inn' }, /edits\[9\] cables\[2\]\.to: vca \(vca\) has no input 'inn'/],
    ['too large', { kind: 'create', type: 'delay', id: 'long', voices: 16 }, /memory budget exceeded/],
    ['unknown', { kind: 'explode' }, /there is no edit 'explode'/],
  ])('change nothing when the last is %s', async (_, last, message) => {
    const engine = await create({ memoryBytes: 16 * 1024 * 1024 });
    await engine.loadPatch(patch(OUT));
    await engine.start({ driver: 'null' });
    const [saved, used, ids] = [engine.savePatch(), engine.stats().memory.used, engine.liveModules().map(({ id }) => id)];
    let edits = 0;
    engine.on('edit', () => edits++);
    await expect(engine.edit([...EDITS, last as never])).rejects.toThrow(message);
    expect(engine.savePatch()).toBe(saved);
    expect(engine.stats().memory.used).toBe(used);
    expect(engine.liveModules().map(({ id }) => id)).toEqual(ids);
    expect(edits).toBe(0);
    await engine.edit(EDITS);
  });

  it('that remove a module and make it again keep its state, not its parameters', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await engine.start({ driver: 'null' });
    await engine.set('a', 'offset', 3);
    await until(() => engine.moduleInfo('a').params['offset'] === 3);
    const [before] = engine.liveModules();
    const edits = (params: object): never =>
      [
        { kind: 'remove', id: 'a' },
        { kind: 'create', type: 'attenuverter', id: 'a', ...params },
      ] as never;
    await engine.edit(edits({ params: { amount: 0.5 } }));
    expect(engine.liveModules().find(({ id }) => id === 'a')).toEqual(before);
    await until(() => engine.moduleInfo('a').params['offset'] === 0 && engine.moduleInfo('a').params['amount'] === 0.5);
    await engine.edit([...(edits({}) as object[]), { kind: 'remove', id: 'a' }] as never);
    expect(engine.listModules().map(({ id }) => id)).toEqual(['b', 'out']);
  });

  it('change what only the file tells without a new plan', async () => {
    const engine = await create();
    await engine.loadPatch(patch(OUT));
    const before = Atomics.load(engine.arena.words, CONTROL.ADOPTED);
    await engine.edit([
      { kind: 'title', title: 'a' },
      { kind: 'snapshot', name: 's' },
      { kind: 'removeSnapshot', name: 's' },
    ]);
    expect(engine.patch.title).toBe('a');
    expect(Atomics.load(engine.arena.words, CONTROL.ADOPTED)).toBe(before);
  });
});

describe('the gain of a cable', () => {
  it('is reached within 5 ms, without a step', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ dc: { type: 'attenuverter', params: { offset: 5 } }, ...OUT }, [['dc.out', 'out.left']]));
    const level = (engine: Engine): Promise<void> => {
      const end = engine.frame + 500;
      return until(() => engine.frame >= end);
    };
    const [heard] = await record(engine, 48_000 * 15, async () => {
      for (const gain of [0.2, 1.5, -1, 1]) {
        await engine.edit([{ kind: 'gain', from: 'dc.out', to: 'out.left', gain }]);
        await level(engine);
      }
    });
    // 5 V is half of full scale; out blocks DC, but slowly.
    expect(most(heard)).toBeGreaterThan(0.6);
    expect(most(heard.map((value) => -value))).toBeGreaterThan(0.3);
    expect(most(heard.slice(1).map((value, i) => Math.abs(value - heard[i]!)))).toBeLessThan((0.5 * 2.5) / 230);
  });

  it('is there from the first frame when it changed before', async () => {
    const start = async (gains: number[]): Promise<Float32Array> => {
      const engine = await create();
      await engine.loadPatch(patch({ vco: { type: 'vco' }, ...OUT }, [['vco.sine', 'out.left', gains[0]!]]));
      for (const gain of gains.slice(1)) await engine.edit([{ kind: 'gain', from: 'vco.sine', to: 'out.left', gain }]);
      return (await record(engine, 4800))[0];
    };
    const [direct, changed] = [await start([0.3]), await start([0.9, 0.3])];
    expect(changed).toEqual(direct);
  });
});

describe('tempo', () => {
  it('reaches what follows it, and nothing else', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ c1: { type: 'clock' }, c2: { type: 'clock', params: { tempo: 60 } }, ...OUT }));
    await engine.start({ driver: 'null' });
    await engine.edit([{ kind: 'tempo', bpm: 150 }]);
    await until(() => engine.moduleInfo('c1').params['tempo'] === 150);
    expect(engine.moduleInfo('c2').params['tempo']).toBe(60);
    expect(engine.patch.modules.get('c1')!.params.has('tempo')).toBe(false);
    await expect(engine.edit([{ kind: 'tempo', bpm: 5 }])).rejects.toThrow(/not within 10 to 999/);
    await engine.createModule('clock', 'c3');
    expect(engine.moduleInfo('c3').params['tempo']).toBe(150);
  });
});

it('a patch as large as any is replaced by another while it plays', async () => {
  const engine = await create();
  const large = (name: string): never => {
    const ids = Array.from({ length: LIMITS.modules - 1 }, (_, i) => `${name}${i}`);
    const cables = ids.slice(0, 40).map((id): [string, string, number] => [`${id}.out`, 'out.left', 0.5]);
    return patch({ ...OUT, ...Object.fromEntries(ids.map((id) => [id, { type: 'attenuverter' }])) }, cables);
  };
  await engine.loadPatch(large('a'));
  await engine.start({ driver: 'null' });
  await engine.loadPatch(large('b'));
  // The one before fades out, or has just.
  await engine.loadPatch(large('c'));
  expect([engine.isRunning('a7'), engine.isRunning('c7')]).toEqual([false, true]);
});
