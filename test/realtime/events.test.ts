// Events: on their frame whatever the block size, in order, counted when late or for nobody.
import { afterEach, describe, expect, it } from 'vitest';
import { CONTROL, RUN_PLAYING, SLOT, SLOTS_W } from '#src/shared/layout.js';
import { TestArena } from './arena.js';

let arena: TestArena | undefined;
afterEach(async () => {
  await arena?.stop();
  arena = undefined;
});

/** An arena whose bus is one adder in slot 0, not yet playing. */
async function oneAdder(block: number, workers = 1): Promise<TestArena> {
  arena = new TestArena({ block });
  await arena.start(workers);
  await arena.publish(arena.newPlan([{ inputs: [] }], [arena.newState(0)], { workers }));
  return arena;
}
/** The parameter's value at every sample. */
const values = (played: number[]): number[] => played.map((value, n) => (value - n - 1) & 4095);

describe('events', () => {
  it.each([1, 16, 64, 100, 1024])('are applied on their exact frame (block %i)', async (block) => {
    const engine = await oneAdder(block);
    const events = [0, 1, 63, 64, 65, 500, 1023, 1024, 1999].map((frame, i) => ({ frame, value: 10 * (i + 1) }));
    // Sent in another order than that of their frames.
    for (const { frame, value } of events.toReversed()) engine.send(0, value, { frame });
    engine.setRun(RUN_PLAYING);
    const heard = values(await engine.play(2048));
    const wanted = heard.map((_, n) => events.findLast(({ frame }) => frame <= n)?.value ?? 0);
    expect(heard).toEqual(wanted);
    expect(engine.get(CONTROL.LATE_EVENTS)).toBe(0);
  });

  it.each([16, 100, 1024])('ramp over their frames, from any place in a block (block %i)', async (block) => {
    const engine = await oneAdder(block);
    engine.send(0, 100, { frame: 50, ramp: 100 });
    // Interrupted by another ramp on its way.
    engine.send(0, 0, { frame: 110, ramp: 30 });
    engine.setRun(RUN_PLAYING);
    const heard = values(await engine.play(1024));
    expect(heard.slice(0, 50)).toEqual(new Array(50).fill(0));
    expect(heard.slice(50, 110)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(heard.slice(110, 140)).toEqual(Array.from({ length: 30 }, (_, i) => 60 - 2 * (i + 1)));
    expect(heard.slice(140)).toEqual(new Array(884).fill(0));
  });

  it('on the same frame are applied in the order they came', async () => {
    const engine = await oneAdder(64);
    for (let value = 1; value <= 200; value++) engine.send(0, value, { frame: 100 });
    engine.setRun(RUN_PLAYING);
    expect(values(await engine.play(200))[150]).toBe(200);
  });

  it('without a frame are applied to the next block', async () => {
    const engine = await oneAdder(64);
    engine.send(0, 7);
    engine.setRun(RUN_PLAYING);
    expect(values(await engine.play(64))).toEqual(new Array(64).fill(7));
    expect(engine.get(CONTROL.LATE_EVENTS)).toBe(0);
  });

  it('that come too late are applied at once and counted', async () => {
    const engine = await oneAdder(64);
    engine.setRun(RUN_PLAYING);
    const before = await engine.play(640);
    engine.send(0, 9, { frame: 5 });
    const heard = values([...before, ...(await engine.play(1280))]);
    expect(heard.at(-1)).toBe(9);
    expect(engine.get(CONTROL.LATE_EVENTS)).toBe(1);
  });

  it('for a module that is gone are counted as stale', async () => {
    const engine = await oneAdder(64);
    engine.send(0, 9, { generation: 2 });
    engine.send(1, 9);
    engine.send(0, 9, { param: 1 });
    engine.send(0, 9, { voice: 1 });
    engine.send(0, 9, { voice: -2 });
    engine.setRun(RUN_PLAYING);
    expect(new Set(values(await engine.play(640)))).toEqual(new Set([0]));
    expect(engine.get(CONTROL.STALE_EVENTS)).toBe(5);
  });

  it('for a module that is not in the plan yet are waiting in its state', async () => {
    const engine = await oneAdder(64);
    const next = engine.newState(7);
    engine.send(7, 5);
    engine.setRun(RUN_PLAYING);
    await engine.play(640);
    expect(new Float32Array(engine.buffer)[(next + 72) >> 2]).toBe(5);
    engine.words[SLOTS_W + 7 * SLOT.WORDS + SLOT.STATE] = 0;
    engine.send(7, 6);
    await engine.play(640);
    expect(engine.get(CONTROL.STALE_EVENTS)).toBe(1);
  });

  it('more than a block can hold are all applied, those left over late', async () => {
    const engine = await oneAdder(64);
    for (let i = 1; i <= 10_000; i++) engine.send(0, i & 1023, { frame: 10 });
    engine.setRun(RUN_PLAYING);
    const heard = values(await engine.play(256));
    expect(heard[9]).toBe(0);
    expect(heard[10]).toBe(8192 & 1023);
    expect(heard[64]).toBe(10_000 & 1023);
    expect(engine.get(CONTROL.LATE_EVENTS)).toBe(10_000 - 8192);
  });

  it('beyond the pending queue are dropped and counted, the rest is kept', async () => {
    const engine = await oneAdder(64);
    const far = 1e9;
    engine.setRun(RUN_PLAYING);
    for (let batch = 0; batch < 3; batch++) {
      for (let i = 0; i < 8000; i++) engine.send(0, 1, { frame: far + i });
      await engine.play(1280);
    }
    expect(engine.get(CONTROL.PENDING)).toBe(16384);
    expect(engine.get(CONTROL.DROPPED_EVENTS)).toBe(24_000 - 16_384);
  });

  it('beyond 2³² frames are still on their frame', async () => {
    const engine = await oneAdder(64);
    const start = 2 ** 32 - 128;
    engine.words.set([start | 0, 0, 0], CONTROL.FRAME_LO);
    engine.send(0, 3, { frame: 2 ** 32 - 5 });
    engine.send(0, 4, { frame: 2 ** 32 + 70 });
    engine.setRun(RUN_PLAYING);
    const heard = values(await engine.play(512));
    expect(heard.findIndex((value) => value === 3)).toBe(123);
    expect(heard.findIndex((value) => value === 4)).toBe(198);
  });
});
