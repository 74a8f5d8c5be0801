// The show goes on: planted faults, and a sine beside them that must not notice.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import { planted } from '#src/control/kernels.js';
import { WORKER, workerWord } from '#src/shared/layout.js';
import {
  ENDLESS,
  TRAP,
  SLOW,
  patch,
  type Run,
  load,
  after,
  until,
  record,
  sine,
  firstDifference,
  poke,
  firstState,
  firstParam,
  choir,
} from './fault-fixture.js';

describe('a module that puts out NaN', () => {
  // Number 2 and 3, lanes 0 and 1 of one state, computed by one call.
  const CABLES = (type: string): { from: string; to: string; gain?: number }[] => [
    { from: 'vco.saw', to: 'good.in' },
    { from: 'vco.saw', to: 'bad.in' },
    { from: type === 'vcf' ? 'good.low' : 'good.out', to: 'out.left', gain: 0.5 },
    { from: type === 'vcf' ? 'bad.low' : 'bad.out', to: 'out.right' },
  ];
  const FRAMES = 48_000 * 10;
  const play = async (
    type: string,
    during: (run: Run) => Promise<void>,
  ): Promise<{ run: Run; left: Float32Array; right: Float32Array }> => {
    const run = await load(patch({ type }, { good: { type } }, CABLES(type)));
    const [left, right] = (await record(run, FRAMES, () => during(run))) as [Float32Array, Float32Array];
    return { run, left, right };
  };
  const isSound = (signal: Float32Array): boolean => signal.every((value) => Math.abs(value) < 2);

  it.each([NaN, Infinity, -Infinity, 1e38])(
    'once (%d) is silenced and begins anew; the module in the next lane does not notice',
    async (value) => {
      const { left: alone } = await play('vcf', async () => {});
      const { run, left, right } = await play('vcf', async ({ engine, faults }) => {
        await after(engine, 10_000);
        while (faults.length === 0) {
          // The kernel may write over it; when it did not, that is told soon. Eight would be too many.
          poke(engine, 3, 1, firstState, value);
          for (let looks = 0; looks < 100 && faults.length === 0; looks++) await sleep(2);
        }
      });
      expect(firstDifference(left, alone)).toBe(-1);
      expect(isSound(right)).toBe(true);
      expect(right.subarray(-1000).some((sample) => Math.abs(sample) > 0.01)).toBe(true);
      expect(run.faults[0]).toMatchObject({ what: 'nan', id: 'bad', bypassed: false });
      expect(run.engine.moduleInfo('bad')).toMatchObject({ state: 'running', faults: expect.any(Number) as number });
      expect(run.engine.moduleInfo('good')).toMatchObject({ state: 'running', faults: 0 });
    },
  );

  it('again and again is bypassed', async () => {
    const { left: alone } = await play('attenuverter', async () => {});
    const { run, left, right } = await play('attenuverter', async ({ engine }) => {
      await after(engine, 10_000);
      poke(engine, 3, 1, firstParam, NaN);
    });
    expect(firstDifference(left, alone)).toBe(-1);
    expect(isSound(right)).toBe(true);
    expect(right.subarray(-1000).every((sample) => Math.abs(sample) < 1e-4)).toBe(true);
    expect(run.faults.at(-1)).toMatchObject({ what: 'nan', id: 'bad', bypassed: true });
    expect(run.engine.moduleInfo('bad')).toMatchObject({ state: 'bypassed', faults: 8 });
    expect(run.engine.moduleInfo('good')).toMatchObject({ state: 'running', faults: 0 });
  });
});

describe('a kernel that traps', () => {
  it('is bypassed, and everything else plays on, bit for bit', async () => {
    planted.set('noise', TRAP);
    const run = await load(
      patch({ type: 'noise' }, { vcf: { type: 'vcf' } }, [
        { from: 'bad.white', to: 'vcf.in' },
        { from: 'vcf.low', to: 'out.right' },
      ]),
    );
    const [left, right] = (await record(run, 48_000 * 2)) as [Float32Array, Float32Array];
    expect(firstDifference(left, await sine(left.length))).toBe(-1);
    expect(right.every((value) => Math.abs(value) < 1e-6)).toBe(true);
    expect(run.faults.map(({ what, id, bypassed }) => ({ what, id, bypassed }))).toEqual([{ what: 'trap', id: 'bad', bypassed: true }]);
    expect(run.engine.moduleInfo('bad')).toMatchObject({ state: 'bypassed', faults: 1 });
  });

  it('stays bypassed through edits, until it is revived or made anew', async () => {
    planted.set('noise', TRAP);
    const run = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]));
    const { engine, faults } = run;
    await record(run, 48_000 * 600, async () => {
      await until(() => faults.length === 1);
      await engine.createModule('lfo', 'lfo1');
      await after(engine, 48_000);
      expect(faults.length).toBe(1);
      expect(engine.moduleInfo('bad').state).toBe('bypassed');
      engine.reviveModule('bad');
      await until(() => faults.length === 2);
      await engine.removeModule('bad');
      planted.clear();
      await engine.createModule('lfo', 'bad');
      expect(engine.moduleInfo('bad').state).toBe('running');
      await engine.stop();
    });
  });
});

describe('a kernel that never ends', () => {
  it.each([1, 2])('is found, bypassed, and its thread replaced (%i workers)', async (workers) => {
    planted.set('noise', ENDLESS);
    const run = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]), { workers });
    const [left] = (await record(run, 48_000 * 4)) as [Float32Array];
    expect(firstDifference(left, await sine(left.length))).toBe(-1);
    expect(run.faults.map(({ what, id }) => [what, id])).toEqual([
      ['stuck', 'bad'],
      ['worker', undefined],
    ]);
    expect(run.engine.moduleInfo('bad').state).toBe('bypassed');
  });

  it('does not keep the engine from stopping', async () => {
    planted.set('noise', ENDLESS);
    const { engine } = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]));
    await engine.start({ driver: 'null' });
    await until(() => [0, 1].some((worker) => Atomics.load(engine.arena.words, workerWord(worker, WORKER.AT)) !== 0));
    const begin = performance.now();
    await engine.stop();
    expect(performance.now() - begin).toBeLessThan(2000);
  });
});

/** So much that both threads have work. */
describe('a thread', () => {
  const kill = async (engine: Engine, worker: number): Promise<void> => {
    const { restarts } = engine.stats().workers[worker]!;
    await engine.killWorker(worker);
    await until(() => {
      const now = engine.stats().workers[worker]!;
      return now.alive && now.restarts > restarts;
    });
  };

  it('that dies, again and again, is replaced, and no sample is lost', async () => {
    const expected = await record(await load(choir()), 48_000 * 10);
    const run = await load(choir());
    let deaths = 0;
    const heard = await record(run, 48_000 * 10, async () => {
      for (const worker of [0, 1, 0]) {
        await after(run.engine, 2000);
        await kill(run.engine, worker);
        deaths++;
      }
    });
    expect(deaths).toBe(3);
    expect(firstDifference(heard[0]!, expected[0]!)).toBe(-1);
    expect(run.faults.map(({ what }) => what).filter((what) => what !== 'worker')).toEqual([]);
    expect(run.faults.length).toBe(3);
  });

  it('that dies in the module in which the one before died at once, takes it out of action', async () => {
    planted.set('noise', SLOW(100_000_000));
    const run = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]), { workers: 1 });
    const { engine, faults } = run;
    await record(run, 48_000, async () => {
      const word = (field: number): number => Atomics.load(engine.arena.words, workerWord(0, field));
      for (let death = 1, seat = -1; death <= 2; death++) {
        // Another thread than the one before, which has got as far as that module.
        await until(() => word(WORKER.SEAT) !== seat && word(WORKER.AT) !== 0);
        await sleep(10);
        seat = word(WORKER.SEAT);
        await kill(engine, 0);
      }
    });
    expect(faults.map(({ what, id }) => [what, id])).toEqual([
      ['worker', undefined],
      ['stuck', 'bad'],
      ['worker', undefined],
    ]);
    expect(engine.moduleInfo('bad').state).toBe('bypassed');
    expect(engine.moduleInfo('vco').state).toBe('running');
  });

  it('that is asked to leaves its place to the spare between two blocks', async () => {
    const expected = await record(await load(choir()), 48_000 * 10);
    const run = await load(choir());
    const { engine, faults } = run;
    const heard = await record(run, 48_000 * 10, async () => {
      for (const worker of [0, 1, 0, 1]) {
        await after(engine, 2000);
        await engine.restartWorker(worker);
      }
      // Threads of a test do not ask for priority.
      const { workers } = engine.stats();
      expect(workers.map(({ restarts, alive, scheduling }) => [restarts, alive, scheduling])).toEqual([
        [2, true, 'normal'],
        [2, true, 'normal'],
      ]);
      expect(new Set(workers.map(({ flushesDenormals }) => flushesDenormals)).size).toBe(1);
    });
    expect(firstDifference(heard[0]!, expected[0]!)).toBe(-1);
    expect(firstDifference(heard[1]!, expected[1]!)).toBe(-1);
    expect(faults).toEqual([]);
  });
});

describe('threads that grow old', () => {
  it('are replaced, one after the other, without a gap', async () => {
    const run = await load(patch({ type: 'noise' }), { workers: 1, maxThreadAgeS: 0.1 });
    const [left] = (await record(run, 48_000 * 60, async () => {
      await until(() => run.engine.stats().workers[0]!.restarts >= 1);
    })) as [Float32Array];
    expect(firstDifference(left, await sine(left.length))).toBe(-1);
    expect(run.faults).toEqual([]);
  });
});

describe('a module that takes too long', () => {
  it('is left alone offline, where no block is late', async () => {
    planted.set('noise', SLOW(5_000_000));
    const run = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]), { workers: 1 });
    await record(run, 64 * 150);
    expect(run.faults).toEqual([]);
    expect(run.engine.moduleInfo('bad').cost!.p50Us).toBeGreaterThan(500);
  });

  it('is bypassed while blocks are late', async () => {
    planted.set('noise', SLOW(5_000_000));
    const run = await load(patch({ type: 'noise' }, {}, [{ from: 'bad.white', to: 'out.right' }]), { workers: 1 });
    await run.engine.start({ driver: 'null' });
    await until(() => run.faults.length > 0);
    expect(run.faults[0]).toMatchObject({ what: 'budget', id: 'bad', bypassed: true });
    const { cost } = run.engine.moduleInfo('bad');
    expect(cost!.p50Us).toBeGreaterThan(500);
    expect(run.engine.moduleInfo('vco').state).toBe('running');
  });
});
