// The checks of the chaos test, each seen to fail: a gap, a command, memory, a job, a fault, a thread that are planted are found.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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

  it('is in as many pieces as the device has heard', () => {
    const tone = Float32Array.from({ length: PERIOD }, (_, frame) => sample(frame));
    const heard = Float32Array.from({ length: 4000 }, (_, frame) => sample(frame < 1000 ? frame : frame < 1064 ? 0 : frame + 37));
    expect(heardPieces(heard, tone)).toHaveLength(2);
    expect(heardPieces(heard.subarray(1100), tone)).toHaveLength(1);
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
