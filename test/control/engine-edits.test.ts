// Edits as one, snapshots on their frame, values that OSC has set, events, limits, questions about modules.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Engine, type EngineOptions } from '#src/control/engine.js';
import type { EngineEvent } from '#src/control/events.js';
import { COMMAND_SLOTS, COMMANDS_CONTROL_W, CONTROL, STATE } from '#src/shared/layout.js';
import { CommandRing } from '#src/shared/ring.js';
import { readFloatWav } from './wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-edits-'));
afterAll(() => rmSync(folder, { recursive: true }));
const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

async function create(options: EngineOptions = {}): Promise<Engine> {
  const engine = await Engine.create({ workers: 1, realtime: false, ...options });
  engines.push(engine);
  return engine;
}

const patch = (modules: object, cables: [string, string, number?][] = [], more: object = {}): never =>
  ({
    format: 'krell-patch',
    formatVersion: 1,
    title: 'test',
    modules,
    cables: cables.map(([from, to, gain]) => ({ from, to, ...(gain === undefined ? {} : { gain }) })),
    ...more,
  }) as never;

const OUT = { out: { type: 'out', params: { limiter: false } } };
/** Two voltages, each on a channel of its own. */
const TWO = { a: { type: 'attenuverter' }, b: { type: 'attenuverter' }, ...OUT };
const TWO_CABLES: [string, string][] = [
  ['a.out', 'out.left'],
  ['b.out', 'out.right'],
];

/** Plays `frames` into a file as fast as they come, `during` meanwhile. @returns its channels */
async function record(engine: Engine, frames: number, during: () => Promise<void> = async () => {}): Promise<Float32Array[]> {
  const path = join(folder, `${Math.random()}.wav`);
  await engine.start({ driver: 'file', file: { path, frames, bits: '32f' } });
  await during();
  await engine.ended;
  await engine.stop();
  return readFloatWav(path);
}

const most = (signal: Float32Array): number => signal.reduce((top, value) => Math.max(top, value), -Infinity);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !done();) {
    if (Date.now() > end) throw new Error('it did not happen');
    await turn();
  }
}

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
    expect(most(heard!)).toBeGreaterThan(0.6);
    expect(most(heard!.map((value) => -value))).toBeGreaterThan(0.3);
    expect(most(heard!.slice(1).map((value, i) => Math.abs(value - heard![i]!)))).toBeLessThan((0.5 * 2.5) / 230);
  });

  it('is there from the first frame when it changed before', async () => {
    const start = async (gains: number[]): Promise<Float32Array> => {
      const engine = await create();
      await engine.loadPatch(patch({ vco: { type: 'vco' }, ...OUT }, [['vco.sine', 'out.left', gains[0]!]]));
      for (const gain of gains.slice(1)) await engine.edit([{ kind: 'gain', from: 'vco.sine', to: 'out.left', gain }]);
      return (await record(engine, 4800))[0]!;
    };
    const [direct, changed] = [await start([0.3]), await start([0.9, 0.3])];
    expect(changed).toEqual(direct);
  });
});

describe('a gain for which there is no room', () => {
  it('is set when there is', async () => {
    const engine = await create();
    const modules = { dc: { type: 'attenuverter', params: { offset: 5 } }, ...OUT };
    await engine.loadPatch(patch(modules, [['dc.out', 'out.left', 0.9]]));
    // Nothing plays, so nothing leaves the ring.
    new CommandRing(engine.arena.buffer, COMMANDS_CONTROL_W).publish(COMMAND_SLOTS);
    await engine.edit([{ kind: 'gain', from: 'dc.out', to: 'out.left', gain: -0.9 }]);
    expect(engine.patch.cables[0]!.gain).toBe(-0.9);
    const [heard] = await record(engine, 48_000 * 5, async () => until(() => engine.frame > 48_000));
    expect(most(heard!)).toBeGreaterThan(0.4);
    expect(most(heard!.map((value) => -value))).toBeGreaterThan(0.1);
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

describe('snapshots', () => {
  const snapshots = { both: { 'a.offset': 4, 'b.offset': 2 } };
  const first = (signal: Float32Array): number => signal.findIndex((value) => value !== 0);

  it.each([1, 1000, 4801])('begin on frame %i, all of them', async (at) => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await engine.recallSnapshot('both', { at });
    const [left, right] = await record(engine, 6000);
    expect([first(left!), first(right!)]).toEqual([at, at]);
    expect(engine.patch.modules.get('a')!.params.get('offset')).toEqual([4]);
    expect(JSON.parse(engine.savePatch())).toMatchObject({ modules: { b: { params: { offset: 2 } } } });
  });

  it('take the time they are given', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await engine.recallSnapshot('both', { at: 100, seconds: 0.1 });
    const [left] = await record(engine, 10_000);
    const top = left!.indexOf(most(left!));
    expect(top).toBeGreaterThan(100 + 4700);
    expect(top).toBeLessThanOrEqual(100 + 4800);
    // Half-way, but for what out's DC blocker has taken by the end.
    expect(left![100 + 2400]! / left![top]!).toBeGreaterThan(0.45);
    expect(left![100 + 2400]! / left![top]!).toBeLessThan(0.75);
  });

  it('jump when told to', async () => {
    const engine = await create();
    const modules = { dc: { type: 'attenuverter', params: { offset: 1 } }, ...OUT };
    await engine.loadPatch(patch(modules, [['dc.out', 'out.left']], { snapshots: { s: { 'dc.offset': 5 } } }));
    await engine.recallSnapshot('s', { at: 64, seconds: 0 });
    const [heard] = await record(engine, 200);
    expect(heard![64]! - heard![63]!).toBeGreaterThan(0.39);
  });

  it('are all heard from the same block on when played at once', async () => {
    const engine = await create();
    const count = 40;
    const ids = Array.from({ length: count }, (_, i) => `m${i}`);
    const modules = Object.fromEntries(ids.map((id) => [id, { type: 'attenuverter' }]));
    const values = (volts: number): object => Object.fromEntries(ids.map((id, i) => [`${id}.offset`, i % 2 === 0 ? volts : -volts]));
    const cables = ids.map((id): [string, string, number] => [`${id}.out`, 'out.left', 1]);
    await engine.loadPatch(patch({ ...modules, ...OUT }, cables, { snapshots: { one: values(5), other: values(-3) } }));
    // Equal and opposite: whatever one block lacks of the other is heard.
    const [heard] = await record(engine, 48_000 * 10, async () => {
      for (let i = 0; i < 300; i++) {
        await engine.recallSnapshot(i % 2 === 0 ? 'one' : 'other', { seconds: 0 });
        await turn();
      }
    });
    expect(most(heard!.map(Math.abs))).toBeLessThan(1e-6);
  });

  it('hold what was set just before', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await engine.set('a', 'offset', 3);
    engine.applyChanges([{ id: 'b', param: 'offset', voice: -1, value: 1.5 }]);
    await engine.saveSnapshot('kept');
    await engine.set('a', 'offset', 0);
    await engine.recallSnapshot('kept');
    expect(engine.patch.modules.get('a')!.params.get('offset')).toEqual([3]);
    expect(engine.patch.modules.get('b')!.params.get('offset')).toEqual([1.5]);
  });

  it('are recalled whole or not at all', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await expect(engine.recallSnapshot('bth')).rejects.toThrow(/no snapshot 'bth'; did you mean 'both'/);
    await expect(engine.recallSnapshot('both', { seconds: -1 })).rejects.toThrow(/seconds is -1; give/);
    await expect(engine.recallSnapshot('both', { at: NaN })).rejects.toThrow(/at is frame NaN/);
    // Nothing plays, so nothing leaves the ring.
    for (let i = 0; i < COMMAND_SLOTS - 15; i++) await engine.set('a', 'amount', 0.5);
    await expect(engine.recallSnapshot('both')).rejects.toThrow(/too many parameter changes/);
    await expect(engine.set('a', 'offset', 1)).rejects.toThrow(/too many parameter changes wait to be played; send fewer/);
    expect(engine.patch.modules.get('a')!.params.has('offset')).toBe(false);
    const [left, right] = await record(engine, 1000);
    expect([first(left!), first(right!)]).toEqual([-1, -1]);
  });
});

describe('a count of triggers', () => {
  it('is not set back by a load: that would be a trigger', async () => {
    const engine = await create();
    const modules = { t: { type: 'trigger' }, a: { type: 'attenuverter' }, ...OUT };
    await engine.loadPatch(patch(modules));
    await engine.start({ driver: 'null' });
    await engine.set('t', 'count', 5);
    await engine.set('a', 'offset', 5);
    await until(() => engine.moduleInfo('t').params['count'] === 5 && engine.moduleInfo('a').params['offset'] === 5);
    await engine.loadPatch(patch(modules));
    await until(() => engine.moduleInfo('a').params['offset'] === 0);
    expect(engine.moduleInfo('t').params['count']).toBe(5);
  });
});

describe('what OSC has set', () => {
  it('is in the patch, also when an edit is on its way', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    const edit = engine.createModule('lfo', 'lfo');
    await Promise.resolve();
    engine.applyChanges([
      { id: 'a', param: 'offset', voice: -1, value: 2.5 },
      { id: 'gone', param: 'offset', voice: -1, value: 1 },
    ]);
    await engine.set('b', 'offset', 1);
    await edit;
    expect(JSON.parse(engine.savePatch())).toMatchObject({
      modules: { a: { params: { offset: 2.5 } }, b: { params: { offset: 1 } }, lfo: { type: 'lfo' } },
    });
  });

  it('does not spoil a load that makes the module another', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    const load = engine.loadPatch(patch({ a: { type: 'vco' }, ...OUT }));
    await Promise.resolve();
    engine.applyChanges([{ id: 'a', param: 'offset', voice: -1, value: 2.5 }]);
    await engine.set('a', 'offset', 1);
    await load;
    expect(engine.patch.modules.get('a')).toEqual({ id: 'a', type: 'vco', voices: 1, params: new Map() });
    expect(engine.moduleInfo('a').type).toBe('vco');
  });
});

describe('events', () => {
  it('tell of edits, loads and the end, and survive their listeners', async () => {
    const engine = await create();
    const events: EngineEvent[] = [];
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    const printers = process.listeners('warning');
    process.removeAllListeners('warning').on('warning', onWarning);
    const note = (event: EngineEvent): void => void events.push(event);
    engine.on('edit', () => {
      throw new Error('a listener threw');
    });
    engine.on('edit', async () => Promise.reject(new Error('a listener rejected')));
    for (const kind of ['edit', 'load', 'device', 'stopped'] as const) engine.on(kind, note);
    await engine.loadPatch(patch({ a: { type: 'vco' }, b: { type: 'vco' }, ...OUT }));
    await engine.loadPatch(patch({ a: { type: 'lfo' }, c: { type: 'vco' }, ...OUT }));
    await expect(engine.removeModule('nobody')).rejects.toThrow();
    engine.off('edit', note);
    await engine.removeModule('c');
    const output = await engine.start({ driver: 'null' });
    await engine.stop();
    await engine.stop();
    expect(events).toEqual([
      { kind: 'edit', added: ['a', 'b', 'out'], removed: [], changed: [] },
      { kind: 'load', title: 'test' },
      { kind: 'edit', added: ['c'], removed: ['b'], changed: ['a'] },
      { kind: 'load', title: 'test' },
      { kind: 'device', state: 'open', output },
      { kind: 'stopped' },
    ]);
    await until(() => warnings.includes('a listener threw') && warnings.includes('a listener rejected'));
    process.off('warning', onWarning);
    for (const printer of printers) process.on('warning', printer);
  });

  it('count underruns', async () => {
    const engine = await create();
    const events: EngineEvent[] = [];
    engine.on('underrun', (event) => events.push(event));
    Atomics.add(engine.arena.words, CONTROL.UNDERRUNS, 3);
    await until(() => events.length > 0);
    expect(events).toEqual([{ kind: 'underrun', count: 3, total: 3 }]);
  });
});

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
