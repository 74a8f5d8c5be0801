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

/** A file's chunks, found by their sizes. */
function chunksOf(bytes: Buffer): Record<string, Buffer> {
  expect(bytes.toString('latin1', 8, 12)).toBe('WAVE');
  const chunks: Record<string, Buffer> = {};
  let at = 12;
  for (let size; at < bytes.length; at += 8 + size + (size % 2)) {
    size = bytes.readUInt32LE(at + 4);
    chunks[bytes.toString('latin1', at, at + 4)] = bytes.subarray(at + 8, at + 8 + size);
  }
  expect(at).toBe(bytes.length);
  return chunks;
}

/** What a format chunk says, word by word. */
function formatOf(body: Buffer): Record<string, unknown> {
  const [tag, channels] = [body.readUInt16LE(0), body.readUInt16LE(2)];
  const [rate, perSecond] = [body.readUInt32LE(4), body.readUInt32LE(8)];
  const [perFrame, bits] = [body.readUInt16LE(12), body.readUInt16LE(14)];
  const plain = { tag, channels, rate, perSecond, perFrame, bits };
  if (body.length === 16) return plain;
  expect(body.length).toBe(18 + body.readUInt16LE(16));
  if (body.length === 18) return { ...plain, extension: 'empty' };
  return { ...plain, valid: body.readUInt16LE(18), speakers: body.readUInt32LE(20), kind: body.toString('hex', 24) };
}
const PCM_GUID = '0100000000001000800000aa00389b71';
const FLOAT_GUID = '0300000000001000800000aa00389b71';

describe('the format of a WAV file', () => {
  it.each([
    [16, 1, { tag: 1, perFrame: 2 }],
    [16, 2, { tag: 1, perFrame: 4 }],
    ['32f', 1, { tag: 3, perFrame: 4, extension: 'empty' }],
    ['32f', 2, { tag: 3, perFrame: 8, extension: 'empty' }],
    [24, 1, { tag: 0xfffe, perFrame: 3, valid: 24, speakers: 4, kind: PCM_GUID }],
    [24, 2, { tag: 0xfffe, perFrame: 6, valid: 24, speakers: 3, kind: PCM_GUID }],
    [16, 4, { tag: 0xfffe, perFrame: 8, valid: 16, speakers: 0, kind: PCM_GUID }],
    ['32f', 8, { tag: 0xfffe, perFrame: 32, valid: 32, speakers: 0, kind: FLOAT_GUID }],
  ] as const)('of %s bits and %i channels is told as the specification asks', (bits, channels, wanted) => {
    for (const frames of [FRAMES, undefined]) {
      const path = join(folder, `${bits}-${channels}.wav`);
      const wav = new WavFile(path, { channels, sampleRate: 48000, bits, seed: 1, ...(frames ? { frames } : {}) });
      wav.write(Float32Array.from({ length: FRAMES * channels }, (_, i) => left[Math.floor(i / channels)]!));
      wav.close();
      const bytes = readFileSync(path);
      const { 'fmt ': format, fact, data, ...more } = chunksOf(bytes);
      const perSecond = 48000 * wanted.perFrame;
      expect(formatOf(format!)).toEqual({ channels, rate: 48000, perSecond, bits: bits === '32f' ? 32 : bits, ...wanted });
      expect(fact?.readUInt32LE(0)).toBe(bits === '32f' ? FRAMES : undefined);
      expect(data!.length).toBe(FRAMES * wanted.perFrame);
      expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
      expect(Object.keys(more)).toEqual(frames ? [] : ['JUNK']);
      const info = spawnSync('soxi', [path], { encoding: 'utf8' });
      if (info.error !== undefined) continue;
      // Of floats in the extensible format sox believes that they, too, need an extension of their own.
      if (!(wanted.tag === 0xfffe && bits === '32f')) expect(info.stderr).toBe('');
      expect(info.stdout).toMatch(new RegExp(`Channels +: ${channels}[^]*= ${FRAMES} samples`));
    }
  });
});

describe('a streamed WAV file', () => {
  it('of floats is byte for byte what is made of the whole, whose samples are those given', () => {
    expect(written({}).equals(toWav([left, right], 48000, '32f'))).toBe(true);
    expect(written({ channels: 1 }, left).equals(toWav([left], 48000, '32f'))).toBe(true);
    expect(chunksOf(written({}))['data']).toEqual(Buffer.from(stereo.buffer));
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
    const data = chunksOf(a)['data']!;
    for (let at = 0; at < data.length; at += bits / 8) {
      const value = data.readIntLE(at, bits / 8);
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
      const data = chunksOf(written({ bits, channels: 1 }, loud))['data']!;
      const max = 2 ** (bits - 1);
      const samples = [...loud].map((_, i) => data.readIntLE((i * bits) / 8, bits / 8));
      samples.slice(0, 6).forEach((sample, i) => expect(Math.abs(sample - (i & 1 ? -max : max))).toBeLessThanOrEqual(2));
      expect(samples[6]).toBe(0);
    }
  });

  it('is padded to an even length, which its size does not count', () => {
    const file = written({ bits: 24, channels: 1 }, left.subarray(0, 3));
    expect(file.length).toBe(68 + 10);
    expect([file.readUInt32LE(4), file.readUInt32LE(64)]).toEqual([70, 9]);
  });

  it('of unknown length keeps room for a long header, and is read by others', () => {
    const path = join(folder, 'unknown.wav');
    const wav = new WavFile(path, { channels: 2, sampleRate: 44100, bits: 24, seed: 1 });
    wav.write(stereo);
    wav.close();
    const bytes = readFileSync(path);
    expect(bytes.length).toBe(104 + FRAMES * 6);
    expect(bytes.toString('latin1', 12, 16)).toBe('JUNK');
    const info = spawnSync('soxi', [path], { encoding: 'utf8' });
    if (info.error === undefined) expect(info.stdout).toMatch(/Sample Rate +: 44100[^]*= 1001 samples/);
  });

  it.each([
    ['16', 44],
    ['24', 68],
    ['32f', 58],
  ])('of %s bits is long as soon as its size does not fit', (name, headerBytes) => {
    const bits = name === '32f' ? name : (Number(name) as 16 | 24);
    const frameBytes = name === '32f' ? 4 : Number(name) / 8;
    // The RIFF size counts the header without its first 8 bytes; the padding of an odd length as well.
    const most = Math.floor((2 ** 32 - 1 - headerBytes) / frameBytes);
    const idAt = (frames: number): string =>
      new WavEncoder({ channels: 1, sampleRate: 48000, bits, seed: 1, frames }).header(frames).toString('latin1', 0, 4);
    expect([idAt(most), idAt(most + 16)]).toEqual(['RIFF', 'RF64']);
  });

  it('beyond 4 GiB says so as RF64 does', () => {
    const format: WavFormat = { channels: 2, sampleRate: 48000, bits: '32f', seed: 1 };
    const frames = 600_000_000;
    for (const encoder of [new WavEncoder(format), new WavEncoder({ ...format, frames })]) {
      const header = encoder.header(frames);
      expect(header.toString('latin1', 0, 4) + header.toString('latin1', 8, 16)).toBe('RF64WAVEds64');
      // RIFF, fact and data leave their sizes to that chunk.
      expect([4, 82, 90].map((at) => header.readUInt32LE(at))).toEqual([1, 1, 1].map(() => 2 ** 32 - 1));
      expect(header.toString('latin1', 74, 78) + header.toString('latin1', 86, 90)).toBe('factdata');
      const sizes = [20, 28, 36].map((at) => Number(header.readBigUInt64LE(at)));
      expect(sizes).toEqual([86 + frames * 8, frames * 8, frames]);
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
