// The promise of exactness: the same patch gives the same bits for any block and any number of workers (live: live-bits.test.ts).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { render } from '#src/control/render.js';
import { PACKAGE_ROOT } from '#src/kernel/source.js';

const patchText = (name: string): string => readFileSync(resolve(PACKAGE_ROOT, 'patches', name), 'utf8');
const SECONDS = 30;
/** As if waking up cost nothing: patches of this size are not cut for several threads otherwise. */
const CUT = { workers: 2, spin: 2000 };

describe('krell.json', () => {
  it('renders to the same bits for every block size and number of workers', async () => {
    const hashes = new Map<string, string>();
    for (const blockFrames of [16, 64, 256, 1024])
      for (const threads of [{ workers: 1 }, { workers: 2 }, CUT]) {
        const { sha256, frames } = await render(patchText('krell.json'), { seconds: SECONDS, blockFrames, ...threads });
        expect(frames).toBe(SECONDS * 48_000);
        hashes.set(`block ${blockFrames}, ${JSON.stringify(threads)}`, sha256);
      }
    const [first] = hashes.values();
    for (const [situation, hash] of hashes) expect(hash, situation).toBe(first);
  }, 120_000);

  it('sounds otherwise with another seed', async () => {
    const one = await render(patchText('krell.json'), { seconds: 5 });
    const two = await render(patchText('krell.json'), { seconds: 5, seed: 99 });
    expect(one.sha256).not.toBe(two.sha256);
  });
});

describe('every patch', () => {
  it.each(['acid.json', 'pad.json', 'feedback-fm.json', 'drone.json'])(
    '%s is the same in blocks of 16 by one worker and of 512 by two',
    async (name) => {
      const one = await render(patchText(name), { seconds: 4, blockFrames: 16, workers: 1 });
      const two = await render(patchText(name), { seconds: 4, blockFrames: 512, ...CUT });
      expect(two.sha256).toBe(one.sha256);
    },
  );
});
