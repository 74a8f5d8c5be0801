// What comes in: from the ring to the tables of `in` modules, and from one JACK port to another through a patch.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { input } from '#modules/in.js';
import { JackClient } from '#src/host/jack-library.js';
import { Engine, render } from '#src/index.js';
import { tableLayout } from '#src/kernel/index.js';
import { takeInput } from '#src/realtime/input.js';
import { advanceFrame } from '#src/shared/frame.js';
import { readFrame } from '#src/shared/frame.js';
import { CONTROL, HEAP, INPUT, INPUT_FRAMES, INPUT_RING_CHANNELS, INPUT_RING_W, RING_FRAMES } from '#src/shared/layout.js';
import { FrameRing } from '#src/shared/ring.js';
import { hasJack, startJack } from './jack.js';

const BLOCK = 64;
const TABLE = HEAP / 4;

describe('the leader', () => {
  let words: Int32Array;
  let floats: Float32Array;
  let ring: FrameRing;
  beforeEach(() => {
    const buffer = new SharedArrayBuffer(HEAP + 65_536);
    [words, floats] = [new Int32Array(buffer), new Float32Array(buffer)];
    ring = new FrameRing(buffer, INPUT_RING_W, RING_FRAMES, INPUT_RING_CHANNELS);
    words[CONTROL.BLOCK_FRAMES] = words[CONTROL.PERIOD_FRAMES] = BLOCK;
    words[CONTROL.INPUT_CHANNELS] = INPUT_RING_CHANNELS;
    words[CONTROL.INPUT_TABLE] = TABLE;
  });
  let next = 0;
  const arrive = (frames: number): void => {
    const samples = Float32Array.from({ length: 2 * frames }, (_, i) => (next + (i >> 1)) * (i % 2 ? -1 : 1));
    next += frames;
    ring.write(samples, 0, frames);
  };
  /** A block's volts as `in` modules find them. */
  const block = (): { left: number[]; right: number[] } => {
    takeInput(words, floats, ring);
    const start = floats[TABLE + INPUT.BLOCK_START]!;
    expect([start, floats[TABLE + INPUT.BLOCK_FRAMES]]).toEqual([words[CONTROL.FRAME_LO]! & (INPUT_FRAMES - 1), BLOCK]);
    const side = (offset: number): number[] =>
      Array.from({ length: BLOCK }, (_, frame) => floats[TABLE + offset + ((start + frame) & (INPUT_FRAMES - 1))]!);
    advanceFrame(words, CONTROL.FRAME_LO, BLOCK);
    return { left: side(INPUT.LEFT), right: side(INPUT.RIGHT) };
  };
  const counting = (from: number, scale: number, got = BLOCK): number[] =>
    Array.from({ length: BLOCK }, (_, frame) => (frame < got ? (from + frame) * scale : 0));

  it('puts each block where its frame belongs, in volts', () => {
    next = 1;
    for (let from = 1; from < 4 * INPUT_FRAMES; from += BLOCK) {
      arrive(BLOCK);
      expect(block()).toEqual({ left: counting(from, 10), right: counting(from, -10) });
    }
    expect(words[CONTROL.INPUT_UNDERRUNS]).toBe(0);
  });

  it('fills up with silence what does not come, and counts it once something has come', () => {
    next = 1;
    block();
    expect(words[CONTROL.INPUT_UNDERRUNS]).toBe(0);
    arrive(BLOCK + 10);
    block();
    expect(block().left).toEqual(counting(1 + BLOCK, 10, 10));
    expect(words[CONTROL.INPUT_UNDERRUNS]).toBe(1);
  });

  it('lets go of what is too old', () => {
    arrive(20 * BLOCK);
    block();
    expect(ring.fill()).toBe(BLOCK);
  });

  it('lays the tables out as the module does', () => {
    const { tables } = tableLayout(input);
    expect(tables.map(({ offset }) => offset / 4)).toEqual([INPUT.LEFT, INPUT.RIGHT, INPUT.BLOCK_START]);
    expect(tables.map(({ length }) => length)).toEqual([INPUT_FRAMES, INPUT_FRAMES, 1 + INPUT.BLOCK_FRAMES - INPUT.BLOCK_START]);
  });
});

const ECHO = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco: { type: 'vco', params: { freq: 100 } }, in: { type: 'in', params: { gain: -6.0206 } }, out: { type: 'out' } },
  cables: [
    { from: 'vco.sine', to: 'out.left' },
    { from: 'in.left', to: 'out.right' },
  ],
};

it('is silent offline', async () => {
  const { channels } = await render(ECHO, { seconds: 0.05, keep: true });
  expect(Math.max(...channels![0]!)).toBeGreaterThan(0.4);
  expect(new Set(channels![1]!)).toEqual(new Set([0]));
});

const TAKES = 20;
/** Frames that are looked at. */
const STRETCH = 12_000;

describe.skipIf(!hasJack)('through a JACK server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'krell-input-'));
  let end: () => Promise<void>;
  let engine: Engine | undefined;
  beforeEach(async () => (end = await startJack()));
  afterEach(async () => {
    await engine?.stop();
    await end();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    { driver: 'jack', latency: 'low', from: 'krell:out_1', to: 'krell:in_1' },
    { driver: 'jack', latency: 'safe', from: 'krell:out_1', to: 'krell:in_1' },
    { driver: 'portaudio', latency: 'safe', from: 'PortAudio:out_0', to: 'PortAudio:in_0' },
  ] as const)('hears itself, half as loud and always as late ($driver, $latency)', async ({ driver, latency, from, to }) => {
    engine = await Engine.create({ sampleRate: 48_000 });
    await engine.loadPatch(ECHO);
    const record = join(folder, `${driver}-${latency}.wav`);
    await engine.start({ driver, latency, inputs: 2, record, ...(driver === 'portaudio' ? { periodFrames: 128 } : {}) });
    const { words } = engine.arena;
    await sleep(100);
    const patchbay = new JackClient('krell-patchbay');
    // Beside the server's own inputs, which are silent.
    patchbay.connect(from, to);
    patchbay.close();
    await sleep(300);
    // An underrun, of the output or of the input, shifts the two against each other: a stretch without one is looked for.
    const shifts = (): number => engine!.stats().underruns + Atomics.load(words, CONTROL.INPUT_UNDERRUNS);
    let at = 0;
    for (let take = 0, before = -1; take < TAKES && shifts() !== before; take++) {
      before = shifts();
      at = readFrame(words, CONTROL.HOST_FRAME_LO) + 1000;
      while (readFrame(words, CONTROL.HOST_FRAME_LO) < at + STRETCH) await sleep(10);
    }
    await engine.stopRecording();
    const bytes = readFileSync(record);
    const data = bytes.indexOf('data', 12, 'latin1') + 8;
    const sample = (frame: number, channel: number): number => bytes.readFloatLE(data + 8 * frame + 4 * channel);
    // The echo's lag: where right fits half of left best, over one cycle of the tone.
    const misfit = (at: number, lag: number): number => {
      let worst = 0;
      for (let i = 0; i < 480; i += 5) worst = Math.max(worst, Math.abs(sample(at + i, 1) - 0.5 * sample(at + i - lag, 0)));
      return worst;
    };
    const lagAt = (at: number): number =>
      Array.from({ length: 480 }, (_, lag) => lag).reduce((best, lag) => (misfit(at, lag) < misfit(at, best) ? lag : best));
    const lag = lagAt(at);
    expect(misfit(at, lag)).toBeLessThan(0.02);
    expect(lagAt(at + 10_000)).toBe(lag);
  });
});
