// The audio host with a real DSP thread behind it: drivers null and file, gaps, the tap.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { AudioHost } from './audio-host.js';
import { Player } from '#src/host/player.js';
import { readFrame } from '#src/shared/frame.js';
import { CONTROL, RUN_IDLE, RUN_PLAYING, TAP_FRAMES, TAP_RING_W } from '#src/shared/layout.js';
import { FrameRing } from '#src/shared/ring.js';
import { readStamp } from '#src/shared/stamp.js';
import { TestArena } from '../realtime/arena.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-host-'));
afterAll(() => rmSync(folder, { recursive: true }));

let arena: TestArena;
let host: AudioHost | undefined;
afterEach(async () => {
  await Promise.all([arena.stop(), host?.close()]);
  host = undefined;
});

/** One adder on a stereo bus: sample n is n + 1 volts. */
async function counting(config: ConstructorParameters<typeof TestArena>[0] = {}): Promise<void> {
  arena = new TestArena({ channels: 2, ...config });
  await arena.start(1);
  await arena.publish(arena.newPlan([{ inputs: [] }], [arena.newState(0)]));
}
/** Frames [from, from + count) of what `counting` says, interleaved. */
const counted = (count: number, from = 0): Float32Array =>
  Float32Array.from({ length: 2 * count }, (_, i) => ((from + (i >> 1) + 1) & 4095) * 0.1);
const sha256 = (samples: Float32Array): string => createHash('sha256').update(Buffer.from(samples.buffer)).digest('hex');

describe('the file driver', () => {
  it.each([
    { frames: 48_000, block: 64, depth: 4096 },
    { frames: 12_345, block: 1024, depth: 2048 },
    { frames: 1, block: 16, depth: 16 },
  ])('renders exactly $frames frames (block $block, ring $depth)', async ({ frames, block, depth }) => {
    await counting({ block, depth });
    const path = join(folder, `${frames}.wav`);
    host = await AudioHost.open({ memory: arena.memory, driver: 'file', periodFrames: 64, file: { path, frames, bits: '32f' } });
    expect(host.opened).toMatchObject({ driver: 'file', device: path });
    arena.setRun(RUN_PLAYING);
    const wanted = counted(frames);
    const result = await host.ended;
    expect(result).toEqual({ frames, sha256: sha256(wanted), peak: Math.max(...wanted), seconds: frames / 48000 });
    expect(readFileSync(path).subarray(58).equals(Buffer.from(wanted.buffer))).toBe(true);
    expect(readFrame(arena.words, CONTROL.HOST_FRAME_LO)).toBe(frames);
    expect(arena.get(CONTROL.UNDERRUNS)).toBe(0);
  });

  it('writes nothing without a path', async () => {
    await counting();
    host = await AudioHost.open({ memory: arena.memory, driver: 'file', periodFrames: 64, file: { frames: 1000, bits: 16 } });
    arena.setRun(RUN_PLAYING);
    expect(await host.ended).toMatchObject({ frames: 1000, sha256: sha256(counted(1000)) });
  });

  it('stopped half-way leaves a complete file of what there was', async () => {
    await counting();
    const path = join(folder, 'half.wav');
    host = await AudioHost.open({ memory: arena.memory, driver: 'file', periodFrames: 64, file: { path, frames: 2e9, bits: 16 } });
    arena.setRun(RUN_PLAYING);
    await arena.until(() => arena.get(CONTROL.HOST_FRAME_LO) > 10_000);
    await arena.stop();
    const { frames } = (await host.ended)!;
    expect(frames).toBe(arena.get(CONTROL.HOST_FRAME_LO));
    const file = readFileSync(path);
    expect(file.length).toBe(file.readUInt32LE(4) + 8);
    // Room for more than 4 GiB was kept.
    expect(file.readUInt32LE(76)).toBe(frames * 4);
  });

  it('says at once when the file cannot be written', async () => {
    await counting();
    const path = join(folder, 'no', 'where.wav');
    const open = AudioHost.open({ memory: arena.memory, driver: 'file', periodFrames: 64, file: { path, frames: 10, bits: 16 } });
    await expect(open).rejects.toMatchObject({
      code: 'unwritable',
      message: expect.stringContaining('its folder does not exist') as string,
    });
  });
});

describe('the null driver', () => {
  it('takes periods by the clock, and the engine follows', async () => {
    await counting({ depth: 1024 });
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 128 });
    expect(arena.get(CONTROL.PERIOD_FRAMES)).toBe(128);
    const start = performance.now();
    arena.setRun(RUN_PLAYING);
    await arena.until(() => arena.get(CONTROL.HOST_FRAME_LO) >= 48_000);
    const seconds = (performance.now() - start) / 1000;
    expect(arena.get(CONTROL.HOST_FRAME_LO) % 128).toBe(0);
    // Never ahead of the clock; how far behind is the machine's business.
    expect(seconds).toBeGreaterThan(0.97);
    const ahead = readFrame(arena.words, CONTROL.FRAME_LO) - readFrame(arena.words, CONTROL.HOST_FRAME_LO);
    expect(ahead).toBeLessThanOrEqual(1024 + 128 * (1 + arena.get(CONTROL.UNDERRUNS)));
  });

  it('is silent and counts nothing while the engine is idle', async () => {
    await counting();
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 64 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([arena.get(CONTROL.HOST_FRAME_LO), arena.get(CONTROL.UNDERRUNS)]).toEqual([0, 0]);
  });

  it('goes on when the engine does not keep up, and counts each period', async () => {
    arena = new TestArena({ channels: 2, depth: 192 });
    // No DSP thread at all: a ring with three periods and a half in it, and then nothing.
    arena.ring.write(counted(224), 0, 224);
    arena.setRun(RUN_PLAYING);
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 64 });
    await arena.until(() => arena.get(CONTROL.UNDERRUNS) >= 10);
    expect(arena.get(CONTROL.HOST_FRAME_LO)).toBeGreaterThanOrEqual(13 * 64);
  });

  it.each([
    { block: 64, periodFrames: 128 },
    { block: 128, periodFrames: 64 },
    { block: 64, periodFrames: 100 },
  ])(
    'has each period computed when it is due, if none is kept ready (block $block, period $periodFrames)',
    async ({ block, periodFrames }) => {
      await counting({ block, depth: 0 });
      host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames });
      arena.words[CONTROL.TAP] = 1;
      arena.setRun(RUN_PLAYING);
      await arena.until(() => arena.get(CONTROL.HOST_FRAME_LO) > 4800);
      // Between two periods less than a block is left over, but for one that came too late.
      const ahead: number[] = [];
      for (let i = 0; i < 50; i++) {
        ahead.push(arena.ring.fill());
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      expect(ahead.sort((a, b) => a - b)[25]).toBeLessThan(block);
      const taken = readFrame(arena.words, CONTROL.TAKEN_LO);
      expect(taken).toBeGreaterThan(4800 / 2);
      if (arena.get(CONTROL.UNDERRUNS) > 0) return;
      const tap = new FrameRing(arena.buffer, TAP_RING_W, TAP_FRAMES, 2);
      const heard = new Float32Array(2 * 4800);
      tap.read(heard, 0, 4800);
      expect(heard).toEqual(counted(4800));
    },
  );

  it('does not wait longer than a period for what does not come', async () => {
    arena = new TestArena({ channels: 2, depth: 0 });
    arena.ring.write(counted(64), 0, 64);
    arena.setRun(RUN_PLAYING);
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 64 });
    await arena.until(() => arena.get(CONTROL.UNDERRUNS) >= 10);
    expect(arena.get(CONTROL.HOST_FRAME_LO)).toBeGreaterThanOrEqual(11 * 64);
    expect(arena.get(CONTROL.STALLS)).toBeLessThan(arena.get(CONTROL.UNDERRUNS));
  });

  it('stamps its periods', async () => {
    await counting();
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 64 });
    arena.setRun(RUN_PLAYING);
    await arena.until(() => arena.get(CONTROL.HOST_FRAME_LO) > 4800);
    const stamp = { seconds: 0, nanoseconds: 0, frame: 0 };
    const frameBefore = readFrame(arena.words, CONTROL.TAKEN_LO) - 64;
    const before = Date.now() / 1000 - 0.5;
    readStamp(arena.words, stamp);
    const at = stamp.seconds + stamp.nanoseconds / 1e9;
    expect(at).toBeGreaterThan(before);
    expect(at).toBeLessThan(Date.now() / 1000 + 0.001);
    expect(stamp.frame).toBeGreaterThanOrEqual(frameBefore);
    expect(stamp.frame).toBeLessThanOrEqual(readFrame(arena.words, CONTROL.TAKEN_LO));
  });

  it('leaves within a second of the stop', async () => {
    await counting();
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 1024 });
    arena.setRun(RUN_PLAYING);
    await arena.stop();
    expect(await host.ended).toBeUndefined();
  });
});

describe('a player', () => {
  const PERIOD = 64;
  /** A player by hand: no threads, a ring that the test fills. */
  const byHand = (): { player: Player; period: Float32Array } => {
    arena = new TestArena({ channels: 2, depth: PERIOD });
    return { player: new Player(arena.memory, PERIOD), period: new Float32Array(2 * PERIOD) };
  };
  const wave = (frames: number): Float32Array => Float32Array.from({ length: 2 * frames }, (_, i) => 0.8 * Math.sin((i >> 1) / 20));
  const left = (samples: Float32Array): number[] => [...samples].filter((_, i) => i % 2 === 0);
  const largestStep = (samples: number[]): number => Math.max(...samples.slice(1).map((sample, i) => Math.abs(sample - samples[i]!)));

  it('is silent until the ring is as full as it is to be kept, then exact', () => {
    const { player, period } = byHand();
    const sound = wave(2 * PERIOD);
    arena.ring.write(sound, 0, 10);
    for (const state of [RUN_IDLE, RUN_PLAYING]) {
      arena.setRun(state);
      player.fill(period.fill(9));
      expect(new Set(period)).toEqual(new Set([0]));
    }
    arena.ring.write(sound, 10, 2 * PERIOD - 10);
    player.fill(period);
    expect(period).toEqual(sound.subarray(0, 2 * PERIOD));
    player.fill(period);
    expect(period).toEqual(sound.subarray(2 * PERIOD));
    expect([arena.get(CONTROL.UNDERRUNS), arena.get(CONTROL.HOST_FRAME_LO)]).toEqual([0, 2 * PERIOD]);
  });

  it.each([0, 1, 30, 63])('fades out where the sound breaks off (%i frames into a period) and in when it returns', (got) => {
    const { player, period } = byHand();
    const sound = wave(4 * PERIOD);
    arena.setRun(RUN_PLAYING);
    arena.ring.write(sound, 0, PERIOD + got);
    const heard: number[] = [];
    for (let i = 0; i < 3; i++) {
      player.fill(period);
      heard.push(...left(period));
    }
    arena.ring.write(sound, PERIOD + got, 2 * PERIOD);
    for (let i = 0; i < 2; i++) {
      player.fill(period);
      heard.push(...left(period));
    }
    expect(heard.slice(0, PERIOD + got)).toEqual(left(sound).slice(0, PERIOD + got));
    expect(heard[2 * PERIOD - 1]).toBe(0);
    expect(new Set(heard.slice(2 * PERIOD, 3 * PERIOD))).toEqual(new Set([0]));
    // A fade over one frame is a step; longer ones hardly add to the steps of the wave itself.
    if (got < 60) expect(largestStep(heard)).toBeLessThan(0.8 / 20 + 0.8 / (PERIOD - got) + 0.8 / PERIOD);
    expect(heard.slice(-PERIOD)).toEqual(left(sound).slice(2 * PERIOD + got, 3 * PERIOD + got));
    expect([arena.get(CONTROL.UNDERRUNS), arena.get(CONTROL.HOST_FRAME_LO)]).toEqual([2, 5 * PERIOD]);
  });

  it('that takes over from another fades in for its device, and records what the engine computed', () => {
    const { period } = byHand();
    const player = new Player(arena.memory, PERIOD, 0, true);
    const tap = new FrameRing(arena.buffer, TAP_RING_W, TAP_FRAMES, 2);
    const sound = new Float32Array(4 * PERIOD).fill(0.5);
    arena.setRun(RUN_PLAYING);
    arena.words[CONTROL.TAP] = 1;
    arena.ring.write(sound, 0, 2 * PERIOD);
    player.fill(period);
    expect([period[0], period.at(-1)]).toEqual([Math.fround(0.5 / PERIOD), 0.5]);
    expect(largestStep([0, ...left(period)])).toBeLessThan(0.01);
    player.fill(period);
    expect(period).toEqual(sound.subarray(0, 2 * PERIOD));
    const recorded = new Float32Array(4 * PERIOD);
    tap.read(recorded, 0, 2 * PERIOD);
    expect(recorded).toEqual(sound);
  });

  it('measures peaks until control takes them', () => {
    const { player, period } = byHand();
    arena.setRun(RUN_PLAYING);
    const floats = new Float32Array(arena.buffer);
    const peaks = (): number[] => [floats[CONTROL.PEAK_LEFT]!, floats[CONTROL.PEAK_RIGHT]!];
    const quiet = new Float32Array(2 * PERIOD).fill(0.25);
    const spikes = quiet.slice();
    [spikes[20], spikes[21]] = [-0.5, 0.75];
    for (const sound of [spikes, quiet]) {
      arena.ring.write(sound, 0, PERIOD);
      player.fill(period);
    }
    expect(peaks()).toEqual([0.5, 0.75]);
    floats[CONTROL.PEAK_LEFT] = floats[CONTROL.PEAK_RIGHT] = 0;
    arena.ring.write(quiet, 0, PERIOD);
    player.fill(period);
    expect(peaks()).toEqual([0.25, 0.25]);
  });

  it('copies what it plays into the tap while asked to, and counts what does not fit', () => {
    const { player, period } = byHand();
    const tap = new FrameRing(arena.buffer, TAP_RING_W, TAP_FRAMES, 2);
    arena.setRun(RUN_PLAYING);
    arena.words[CONTROL.TAP] = 1;
    const periods = TAP_FRAMES / PERIOD + 1;
    for (let i = 0; i < periods; i++) {
      arena.ring.write(counted(PERIOD, i * PERIOD), 0, PERIOD);
      player.fill(period);
    }
    expect([tap.fill(), tap.drops()]).toEqual([TAP_FRAMES, PERIOD]);
    const taken = new Float32Array(2 * TAP_FRAMES);
    tap.read(taken, 0, TAP_FRAMES);
    expect(Buffer.from(taken.buffer).equals(Buffer.from(counted(TAP_FRAMES).buffer))).toBe(true);
    arena.words[CONTROL.TAP] = 0;
    arena.ring.write(counted(PERIOD), 0, PERIOD);
    player.fill(period);
    expect(tap.fill()).toBe(0);
  });
});
