// Parameters while the engine plays: on their frame, from snapshots, from OSC, and when there are too many of them.
import { describe, expect, it } from 'vitest';
import { loadPatch, type Engine } from '#src/index.js';
import { COMMAND_SLOTS, COMMANDS_CONTROL_W } from '#src/shared/layout.js';
import { CommandRing } from '#src/shared/ring.js';
import { create, hold, most, OUT, patch, record, turn, TWO, TWO_CABLES, until } from './engine-fixture.js';

const snapshots = { both: { 'a.offset': 4, 'b.offset': 2 } };
const first = (signal: Float32Array): number => signal.findIndex((value) => value !== 0);

describe('set', () => {
  it.each([16, 64, 1024])('begins on its frame, in blocks of %i', async (blockFrames) => {
    const engine = await create({ blockFrames });
    await engine.loadPatch(
      patch({ dc: { type: 'attenuverter' }, out: { type: 'out', params: { limiter: false } } }, [['dc.out', 'out.left']]),
    );
    const frames = [1, 17, 1000, 1023, 1024, 5001];
    let value = 0;
    for (const at of frames) await engine.set('dc', 'offset', ++value / 2, { at });
    const [heard] = await record(engine, 6000);
    for (const at of frames.filter((at, i) => i === 0 || at - frames[i - 1]! > 300)) {
      expect(heard[at], `frame ${at}`).toBeGreaterThan(heard[at - 1]!);
      expect(heard[at - 1]! - heard[at - 2]! || 0, `frame ${at - 1}`).toBeLessThan(1e-5);
    }
    expect(engine.moduleInfo('dc').params['offset']).toBe(3);
  });

  it('reaches one voice, or all', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ vco: { type: 'vco', voices: 3 }, out: { type: 'out' } }, [['vco.saw', 'out.left']]));
    await engine.start({ driver: 'null' });
    await engine.set('vco', 'freq', '0.3 kHz');
    await engine.set('vco', 'freq', 500, { voice: 1 });
    const settled = (): unknown => engine.moduleInfo('vco').params['freq'];
    for (let i = 0; i < 200 && JSON.stringify(settled()) !== '[300,500,300]'; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(settled()).toEqual([300, 500, 300]);
  });

  it('refuses what is wrong and says what to do', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ vco: { type: 'vco' }, ...OUT }));
    await expect(engine.set('vco', 'frek', 1)).rejects.toThrow(/freq/);
    await expect(engine.set('vcoo', 'freq', 1)).rejects.toThrow(/vco/);
    await expect(engine.set('vco', 'freq', 1e9)).rejects.toThrow(/maximum/);
    await expect(engine.set('vco', 'freq', 100, { at: 1e12 })).rejects.toThrow(/at is frame/);
  });
});

describe('snapshots', () => {
  it.each([1, 1000, 4801])('begin on frame %i, all of them', async (at) => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await engine.recallSnapshot('both', { at });
    const [left, right] = await record(engine, 6000);
    expect([first(left), first(right)]).toEqual([at, at]);
    expect(engine.patch.modules.get('a')!.params.get('offset')).toEqual([4]);
    expect(JSON.parse(engine.savePatch())).toMatchObject({ modules: { b: { params: { offset: 2 } } } });
  });

  it('take the time they are given', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await engine.recallSnapshot('both', { at: 100, seconds: 0.1 });
    const [left] = await record(engine, 10_000);
    const top = left.indexOf(most(left));
    expect(top).toBeGreaterThan(100 + 4700);
    expect(top).toBeLessThanOrEqual(100 + 4800);
    // Half-way, but for what out's DC blocker has taken by the end.
    expect(left[100 + 2400]! / left[top]!).toBeGreaterThan(0.45);
    expect(left[100 + 2400]! / left[top]!).toBeLessThan(0.75);
  });

  it('jump when told to', async () => {
    const engine = await create();
    const modules = { dc: { type: 'attenuverter', params: { offset: 1 } }, ...OUT };
    await engine.loadPatch(patch(modules, [['dc.out', 'out.left']], { snapshots: { s: { 'dc.offset': 5 } } }));
    await engine.recallSnapshot('s', { at: 64, seconds: 0 });
    const [heard] = await record(engine, 200);
    expect(heard[64]! - heard[63]!).toBeGreaterThan(0.39);
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
    expect(most(heard.map(Math.abs))).toBeLessThan(1e-6);
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

  it('must be there, and their times possible', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    await expect(engine.recallSnapshot('bth')).rejects.toThrow(/no snapshot 'bth'; did you mean 'both'/);
    await expect(engine.recallSnapshot('both', { seconds: -1 })).rejects.toThrow(/seconds is -1; give/);
    await expect(engine.recallSnapshot('both', { at: NaN })).rejects.toThrow(/at is frame NaN/);
  });
});

describe('while the command ring is full', () => {
  it('a gain waits until there is room', async () => {
    const engine = await create();
    const modules = { dc: { type: 'attenuverter', params: { offset: 5 } }, ...OUT };
    await engine.loadPatch(patch(modules, [['dc.out', 'out.left', 0.9]]));
    const [heard] = await record(engine, 48_000 * 120, async () => {
      await until(() => engine.frame > 48_000);
      const release = await hold(engine);
      new CommandRing(engine.arena.buffer, COMMANDS_CONTROL_W).publish(COMMAND_SLOTS);
      await engine.edit([{ kind: 'gain', from: 'dc.out', to: 'out.left', gain: -0.9 }]);
      expect(engine.patch.cables[0]!.gain).toBe(-0.9);
      release();
      const mixers = (): number => engine.stats().edits.count;
      const before = mixers();
      await until(() => mixers() > before);
    });
    expect(most(heard)).toBeGreaterThan(0.4);
    expect(most(heard.map((value) => -value))).toBeGreaterThan(0.1);
  });

  it('a snapshot is recalled whole or not at all', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots }));
    const [left, right] = await record(engine, 48_000 * 5, async () => {
      const release = await hold(engine);
      new CommandRing(engine.arena.buffer, COMMANDS_CONTROL_W).publish(COMMAND_SLOTS - 15);
      await expect(engine.recallSnapshot('both')).rejects.toThrow(/too many parameter changes/);
      await expect(engine.set('a', 'offset', 1)).rejects.toThrow(/too many parameter changes wait to be played; send fewer/);
      expect(engine.patch.modules.get('a')!.params.has('offset')).toBe(false);
      release();
    });
    expect([first(left), first(right)]).toEqual([-1, -1]);
  });
});

describe('more values than a block takes', () => {
  /** 400 × 16 voices × 3 numbers. */
  const many = (level: number): object =>
    Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [
        `d${i}`,
        {
          type: 'vcf',
          voices: 16,
          params: { cutoff: Array.from({ length: 16 }, (_, v) => 1000 + level + v), drive: voices(level), resonance: voices(level) },
        },
      ]),
    );
  const voices = (level: number): number[] => Array.from({ length: 16 }, (_, v) => (level + v) / 1000);
  const heard = (engine: Engine, param: string): unknown[] =>
    engine.findModules('vcf').map(({ params }) => [params[param] as number[]].flat().map((value) => Math.round(value * 1000)));
  const wanted = (level: number): unknown[] => new Array(400).fill(Array.from({ length: 16 }, (_, v) => level + v));

  it('come with a patch, before and while the engine plays', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ ...many(0), ...OUT }));
    await engine.loadPatch(patch({ ...many(100), ...OUT }));
    expect(heard(engine, 'resonance')).toEqual(wanted(100));
    await engine.start({ driver: 'null' });
    await engine.loadPatch(patch({ ...many(200), ...OUT }));
    await until(() => String(heard(engine, 'resonance')) === String(wanted(200)));
    expect(engine.stats().lateEvents).toBe(0);
  });

  it('come from a snapshot, but not to one frame', async () => {
    const engine = await create();
    await engine.loadPatch(patch({ ...many(300), ...OUT }));
    await engine.saveSnapshot('all');
    await engine.loadPatch(patch({ ...many(0), ...OUT }, [], { snapshots: JSON.parse(engine.savePatch()).snapshots as object }));
    await engine.start({ driver: 'null' });
    await expect(engine.recallSnapshot('all', { at: engine.frame + 48_000 })).rejects.toThrow(/values are more than the 8192/);
    const recalled = engine.recallSnapshot('all');
    await engine.set('d399', 'resonance', 0.5);
    await recalled;
    await until(() => String(heard(engine, 'resonance').slice(0, 399)) === String(wanted(300).slice(0, 399)));
    expect(engine.moduleInfo('d399').params['resonance']).toBe(0.5);
    expect(engine.patch.modules.get('d399')!.params.get('resonance')).toEqual([0.5]);
  });
});

describe('a load right after a change', () => {
  const offset = (engine: Engine): unknown => engine.moduleInfo('a').params['offset'];

  it('has its own value, before the engine plays', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await engine.set('a', 'offset', 5);
    expect(offset(engine)).toBe(5);
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    const [left] = await record(engine, 4800);
    expect(first(left)).toBe(-1);
    expect(offset(engine)).toBe(0);
  });

  it('has its own value although the change has not been played yet', async () => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await record(engine, 48_000 * 5, async () => {
      const release = await hold(engine);
      await engine.set('a', 'offset', 5);
      await engine.loadPatch(patch(TWO, TWO_CABLES));
      release();
    });
    expect(offset(engine)).toBe(0);
  });

  it.each([1, 4])('but for what is set after it was asked for, with %i voices', async (voices) => {
    const engine = await create();
    await engine.loadPatch(patch(TWO, TWO_CABLES));
    await record(engine, 48_000 * 60, async () => {
      const load = engine.loadPatch(patch({ ...TWO, a: { ...TWO.a, voices, params: { offset: 3 } } }, TWO_CABLES));
      const sets = [engine.set('a', 'offset', 5)];
      await Promise.resolve();
      await Promise.resolve();
      sets.push(engine.set('b', 'offset', 4));
      await Promise.all([load, ...sets]);
      await until(() => offset(engine) === 5 && engine.moduleInfo('b').params['offset'] === 4);
    });
    expect(engine.patch.modules.get('a')).toMatchObject({ voices, params: new Map([['offset', [5]]]) });
  });

  it('leaves the patch that was given as it was', async () => {
    const engine = await create();
    const given = loadPatch(JSON.stringify(patch(TWO, TWO_CABLES)), engine.registry);
    await engine.loadPatch(given);
    await engine.set('a', 'offset', 5);
    await engine.loadPatch(given);
    expect(given.modules.get('a')!.params.size).toBe(0);
    expect(offset(engine)).toBe(0);
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
