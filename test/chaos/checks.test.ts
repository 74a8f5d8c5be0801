// The checks of the chaos test, each seen to fail: a gap, a command, memory, a job, a fault, a thread that are planted are found.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CONTROL, HEAP, OUTPUT_RING_W, RING_FRAMES } from '#src/shared/layout.js';
import { FrameRing } from '#src/shared/ring.js';
import { Ear } from './ear.mjs';
import { heardPieces } from './pieces.js';
import { PLANTED, plant } from './kernels.js';
import { Show } from './show.js';
import { isPure, PERIOD, ToneCheck } from './tone.mjs';

const BLOCK = 64;
const sample = (frame: number): number => Math.fround(0.5 * Math.sin((2 * Math.PI * frame) / PERIOD));

/** Hears a sine of 100 blocks, as `change` has it. */
function hear(change: (frame: number) => number): ToneCheck {
  const check = new ToneCheck(BLOCK, PERIOD);
  for (let frame = 0; frame < 100 * BLOCK; frame++) check.hear(frame, change(frame), 0);
  check.end();
  return check;
}
const FROM = 50 * BLOCK;

describe('a sine', () => {
  it('that nothing happens to has no gap', () => {
    const check = hear(sample);
    expect(isPure(check.impurity)).toBe(true);
    expect(check.gaps).toEqual([]);
  });

  it('that is silent for a block has a gap of that block', () => {
    const { gaps } = hear((frame) => (frame >= FROM && frame < FROM + BLOCK ? 0 : sample(frame)));
    expect(gaps).toHaveLength(1);
    expect(gaps[0]!.from).toBeGreaterThanOrEqual(FROM);
    // The step back to the sine is part of the gap.
    expect(gaps[0]!.to).toBeLessThanOrEqual(FROM + BLOCK + 1);
    expect(gaps[0]!.to - gaps[0]!.from).toBeGreaterThan(BLOCK - 2);
  });

  it.each([
    ['is left out', 1],
    ['is played twice', -1],
  ])('of which a block %s goes on in another place, and the gap says so', (_, blocks) => {
    const { gaps } = hear((frame) => sample(frame >= FROM ? frame + blocks * BLOCK : frame));
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ from: FROM, behind: (PERIOD - blocks * BLOCK) % PERIOD });
  });

  it.each([NaN, Infinity, sample(FROM) + 1e-4])('with a single wrong sample (%d) has a gap', (wrong) => {
    const { gaps } = hear((frame) => (frame === FROM ? wrong : sample(frame)));
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ from: FROM, isFinite: Number.isFinite(wrong) });
  });

  it('that is none is not taken for one', () => {
    expect(isPure(hear((frame) => sample(frame) + 0.001 * sample(2 * frame)).impurity)).toBe(false);
    expect(isPure(hear(() => 0).impurity)).toBe(false);
  });

  it('is not learned across what nobody has heard', () => {
    const learn = (tellsOfIt: boolean): ToneCheck => {
      const check = new ToneCheck(BLOCK, PERIOD);
      const [from, to] = [PERIOD + BLOCK, PERIOD + 3 * BLOCK + 1];
      for (let frame = 0; frame < 20 * BLOCK; frame++) {
        if (frame === to && tellsOfIt) check.skip();
        // A block is lost meanwhile.
        if (frame < from || frame >= to) check.hear(frame, sample(frame < from ? frame : frame - BLOCK), 0);
      }
      check.end();
      return check;
    };
    const { impurity, gaps } = learn(true);
    expect(isPure(impurity)).toBe(true);
    expect(gaps).toEqual([]);
    expect(isPure(learn(false).impurity)).toBe(false);
  });

  it.each([1, 3])('of which %i blocks are lost while nobody hears it goes on in another place, and the gap says so', (blocks) => {
    const check = new ToneCheck(BLOCK, PERIOD);
    for (let frame = 0; frame < 100 * BLOCK; frame++) {
      if (frame === FROM) check.skip();
      if (frame < FROM - 10 * BLOCK || frame >= FROM) check.hear(frame, sample(frame >= FROM ? frame - blocks * BLOCK : frame), 0);
    }
    check.end();
    expect(check.gaps).toHaveLength(1);
    expect(check.gaps[0]).toMatchObject({ from: FROM, behind: blocks * BLOCK });
  });

  it('is in as many pieces as the device has heard', () => {
    const tone = Float32Array.from({ length: PERIOD }, (_, frame) => sample(frame));
    const heard = Float32Array.from({ length: 4000 }, (_, frame) => sample(frame < 1000 ? frame : frame < 1064 ? 0 : frame + 37));
    expect(heardPieces(heard, tone)).toHaveLength(2);
    expect(heardPieces(heard.subarray(1100), tone)).toHaveLength(1);
  });
});

describe('an ear', () => {
  const RATE = 48_000;
  /** An engine by hand, an ear, and a clock. */
  function listen(): { play: (frames: number, ms: number, change?: (frame: number) => number) => void; ear: Ear; check: ToneCheck } {
    const memory = new WebAssembly.Memory({ initial: HEAP / 65_536 + 1, maximum: HEAP / 65_536 + 1, shared: true });
    const words = new Int32Array(memory.buffer);
    [words[CONTROL.SAMPLE_RATE], words[CONTROL.BLOCK_FRAMES], words[CONTROL.CHANNELS]] = [RATE, BLOCK, 2];
    const ring = new FrameRing(memory.buffer as unknown as SharedArrayBuffer, OUTPUT_RING_W, RING_FRAMES, 2);
    const check = new ToneCheck(BLOCK, PERIOD);
    let now = 0;
    let frame = 0;
    const ear = new Ear(memory, check, () => now);
    const play = (frames: number, ms: number, change = sample): void => {
      for (let done = 0; done < frames; done += BLOCK, frame += BLOCK) {
        const block = Float32Array.from({ length: 2 * BLOCK }, (_, i) => change(frame + (i >> 1)));
        ring.release(ring.fill());
        ring.write(block, 0, BLOCK);
      }
      now += ms;
      ear.look();
    };
    return { play, ear, check };
  }

  it('misses nothing as long as it looks in time, and hears a planted gap', () => {
    const { play, ear, check } = listen();
    for (let i = 0; i < 40; i++) play(4 * BLOCK, 5);
    play(4 * BLOCK, 5, () => 0);
    for (let i = 0; i < 40; i++) play(4 * BLOCK, 5);
    check.end();
    expect(ear).toMatchObject({ frames: 81 * 4 * BLOCK, missed: 0, excused: 0 });
    expect(check.gaps).toMatchObject([{ from: 160 * BLOCK + 1 }]);
  });

  it.each([
    ['that it was late for', 500, 24_000],
    ['that came faster than they are played', 5, 0],
  ])('excuses only those frames %s', (_, ms, excused) => {
    const { play, ear, check } = listen();
    for (let i = 0; i < 40; i++) play(4 * BLOCK, 5);
    play(24_000, ms);
    // What has gone wrong meanwhile is heard afterwards.
    for (let i = 0; i < 40; i++) play(4 * BLOCK, 5, (frame) => sample(frame - BLOCK));
    check.end();
    expect(ear).toMatchObject({ missed: 24_000, excused });
    expect(check.gaps).toMatchObject([{ behind: BLOCK }]);
  });
});

it('a show that is sabotaged', async () => {
  plant();
  const show = await Show.open({ workers: 2, realtime: false });
  const { engine } = show;
  show.remember();
  // A command that nobody has sent, memory that nobody gives back, a job that nobody ends, a fault that nobody causes …
  show.ledger.set('dial0.offset', 1);
  engine.arena.take(64, 'a leak');
  show.witness.expect({ what: 'nan', id: 'nobody' });
  const stats = show.jobs.stats.bind(show.jobs);
  show.jobs.stats = () => ({ ...stats(), submitted: stats().submitted + 1 });
  // … a module that traps, a thread that dies, and a sine that jumps, of which nobody has told.
  await engine.edit([
    { kind: 'create', type: PLANTED.trap, id: 'bad' },
    { kind: 'connect', from: 'bad.out', to: 'out.right' },
  ]);
  // Not before it has: with its thread its turn could go.
  while (engine.moduleInfo('bad').state !== 'bypassed') await sleep(5);
  await engine.killWorker(1);
  await engine.set('sine', 'fine', 50);
  const broken = (await show.close()).join('\n');
  expect(broken).toMatch(/^dial0\.offset is 0 \(patch: 0\), last set to 1$/m);
  expect(broken).toMatch(/^jobs lost/m);
  expect(broken).toMatch(/^64 bytes of the arena are not given back$/m);
  expect(broken).toMatch(/^never reported: .*"nobody"/m);
  expect(broken).toMatch(/^nobody did this: .*"trap","message":"module 'bad'/m);
  expect(broken).toMatch(/^nobody did this: .*"worker"/m);
  expect(broken).toMatch(/^a gap in the sine that nothing explains/m);
});
