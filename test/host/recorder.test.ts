// Recording what is played: to the bit, while it plays, whatever the disk does.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Recorder } from '#src/host/recorder.js';
import { CONTROL, RUN_IDLE, RUN_PLAYING, TAP_FRAMES, TAP_RING_W } from '#src/shared/layout.js';
import { FrameRing } from '#src/shared/ring.js';
import { TestArena } from '../realtime/arena.js';
import { AudioHost } from './audio-host.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-recorder-'));
afterAll(() => rmSync(folder, { recursive: true }));

let arena: TestArena;
let host: AudioHost | undefined;
afterEach(async () => {
  await Promise.all([arena.stop(), host?.close()]);
  host = undefined;
});

/** Of a float recording, with the room that a long one takes. */
const HEADER_BYTES = 94;

/** The left channel of a float recording (its header has room for a long one). */
function samples(path: string): number[] {
  const bytes = readFileSync(path);
  expect(bytes.length).toBe(bytes.readUInt32LE(4) + 8);
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset + HEADER_BYTES, bytes.byteOffset + bytes.length));
  return [...floats].filter((_, i) => i % 2 === 0);
}

describe('a recording', () => {
  it('begun before the engine plays holds its first sample and all that follow', async () => {
    arena = new TestArena({ channels: 2, depth: 2048 });
    await arena.start(1);
    await arena.publish(arena.newPlan([{ inputs: [] }], [arena.newState(0)]));
    host = await AudioHost.open({ memory: arena.memory, driver: 'null', periodFrames: 128 });
    const path = join(folder, 'whole.wav');
    const recorder = await Recorder.start(arena.memory, path);
    arena.setRun(RUN_PLAYING);
    await arena.until(() => arena.get(CONTROL.HOST_FRAME_LO) >= 24_000);
    arena.setRun(RUN_IDLE);
    const recording = await recorder.stop();
    expect(recording).toMatchObject({ path, drops: 0, seconds: recording.frames / 48000 });
    expect(recording.frames).toBeGreaterThanOrEqual(23_000);
    const heard = samples(path);
    expect(heard.length).toBe(recording.frames);
    // A gap (on a busy machine) ends what can be compared.
    const whole = arena.get(CONTROL.UNDERRUNS) === 0 ? heard.length : 2048;
    const wrong = heard.slice(0, whole).findIndex((sample, n) => sample !== Math.fround(((n + 1) & 4095) * 0.1));
    expect(wrong).toBe(-1);
  });

  /** What the host does, by hand: puts numbered frames into the tap. */
  const tapWith = (): { push: (frames: number) => void } => {
    arena = new TestArena({ channels: 2 });
    const tap = new FrameRing(arena.buffer, TAP_RING_W, TAP_FRAMES, 2);
    let n = 0;
    return {
      push: (frames) => {
        tap.write(
          Float32Array.from({ length: 2 * frames }, (_, i) => n + (i >> 1)),
          0,
          frames,
        );
        n += frames;
      },
    };
  };

  it('goes to disk while it lasts, so that memory does not grow with it', async () => {
    const { push } = tapWith();
    const path = join(folder, 'long.wav');
    const recorder = await Recorder.start(arena.memory, path);
    const tap = new FrameRing(arena.buffer, TAP_RING_W, TAP_FRAMES, 2);
    for (let i = 0; i < 6; i++) {
      push(TAP_FRAMES / 2);
      await arena.until(() => tap.fill() === 0);
    }
    // Readable before it ends.
    await arena.until(() => readFileSync(path).readUInt32LE(HEADER_BYTES - 4) === 3 * TAP_FRAMES * 8);
    expect(await recorder.stop()).toMatchObject({ frames: 3 * TAP_FRAMES, drops: 0 });
    const wrong = samples(path).findIndex((sample, n) => sample !== n);
    expect(wrong).toBe(-1);
  });

  it('counts what the ring could not hold, and does not count twice', async () => {
    const { push } = tapWith();
    for (const name of ['a.wav', 'b.wav']) {
      const recorder = await Recorder.start(arena.memory, join(folder, name));
      push(TAP_FRAMES + 1000);
      expect(await recorder.stop()).toMatchObject({ frames: TAP_FRAMES, drops: 1000 });
    }
  });

  it('does not hold what was left from an earlier one', async () => {
    const { push } = tapWith();
    push(500);
    const recorder = await Recorder.start(arena.memory, join(folder, 'c.wav'));
    push(10);
    await recorder.stop();
    expect(samples(join(folder, 'c.wav'))).toEqual(Array.from({ length: 10 }, (_, i) => 500 + i));
  });

  it('taps only while it lasts', async () => {
    tapWith();
    expect(arena.get(CONTROL.TAP)).toBe(0);
    const recorder = await Recorder.start(arena.memory, join(folder, 'd.wav'));
    expect(arena.get(CONTROL.TAP)).toBe(1);
    await recorder.stop();
    expect(arena.get(CONTROL.TAP)).toBe(0);
  });

  it('says where it cannot be written, and taps nothing', async () => {
    tapWith();
    await expect(Recorder.start(arena.memory, join(folder, 'no', 'e.wav'))).rejects.toMatchObject({ code: 'unwritable' });
    expect(arena.get(CONTROL.TAP)).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('on a full disk ends with an error that says so', async () => {
    const { push } = tapWith();
    const recorder = await Recorder.start(arena.memory, '/dev/full');
    push(1000);
    await expect(recorder.stop()).rejects.toThrow("cannot write '/dev/full': the disk is full");
  });
});
