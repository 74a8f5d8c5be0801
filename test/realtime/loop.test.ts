// The DSP loop with real threads: every partition once per block, in order, whoever runs it.
import { afterEach, describe, expect, it } from 'vitest';
import { CONTROL, RUN_PLAYING, WORKER } from '#src/shared/layout.js';
import { readFrame } from '#src/shared/frame.js';
import { adderKernel, expected, TestArena, type Adder } from './arena.js';

let arena: TestArena | undefined;
afterEach(async () => {
  await arena?.stop();
  arena = undefined;
});

/** Numbers that look random and are the same every time. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Adders that listen to up to three earlier ones, meant for alternating threads. */
const randomDag = (count: number, workers: number, random: () => number): Adder[] =>
  Array.from({ length: count }, (_, i) => ({
    inputs: [...new Set(Array.from({ length: Math.min(i, 3) }, () => Math.floor(random() * i)))],
    worker: Math.floor(random() * workers),
  }));

function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  return order;
}

const CHAIN: Adder[] = [{ inputs: [] }, { inputs: [0] }, { inputs: [1] }];

describe('the loop', () => {
  it.each([
    { workers: 1, spin: 0 },
    { workers: 2, spin: 0 },
    { workers: 2, spin: 2000 },
    { workers: 3, spin: 0 },
  ])(
    'runs every partition of a shuffled DAG once per block, after its inputs ($workers threads, spin $spin)',
    async ({ workers, spin }) => {
      arena = new TestArena({ spin });
      await arena.start(workers);
      const random = randoms(workers * 7 + spin);
      const adders = randomDag(40, workers, random);
      const states = adders.map((_, i) => arena!.newState(i));
      await arena.publish(arena.newPlan(adders, states, { order: shuffled(40, random), workers }));
      arena.setRun(RUN_PLAYING);
      const played = await arena.play(64 * 3000);
      const wrong = played.findIndex((value, n) => value !== expected(adders, 39, n));
      expect(wrong).toBe(-1);
      const summaries = await arena.stop();
      const blocks = arena.get(CONTROL.BLOCKS);
      expect(states.map((state) => arena!.callsOf(state))).toEqual(states.map(() => blocks));
      expect(summaries.map(({ faults }) => faults)).toEqual(summaries.map(() => 0));
      // With several threads, the others have taken part, not only been there.
      if (workers > 1) expect(summaries[1]!.blocks).toBeGreaterThan(100);
      arena = undefined;
    },
  );

  it('swaps plans in flight without losing or repeating a sample of any state', async () => {
    arena = new TestArena({ depth: 64 });
    await arena.start(2);
    const random = randoms(5);
    const adders = randomDag(24, 2, random);
    const states = adders.map((_, i) => arena!.newState(i));
    const plans = Array.from({ length: 40 }, () => arena!.newPlan(adders, states, { order: shuffled(24, random), workers: 2 }));
    await arena.publish(plans[0]!);
    arena.setRun(RUN_PLAYING);
    const wrong: number[] = [];
    const check = (played: number[], from: number): void =>
      played.forEach((value, i) => value !== expected(adders, 23, from + i) && wrong.push(from + i));
    let n = 0;
    for (const plan of plans) {
      const [played] = await Promise.all([arena.play(64 * 20), arena.publish(plan)]);
      check(played, n);
      n += played.length;
    }
    expect(wrong).toEqual([]);
    expect(arena.get(CONTROL.ADOPTED)).toBe(plans.length);
  });

  it('runs a loop of cables sample by sample and a chain block by block', async () => {
    arena = new TestArena();
    await arena.start(1);
    const [blockwise, samplewise] = [arena.newState(0), arena.newState(1)];
    await arena.publish(arena.newPlan([{ inputs: [] }], [blockwise]));
    arena.setRun(RUN_PLAYING);
    await arena.play(640);
    await arena.publish(arena.newPlan([{ inputs: [] }], [samplewise], { mode: 1 }));
    await arena.play(640 + arena.get(CONTROL.RING_DEPTH));
    await arena.stop();
    const blocks = arena.get(CONTROL.BLOCKS) - arena.callsOf(blockwise);
    expect(blocks).toBeGreaterThanOrEqual(10);
    expect(arena.callsOf(samplewise)).toBe(blocks * 64);
    arena = undefined;
  });

  it('plays silence without a plan and keeps time', async () => {
    arena = new TestArena({ channels: 2 });
    await arena.start(1);
    arena.setRun(RUN_PLAYING);
    expect(await arena.play(1000)).toEqual(new Array(1000).fill(0));
    expect(readFrame(arena.words, CONTROL.FRAME_LO)).toBe(arena.get(CONTROL.BLOCKS) * 64);
  });

  it('keeps the ring filled to its depth and no further', async () => {
    arena = new TestArena({ block: 64, depth: 200 });
    await arena.start(1);
    arena.setRun(RUN_PLAYING);
    await arena.until(() => arena!.ring.fill() === 192);
    await arena.until(() => arena!.get(CONTROL.LEADER_SLEEPS) > 3);
    expect(arena.ring.fill()).toBe(192);
  });

  it('counts a trap, ends the partition and goes on', async () => {
    arena = new TestArena();
    const kernel = adderKernel();
    await arena.start(1, [kernel, kernel]);
    const states = [arena.newState(0)];
    // Kernel 5 does not exist: the call through the table traps.
    await arena.publish(arena.newPlan([{ inputs: [] }], states, { kernel: 5 }));
    arena.setRun(RUN_PLAYING);
    expect(await arena.play(64 * 50)).toEqual(new Array(64 * 50).fill(0));
    expect(arena.worker(0, WORKER.FAULTS)).toBeGreaterThanOrEqual(50);
    await arena.publish(arena.newPlan([{ inputs: [] }], states, { kernel: 1 }));
    const played = await arena.play(64 * 50);
    expect(played.at(-1)).toBeGreaterThan(0);
  });

  it('installs kernels while it plays, also far beyond the size of the table', async () => {
    arena = new TestArena();
    await arena.start(2);
    arena.setRun(RUN_PLAYING);
    arena.postKernel(5000, await WebAssembly.compile(adderKernel()));
    await arena.until(() => arena!.worker(0, WORKER.KERNELS) === 2 && arena!.worker(1, WORKER.KERNELS) === 2);
    const states = [arena.newState(0)];
    await arena.publish(arena.newPlan([{ inputs: [] }], states, { kernel: 5000 }));
    const played = await arena.play(64 * 20);
    expect(played.slice(-64)).toEqual(Array.from({ length: 64 }, (_, i) => (played.at(-64)! + i) & 4095));
    expect(arena.worker(0, WORKER.FAULTS)).toBe(0);
  });

  it('counts a kernel that cannot be instantiated instead of dying of it', async () => {
    arena = new TestArena();
    await arena.start(1);
    // A module that wants an import nobody has: () → () from "x" "y".
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x78, 1, 0x79, 0, 0);
    arena.postKernel(1, await WebAssembly.compile(bytes));
    await arena.until(() => arena!.worker(0, WORKER.KERNELS) === 2);
    expect(arena.worker(0, WORKER.FAULTS)).toBe(1);
  });

  it('stops from idle, from playing and from a full ring', async () => {
    for (const state of ['idle', 'playing', 'full']) {
      const other = new TestArena();
      await other.start(2);
      await other.publish(
        other.newPlan(
          CHAIN,
          [0, 1, 2].map((i) => other.newState(i)),
          { workers: 2 },
        ),
      );
      if (state !== 'idle') other.setRun(RUN_PLAYING);
      if (state === 'playing') await other.play(6400);
      if (state === 'full') await other.until(() => other.ring.fill() === other.get(CONTROL.RING_DEPTH));
      const summaries = await other.stop();
      expect(summaries.map(({ worker }) => worker)).toEqual([0, 1]);
      expect([0, 1].map((worker) => other.worker(worker, WORKER.STATE))).toEqual([2, 2]);
    }
  });
});
