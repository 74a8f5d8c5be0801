// Events: on their frame whatever the block size, in order, counted when late or for nobody.
import { afterEach, describe, expect, it } from 'vitest';
import { COMMAND_ADD, COMMAND_NOTE, COMMANDS_OSC_W, CONTROL, RUN_PLAYING, SLOT, SLOTS_W } from '#src/shared/layout.js';
import { CommandRing } from '#src/shared/ring.js';
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

  it('beyond the pending queue stay in their ring until there is room, in their order', async () => {
    const engine = await oneAdder(64);
    const due = 20_000;
    engine.setRun(RUN_PLAYING);
    let played = 0;
    for (let batch = 0; batch < 3; batch++) {
      for (let i = 0; i < 8000; i++) expect(engine.send(0, batch * 1000 + (i % 1000), { frame: due })).toBe(true);
      played += (await engine.play(1280)).length;
    }
    expect(engine.get(CONTROL.PENDING)).toBe(16_384);
    expect(engine.get(CONTROL.HELD_BACK)).toBeGreaterThan(0);
    expect(engine.commands.fill()).toBe(24_000 - 16_384);
    const heard = values([...new Array<number>(played).fill(0), ...(await engine.play(due + 1280 - played))]);
    expect(heard[due]).toBe((8191 % 1000) + 1000);
    expect(heard.at(-1)).toBe(2999);
    expect(engine.get(CONTROL.PENDING)).toBe(0);
  });

  it('from outside leave room for those from control', async () => {
    const engine = await oneAdder(64);
    const fromOsc = new CommandRing(engine.buffer, COMMANDS_OSC_W);
    engine.setRun(RUN_PLAYING);
    for (let batch = 0; batch < 3; batch++) {
      for (let i = 0; i < 8000; i++) engine.send(0, 1, { frame: 1e9, ring: fromOsc });
      await engine.play(1280);
    }
    expect(fromOsc.fill()).toBeGreaterThan(0);
    const before = await engine.play(64);
    engine.send(0, 77);
    expect(values([...new Array<number>(3 * 1280).fill(0), ...before, ...(await engine.play(1280))]).at(-1)).toBe(77);
  });

  it('of no known kind are counted as stale', async () => {
    const engine = await oneAdder(64);
    for (const kind of [0, 4, -1]) engine.send(0, 9, { kind });
    engine.send(0, 9, { kind: COMMAND_NOTE });
    engine.setRun(RUN_PLAYING);
    expect(new Set(values(await engine.play(640)))).toEqual(new Set([0]));
    expect(engine.get(CONTROL.STALE_EVENTS)).toBe(4);
  });

  it('add to a whole number, each of them, round the end of the count', async () => {
    const engine = await oneAdder(64);
    for (let i = 0; i < 10; i++) engine.send(0, 3, { frame: 100, kind: COMMAND_ADD });
    engine.send(0, 2 ** 20 - 35, { frame: 200, kind: COMMAND_ADD });
    engine.send(0, 10, { frame: 300, kind: COMMAND_ADD });
    engine.send(0, -7, { frame: 400, kind: COMMAND_ADD });
    engine.send(0, 1, { frame: 500, kind: COMMAND_ADD, voice: 1 });
    engine.setRun(RUN_PLAYING);
    const heard = values(await engine.play(640));
    expect([99, 100, 200, 300, 400, 500].map((frame) => heard[frame])).toEqual([
      0,
      30,
      (2 ** 20 - 5) & 4095,
      5,
      (2 ** 20 - 2) & 4095,
      (2 ** 20 - 2) & 4095,
    ]);
    expect(engine.get(CONTROL.STALE_EVENTS)).toBe(1);
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
