// The show goes on while a device plays: threads that are late are given up, and a sine beside them must not notice.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planted } from '#src/control/kernels.js';
import { OP } from '#src/kernel/wasm/encoder.js';
import { CONTROL, SLOT, SLOTS_W, STEP } from '#src/shared/layout.js';
import { readFloatWav } from './wav.js';
import {
  after,
  CHOIR,
  CHOIR_CABLES,
  firstDifference,
  folder,
  kernelOf,
  load,
  patch,
  type Run,
  sine,
  until,
  VOICES,
} from './fault-fixture.js';

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
