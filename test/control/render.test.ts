// Rendering from the library: to memory, to a file, exact to the frame.
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { render, toWav } from '#src/index.js';
import { readFloatWav } from './wav.js';

const patch = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco: { type: 'vco' }, out: { type: 'out' } },
  cables: [{ from: 'vco.saw', to: 'out.left' }],
} as never;
const folder = mkdtempSync(join(tmpdir(), 'krell-render-'));

describe('render', () => {
  it('gives the same samples in memory and in a file', async () => {
    const out = join(folder, 'a.wav');
    const { channels, frames } = await render(patch, { seconds: 0.1234567, out, keep: true });
    expect(frames).toBe(Math.round(0.1234567 * 48_000));
    expect(channels!.map((channel) => channel.length)).toEqual([frames, frames]);
    const read = readFloatWav(out);
    channels!.forEach((channel, c) => expect(Buffer.compare(Buffer.from(channel.buffer), Buffer.from(read[c]!.buffer))).toBe(0));
  });

  it('takes no more of the processor with a thread that has nothing to do', async () => {
    const krell = readFileSync(new URL('../../patches/krell.json', import.meta.url), 'utf8');
    const cost = async (workers: number): Promise<number> => {
      const before = process.cpuUsage();
      await render(krell, { seconds: 30, workers });
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    await cost(1);
    const ratios: number[] = [];
    for (let i = 0; i < 2; i++) ratios.push((await cost(2)) / (await cost(1)));
    // One that spins takes as much as the one that works.
    expect(Math.min(...ratios)).toBeLessThan(1.4);
  });

  it('makes a WAV file of samples in memory', async () => {
    const { channels } = await render(patch, { seconds: 0.1, keep: true });
    const wav = toWav(channels!, 48_000, 16);
    expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
    expect(wav.length).toBe(44 + 4800 * 2 * 2);
  });

  it.each([
    [16, 2],
    [24, 3],
    ['32f', 4],
  ] as const)('writes %s bits, as many frames as asked for', async (bits, bytes) => {
    const out = join(folder, `${bits}.wav`);
    await render(patch, { seconds: 0.5, sampleRate: 44_100, bits, out });
    const data = readFileSync(out);
    expect(data.readUInt32LE(data.indexOf('data', 12) + 4)).toBe(22_050 * 2 * bytes);
    expect(statSync(out).size).toBeGreaterThan(22_050 * 2 * bytes);
  });

  it('can be called off', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(render(patch, { seconds: 100_000, signal: abort.signal })).rejects.toThrow('enough');
  });

  it.each([{ seconds: 0 }, { seconds: NaN }, { seconds: 1, out: '/no/such/folder/a.wav' }, { seconds: 1, out: '/' }])(
    'refuses %j',
    async (options) => {
      await expect(render(patch, options)).rejects.toThrow(/seconds is|cannot write/);
    },
  );
});
