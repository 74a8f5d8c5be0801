import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '#src/control/patch/parse.js';
import { render } from '#src/control/render.js';
import { clicks, complaints, liveliness, readSound, type Sound } from './listen.js';

const folder = new URL('../../patches/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const scratch = mkdtempSync(join(tmpdir(), 'krell-patches-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const LONG_S = 10;
const SHORT_S = 3;
const load = (name: string): JsonObject => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as JsonObject;

describe.each(names)('patches/%s', (name) => {
  const out = join(scratch, `${name}.wav`);
  const patch = load(name);
  const source = fileURLToPath(new URL(name, folder));
  beforeAll(async () => void (await render(patch, { out, seconds: LONG_S, workers: 1, source })));

  it('is music: no clicks, no DC, no clipping, neither silent nor static, in stereo', () => {
    const sound = readSound(out);
    expect(sound.left.length).toBe(LONG_S * sound.sampleRate);
    expect(complaints(sound)).toEqual([]);
  });

  it('plays the same bits for the same seed, however long and in whatever blocks', async () => {
    const file = readFileSync(out);
    const data = file.indexOf('data', 12, 'latin1') + 8;
    const begin = file.subarray(data, data + SHORT_S * readSound(out).sampleRate * 8);
    const again = await render(patch, { seconds: SHORT_S, workers: 2, spin: 2000, blockFrames: 64, source });
    expect(again.sha256).toBe(createHash('sha256').update(begin).digest('hex'));
    const other = await render({ ...patch, seed: 4711 }, { seconds: SHORT_S, workers: 1, source });
    expect(other.sha256).not.toBe(again.sha256);
  });

  it('says what it shows and what to turn, of modules and parameters that it has', () => {
    const notes = patch['x-notes'] as string[];
    const modules = patch['modules'] as Record<string, { type: string; params?: JsonObject }>;
    const turned = notes.join(' ').split('Turn first:')[1]!;
    const named = [...turned.matchAll(/\b([a-z][a-z0-9]*)\.[a-z]\w*/g)].map(([, id]) => id!);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((id) => !(id in modules))).toEqual([]);
  });
});

describe('the ear that judges patches', () => {
  let sound: Sound;
  beforeAll(async () => {
    const out = join(scratch, 'ear.wav');
    await render(load('krell.json'), { out, seconds: LONG_S, workers: 1 });
    sound = readSound(out);
  });
  const change = (of: (v: number, i: number) => number): Sound => ({ ...sound, left: sound.left.map(of) });
  const second = (i: number): number => Math.floor(i / sound.sampleRate);

  it.each<[string, string, () => Sound]>([
    ['a sample that is not a number', 'left: not a number', () => change((v, i) => (i === 1234 ? NaN : v))],
    ['a signal driven into the limiter', 'left: clipped', () => change((v) => Math.tanh(6 * v))],
    ['a signal too soft', 'left: too soft', () => change((v) => v / 20)],
    ['a constant voltage', 'left: DC', () => change((v) => v + 0.002)],
    ['a late start', 'left: does not start', () => change((v, i) => (second(i) === 0 ? 0 : v))],
    ['a hole', 'left: silent in second 6', () => change((v, i) => (second(i) === 6 ? 0.001 * v : v))],
    ['a loop of one second', 'left: static', () => change((_, i) => sound.left[4 * sound.sampleRate + (i % sound.sampleRate)]!)],
    [
      'a short jump',
      'left: click at 5.000 s',
      () => change((v, i) => (i >= 5 * sound.sampleRate && i < 5 * sound.sampleRate + 9 ? v + 0.05 : v)),
    ],
    ['one channel twice', 'both channels are the same', () => ({ ...sound, left: sound.right })],
    ['one channel half as loud', 'one channel is louder', () => change((v) => v / 2)],
  ])('hears %s', (_, complaint, faulty) => {
    expect(complaints(faulty())).toContainEqual(expect.stringContaining(complaint));
  });

  it('does not take the edges of a saw for clicks, nor a steady saw for life', () => {
    const saw = Float32Array.from({ length: 4 * 48_000 }, (_, i) => (((i * 55) / 48_000) % 1) - 0.5);
    expect(clicks(saw, 48_000)).toEqual([]);
    expect(liveliness(saw, 48_000)).toBeLessThan(0.05);
  });
});
