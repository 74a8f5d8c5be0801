// The show goes on: planted faults, and a sine beside them that must not notice.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Engine, type EngineOptions } from '#src/control/engine.js';
import type { FaultEvent } from '#src/control/events.js';
import { planted } from '#src/control/kernels.js';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';
import { CONTROL, PARAM, SLOT, SLOTS_W, STATE, STEP, VECTOR_PARAMS, WORKER, workerWord } from '#src/shared/layout.js';
import { readFloatWav } from './wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-faults-'));
const engines: Engine[] = [];
afterEach(async () => {
  planted.clear();
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

const OPTIONS: EngineOptions = { workers: 2, realtime: false, seed: 1 };
const UNREACHABLE = 0x00;

/** A kernel that never comes back, and one that traps. */
const kernelOf = (body: (code: Bytes) => void): Uint8Array<ArrayBuffer> => {
  const code = new Bytes();
  body(code);
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [], body: code }]);
};
const ENDLESS = kernelOf((code) => code.block(OP.loop).branch(OP.br, 0).end());
const TRAP = kernelOf((code) => code.u8(UNREACHABLE));
/** Takes about `turns` nanoseconds. */
const SLOW = (turns: number): Uint8Array<ArrayBuffer> =>
  kernelOf((code) => code.int(turns).set(2).block(OP.loop).get(2).int(1).op(OP.i32Sub).tee(2).branch(OP.brIf, 0).end());

/** A sine on the left; on the right, a module under test through a filter. */
const patch = (module: object, modules: object = {}, cables: { from: string; to: string }[] = []): never =>
  ({
    format: 'krell-patch',
    formatVersion: 1,
    title: 'test',
    modules: { vco: { type: 'vco', params: { freq: 200 } }, out: { type: 'out', params: { limiter: false } }, ...modules, bad: module },
    cables: [{ from: 'vco.sine', to: 'out.left' }, ...cables],
  }) as never;

interface Run {
  readonly engine: Engine;
  readonly faults: FaultEvent[];
}

async function load(source: never, options: EngineOptions = {}): Promise<Run> {
  const engine = await Engine.create({ ...OPTIONS, ...options });
  engines.push(engine);
  const faults: FaultEvent[] = [];
  engine.on('fault', (event) => faults.push(event));
  await engine.loadPatch(source);
  return { engine, faults };
}

const after = async (engine: Engine, frames: number): Promise<void> => {
  const end = engine.frame + frames;
  while (engine.frame < end) await sleep(1);
};
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(2);
};

/** Plays `frames` into a file as fast as they come, `during` meanwhile. @returns left and right */
async function record({ engine }: Run, frames: number, during: () => Promise<void> = async () => {}): Promise<Float32Array[]> {
  const path = join(folder, `${Math.random()}.wav`);
  await engine.start({ driver: 'file', file: { path, frames, bits: '32f' } });
  await during();
  await engine.ended;
  await engine.stop();
  return readFloatWav(path);
}

let quiet: Promise<Float32Array> | undefined;
/** The sine when nothing goes wrong. */
const sine = (frames: number): Promise<Float32Array> =>
  (quiet ??= load(patch({ type: 'noise' })).then(async (run) => (await record(run, SINE_FRAMES))[0]!)).then((all) =>
    all.subarray(0, frames),
  );
const SINE_FRAMES = 48_000 * 60;

const firstDifference = (a: Float32Array, b: Float32Array): number => a.findIndex((value, i) => !Object.is(value, b[i]));

/** Sets a word of the state of the module that was made as number `nth`, in one lane. */
function poke(engine: Engine, nth: number, lane: number, vector: (params: number) => number, value: number): void {
  const { words, floats } = engine.arena;
  const state = words[SLOTS_W + nth * SLOT.WORDS + SLOT.STATE]! / 4;
  const at = vector(words[state + STATE.PARAMS]!) * words[state + STATE.LANES]! + lane;
  floats[state + STATE.HEADER_BYTES / 4 + at] = value;
}
const firstState = (params: number): number => VECTOR_PARAMS + params * PARAM.VECTORS;
const firstParam = (): number => VECTOR_PARAMS;

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
          poke(engine, 3, 1, firstState, value);
          await sleep(1);
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
const VOICES = 40;
const CHOIR = Object.fromEntries(
  Array.from({ length: VOICES }, (_, i) => [
    [`v${i}`, { type: 'vco', voices: 16, params: { freq: 100 + i } }],
    [`f${i}`, { type: 'vcf', voices: 16 }],
  ]).flat(),
);
const CHOIR_CABLES = Array.from({ length: VOICES }, (_, i) => [
  { from: `v${i}.saw`, to: `f${i}.in` },
  { from: `f${i}.low`, to: 'out.right', gain: 0.01 },
]).flat();
const choir = (): never => patch({ type: 'noise' }, CHOIR, CHOIR_CABLES);

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

describe('a device that plays', () => {
  /** A kernel that does nothing, and does not end as long as FLAG holds the slot of its module and, if it is merely slow, the leader waits. */
  const FLAG = 31;
  const heldUp = (isSlow: boolean): Uint8Array<ArrayBuffer> =>
    kernelOf((code) => {
      code
        .block(OP.loop)
        .int(0)
        .memory(OP.i32Load, FLAG * 4);
      code
        .get(0)
        .memory(OP.i32Load, STEP.SLOTS * 4)
        .op(OP.i32Eq);
      if (isSlow)
        code
          .int(0)
          .memory(OP.i32Load, CONTROL.ABANDONED * 4)
          .op(OP.i32Eqz)
          .op(OP.i32And);
      code.branch(OP.brIf, 0).end();
    });
  const GUESTS = Object.fromEntries(Array.from({ length: VOICES }, (_, i) => [`n${i}`, { type: 'noise', voices: 2 }]));
  const GUEST_CABLES = Array.from({ length: VOICES }, (_, i) => ({ from: `n${i}.white`, to: `f${i}.cutoff` }));

  /** The leader gives up on others with two blocks in the ring: 21 ms of these, which a machine may stand still. */
  const HELD_BLOCK = 512;
  /** Kept ready: less than the 100 ms after which a thread counts as hung, or nobody would have to be given up. */
  const HELD_MS = 60;

  /** Plays live while the module of a voice that thread 1 computes holds it up, until `during` is over. A machine that stands still spoils a take. */
  async function hold(kernel: Uint8Array<ArrayBuffer>, during: (run: Run) => Promise<void>): Promise<Run> {
    for (let take = 0; take < 8; take++) {
      planted.set('noise', kernel);
      const run = await load(patch({ type: 'lfo' }, { ...CHOIR, ...GUESTS }, [...CHOIR_CABLES, ...GUEST_CABLES]), {
        realtime: true,
        blockFrames: HELD_BLOCK,
      });
      const { engine } = run;
      const { words } = engine.arena;
      const path = join(folder, `${Math.random()}.wav`);
      await engine.start({ driver: 'null', latency: HELD_MS, record: path });
      const guest = Object.keys(GUESTS).findIndex((id) => engine.moduleInfo(id).worker === 1);
      await after(engine, 12_000);
      const slots = Array.from({ length: 200 }, (_, slot) => slot).filter((slot) => words[SLOTS_W + slot * SLOT.WORDS + SLOT.STATE]! > 0);
      // Made in the order of the patch: sine, output, the choir, the guests.
      Atomics.store(words, FLAG, slots[2 + 2 * VOICES + guest]! | (words[SLOTS_W + slots[2 + 2 * VOICES + guest]! * SLOT.WORDS]! << 16));
      await during(run);
      Atomics.store(words, FLAG, 0);
      await after(engine, 24_000);
      const { underruns, abandoned } = engine.stats();
      await engine.stop();
      // Whoever comes first computes it: when that was the leader, there was nobody to be given up.
      if (underruns > 0 || abandoned === 0) continue;
      const [left] = readFloatWav(path) as [Float32Array];
      expect(firstDifference(left, await sine(left.length))).toBe(-1);
      return run;
    }
    throw new Error('underruns in eight takes');
  }

  it('waits for no thread: while a module of another one hangs, a sine has no gap', async () => {
    const { engine, faults } = await hold(heldUp(false), ({ engine, faults }) =>
      until(() => faults.some(({ what }) => what === 'worker') && engine.stats().workers[1]!.alive),
    );
    const kinds = faults.map(({ what }) => what);
    expect(kinds).toContain('late');
    expect(kinds.filter((what) => what !== 'late')).toEqual(['stuck', 'worker']);
    const { id } = faults.find(({ what }) => what === 'stuck')!;
    expect(engine.moduleInfo(id!).state).toBe('bypassed');
    expect(engine.stats().workers.map(({ restarts }) => restarts)).toEqual([0, 1]);
  });

  it('lets a thread that was merely slow go on', async () => {
    const { engine, faults } = await hold(heldUp(true), ({ engine, faults }) =>
      until(() => engine.stats().abandoned > 0 || faults.length > 0),
    );
    expect(faults.map(({ what }) => what).filter((what) => what !== 'late')).toEqual([]);
    expect(engine.stats().workers.map(({ restarts }) => restarts)).toEqual([0, 0]);
    expect(engine.listModules().every(({ state }) => state === 'running')).toBe(true);
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
