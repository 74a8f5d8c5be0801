// Questions about modules: limits, type and name, how they fare, where they are.
import { describe, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import { STATE } from '#src/shared/layout.js';
import { create, OUT, patch, TWO, TWO_CABLES, until } from './engine-fixture.js';

describe('modules', () => {
  it('are limited', async () => {
    const engine = await create({ maxModules: 3 });
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await expect(engine.createModule('lfo', 'lfo')).rejects.toThrow(/4 modules are more than the 3 this engine may have; remove some, or/);
    await expect(engine.loadPatch(patch({ ...TWO, lfo: { type: 'lfo' } }))).rejects.toThrow(/more than the 3/);
    await engine.edit([
      { kind: 'remove', id: 'b' },
      { kind: 'create', type: 'lfo', id: 'lfo' },
    ]);
    expect(engine.listModules().map(({ id }) => id)).toEqual(['a', 'out', 'lfo']);
    await expect(Engine.create({ maxModules: 0 })).rejects.toThrow(/maxModules is 0; give/);
  });

  it('are found by type and by name', async () => {
    const engine = await create();
    const modules = { vco1: { type: 'vco' }, vco2: { type: 'vco' }, low: { type: 'lfo' }, ...OUT };
    await engine.loadPatch(patch(modules));
    const found = (query: Parameters<Engine['findModules']>[0]): string[] => engine.findModules(query).map(({ id }) => id);
    expect(found('vco')).toEqual(['vco1', 'vco2']);
    expect(found({ type: 'vco', name: '*2' })).toEqual(['vco2']);
    expect(found({ name: '{low,vco[13]}' })).toEqual(['vco1', 'low']);
    expect(found({ name: 'vco' })).toEqual([]);
    expect(found({})).toEqual(Object.keys(modules));
  });

  it('tell how they fare', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    expect(engine.moduleInfo('a')).toMatchObject({ state: 'running', since: 0, faults: 0 });
    await engine.start({ driver: 'null' });
    await until(() => engine.frame > 1000);
    const before = engine.frame;
    await engine.createModule('vco', 'late');
    expect(engine.moduleInfo('late').since).toBeGreaterThanOrEqual(before);
    expect(engine.moduleInfo('late').since).toBeLessThanOrEqual(engine.frame);
    const fault = { kind: 'fault', what: 'trap', id: 'a', frame: 1, message: 'it trapped' } as const;
    engine.report(fault);
    expect(engine.moduleInfo('a')).toMatchObject({ state: 'running', faults: 1 });
    engine.report({ ...fault, id: 'nobody' });
    // As the thread does that bypasses it.
    const { state, lane } = engine.liveModules().find(({ id }) => id === 'a')!;
    Atomics.or(engine.arena.words, state / 4 + STATE.MUTED, 1 << (lane ?? 0));
    expect(engine.moduleInfo('a')).toMatchObject({ state: 'bypassed', faults: 1 });
    expect(await engine.removeFailed()).toEqual(['a']);
    expect(engine.moduleInfo('a').state).toBe('leaving');
    await until(() => !engine.stats().modules || engine.liveModules().length === 3);
    expect(engine.listModules().map(({ id }) => id)).toEqual(['b', 'out', 'late']);
    expect(await engine.removeFailed()).toEqual([]);
  });

  it('are known to OSC by where they are', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ vco: { type: 'vco', voices: 3 }, lfo: { type: 'lfo' }, ...OUT }));
    const [vco, lfo] = engine.liveModules();
    expect(vco).toMatchObject({ id: 'vco', type: 'vco', voices: 3, lane: undefined, lanes: 4 });
    expect(lfo).toMatchObject({ id: 'lfo', lane: 0 });
    const { params } = engine.registry.get('vco');
    const place = (vco!.state + 64 + vco!.params[Object.keys(params).indexOf('freq')]! * 4 * 4) / 4;
    expect(engine.arena.floats[place]).toBe(engine.moduleInfo('vco').params['freq']);
  });
});

describe('isRunning', () => {
  it('holds for what the patch has, while the engine plays', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ vco: { type: 'vco', voices: 8 }, ...OUT }));
    expect(engine.isRunning('vco')).toBe(false);
    await engine.start({ driver: 'null' });
    expect(engine.isRunning('vco')).toBe(true);
    expect(engine.isRunning('nobody')).toBe(false);
    expect(engine.moduleInfo('vco')).toMatchObject({ type: 'vco', voices: 8, worker: 0, params: { freq: expect.any(Number) as number } });
    expect(() => engine.moduleInfo('vcp')).toThrow(/'vco'/);
    expect(() => engine.findModules('vcp')).toThrow(/vc[oaf]/);
    await engine.stop();
    expect(engine.isRunning('vco')).toBe(false);
  });
});

describe('clean-up of failed modules', () => {
  it('may be asked for twice at the same moment', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    for (const { id, state, lane } of engine.liveModules())
      if (id !== 'out') Atomics.or(engine.arena.words, state / 4 + STATE.MUTED, 1 << (lane ?? 0));
    const removed = await Promise.all([engine.removeModule('b'), engine.removeFailed(), engine.removeFailed()]);
    expect(removed).toEqual([undefined, ['a'], []]);
  });
});
