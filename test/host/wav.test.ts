// WAV files: right bytes, right length, right to the last bit where the format allows it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkWritable, WavFile } from '#src/host/wav-file.js';
import { toWav, WavEncoder, type WavFormat } from '#src/host/wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-wav-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FRAMES = 1001;
const left = Float32Array.from({ length: FRAMES }, (_, i) => 0.9 * Math.sin(i / 7));
const right = Float32Array.from({ length: FRAMES }, (_, i) => 0.5 * Math.cos(i / 3));
const stereo = Float32Array.from({ length: 2 * FRAMES }, (_, i) => (i & 1 ? right : left)[i >> 1]!);

function written(format: Partial<WavFormat>, samples = stereo, pieces = 3): Buffer {
  const path = join(folder, 'a.wav');
  const channels = format.channels ?? 2;
  const wav = new WavFile(path, { channels, sampleRate: 48000, bits: '32f', seed: 1, frames: samples.length / channels, ...format });
  const piece = Math.ceil(samples.length / channels / pieces) * channels;
  for (let at = 0; at < samples.length; at += piece) wav.write(samples.subarray(at, at + piece));
  wav.close();
  return readFileSync(path);
}

describe('a streamed WAV file', () => {
  it('of floats is byte for byte what audiobuffer-to-wav makes of the whole', () => {
    expect(written({}).equals(toWav([left, right], 48000, '32f'))).toBe(true);
    expect(written({ channels: 1 }, left).equals(toWav([left], 48000, '32f'))).toBe(true);
  });

  it('of 16 bits has the header of audiobuffer-to-wav and its samples within the dither', () => {
    const [ours, theirs] = [written({ bits: 16 }), toWav([left, right], 48000, 16)];
    expect(ours.subarray(0, 44)).toEqual(theirs.subarray(0, 44));
    expect(ours.length).toBe(theirs.length);
    for (let at = 44; at < ours.length; at += 2) expect(Math.abs(ours.readInt16LE(at) - theirs.readInt16LE(at))).toBeLessThanOrEqual(3);
  });

  it.each([16, 24] as const)('of %i bits is dithered: the same for a seed, without bias, independent of the pieces', (bits) => {
    const quiet = new Float32Array(200_000).fill(0.3 / 2 ** (bits - 1));
    const a = written({ bits, channels: 1 }, quiet, 1);
    expect(written({ bits, channels: 1 }, quiet, 7).equals(a)).toBe(true);
    expect(written({ bits, channels: 1, seed: 2 }, quiet, 1).equals(a)).toBe(false);
    let sum = 0;
    let square = 0;
    for (let at = 44; at < a.length; at += bits / 8) {
      const value = a.readIntLE(at, bits / 8);
      sum += value;
      square += (value - 0.3) ** 2;
    }
    // Rounded without dither, 0.3 steps would be 0. The error of TPDF dither has a variance of 1/4 step², whatever the signal.
    expect(sum / quiet.length).toBeCloseTo(0.3, 1.7);
    expect(square / quiet.length).toBeCloseTo(0.25, 1.7);
  });

  it('clips at full scale instead of wrapping', () => {
    const loud = Float32Array.of(1, -1, 2, -2, Infinity, -Infinity, NaN);
    for (const bits of [16, 24] as const) {
      const file = written({ bits, channels: 1 }, loud);
      const max = 2 ** (bits - 1);
      const samples = [...loud].map((_, i) => file.readIntLE(44 + (i * bits) / 8, bits / 8));
      samples.slice(0, 6).forEach((sample, i) => expect(Math.abs(sample - (i & 1 ? -max : max))).toBeLessThanOrEqual(2));
      expect(samples[6]).toBe(0);
    }
  });

  it('is padded to an even length, which its size does not count', () => {
    const file = written({ bits: 24, channels: 1 }, left.subarray(0, 3));
    expect(file.length).toBe(44 + 10);
    expect([file.readUInt32LE(4), file.readUInt32LE(40)]).toEqual([46, 9]);
  });

  it('of unknown length keeps room for a long header, and is read by others', () => {
    const path = join(folder, 'unknown.wav');
    const wav = new WavFile(path, { channels: 2, sampleRate: 44100, bits: 24, seed: 1 });
    wav.write(stereo);
    wav.close();
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(80 + FRAMES * 6);
    expect(bytes.toString('latin1', 12, 16)).toBe('JUNK');
    const info = spawnSync('soxi', [path], { encoding: 'utf8' });
    if (info.error === undefined) expect(info.stdout).toMatch(/Sample Rate +: 44100[^]*= 1001 samples/);
  });

  it('beyond 4 GiB says so as RF64 does', () => {
    const format: WavFormat = { channels: 2, sampleRate: 48000, bits: '32f', seed: 1 };
    const frames = 600_000_000;
    for (const encoder of [new WavEncoder(format), new WavEncoder({ ...format, frames })]) {
      const header = encoder.header(frames);
      expect(header.toString('latin1', 0, 4) + header.toString('latin1', 8, 16)).toBe('RF64WAVEds64');
      expect([header.readUInt32LE(4), header.readUInt32LE(76)]).toEqual([2 ** 32 - 1, 2 ** 32 - 1]);
      const sizes = [20, 28, 36].map((at) => Number(header.readBigUInt64LE(at)));
      expect(sizes).toEqual([72 + frames * 8, frames * 8, frames]);
    }
  });
});

describe('a place where nothing can be written', () => {
  it.each([
    ['nowhere/a.wav', /cannot write '.*nowhere\/a.wav': its folder does not exist/],
    ['', /it is a folder; name a file in it/],
    ['a.wav/b.wav', /a part of the path is not a folder|its folder does not exist/],
  ])('%s is an error, before and at opening', (name, message) => {
    written({});
    const path = join(folder, name);
    expect(() => checkWritable(path)).toThrow(message);
    expect(() => new WavFile(path, { channels: 1, sampleRate: 48000, bits: 16, seed: 1 })).toThrow(message);
  });

  it('is not made one by asking: a file that is there stays as it is', () => {
    const before = written({});
    checkWritable(join(folder, 'a.wav'));
    checkWritable(join(folder, 'new.wav'));
    expect(readFileSync(join(folder, 'a.wav')).equals(before)).toBe(true);
    expect(() => readFileSync(join(folder, 'new.wav'))).toThrow('ENOENT');
  });
});
