// The promise of exactness: the same patch gives the same bits for any block, any number of workers, offline and live.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import { render } from '#src/control/render.js';
import { PACKAGE_ROOT } from '#src/kernel/source.js';
import { readFloatWav } from './wav.js';

const patchText = (name: string): string => readFileSync(resolve(PACKAGE_ROOT, 'patches', name), 'utf8');
const SECONDS = 30;

/** What `render` calls sha256: of interleaved little-endian floats. */
function hashOf(channels: readonly Float32Array[], frames: number): string {
  const samples = new Float32Array(frames * channels.length);
  channels.forEach((channel, c) => channel.subarray(0, frames).forEach((value, i) => (samples[i * channels.length + c] = value)));
  return createHash('sha256').update(Buffer.from(samples.buffer)).digest('hex');
}

describe('krell.json', () => {
  it('renders to the same bits for every block size and number of workers', async () => {
    const hashes = new Map<string, string>();
    for (const blockFrames of [16, 64, 256, 1024])
      for (const workers of [1, 2]) {
        const { sha256, frames } = await render(patchText('krell.json'), { seconds: SECONDS, blockFrames, workers });
        expect(frames).toBe(SECONDS * 48_000);
        hashes.set(`block ${blockFrames}, ${workers} workers`, sha256);
      }
    const [first] = hashes.values();
    for (const [situation, hash] of hashes) expect(hash, situation).toBe(first);
  }, 120_000);

  it('sounds otherwise with another seed', async () => {
    const one = await render(patchText('krell.json'), { seconds: 5 });
    const two = await render(patchText('krell.json'), { seconds: 5, seed: 99 });
    expect(one.sha256).not.toBe(two.sha256);
  });

  it('is recorded live, on the null driver, with the same bits', async () => {
    const { sha256 } = await render(patchText('krell.json'), { seconds: 3 });
    const path = join(mkdtempSync(join(tmpdir(), 'krell-live-')), 'live.wav');
    // A machine that stands still during the take spoils it, as it would on a stage; the engine is not to blame.
    for (let take = 0; take < 5; take++) {
      const engine = await Engine.create({ workers: 2 });
      await engine.loadPatch(patchText('krell.json'));
      await engine.start({ driver: 'null', record: path });
      while (engine.stats().frames < 3 * 48_000) await new Promise((resolve) => setTimeout(resolve, 20));
      const { underruns, abandoned } = engine.stats();
      await engine.stop();
      if (underruns > 0 || abandoned > 0) continue;
      expect(hashOf(readFloatWav(path), 3 * 48_000)).toBe(sha256);
      return;
    }
    throw new Error('underruns in five takes of three seconds');
  }, 60_000);
});

describe('every patch', () => {
  it.each(['acid.json', 'pad.json', 'feedback-fm.json', 'drone.json'])(
    '%s is the same in blocks of 16 by one worker and of 512 by two',
    async (name) => {
      const one = await render(patchText(name), { seconds: 4, blockFrames: 16, workers: 1 });
      const two = await render(patchText(name), { seconds: 4, blockFrames: 512, workers: 2 });
      expect(two.sha256).toBe(one.sha256);
    },
  );
});
