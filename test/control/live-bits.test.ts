// The promise of exactness, live: what a device is given has the same bits as what is rendered.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import { render } from '#src/control/render.js';
import { PACKAGE_ROOT } from '#src/kernel/source.js';
import { DEEP_MS } from '../deep.js';
import { readFloatWav } from './wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-live-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `render` calls sha256: of interleaved little-endian floats. */
function hashOf(channels: readonly Float32Array[], frames: number): string {
  const samples = new Float32Array(frames * channels.length);
  channels.forEach((channel, c) => channel.subarray(0, frames).forEach((value, i) => (samples[i * channels.length + c] = value)));
  return createHash('sha256').update(Buffer.from(samples.buffer)).digest('hex');
}

it('krell.json is recorded live, on the null driver, with the bits it is rendered to', async () => {
  const patch = readFileSync(resolve(PACKAGE_ROOT, 'patches/krell.json'), 'utf8');
  const { sha256 } = await render(patch, { seconds: 3 });
  // A machine that stands still longer than the ring is deep spoils a take.
  for (let take = 0; take < 5; take++) {
    const engine = await Engine.create({ workers: 2 });
    await engine.loadPatch(patch);
    const record = join(folder, `${take}.wav`);
    await engine.start({ driver: 'null', latency: DEEP_MS, record });
    while (engine.stats().frames < 3 * 48_000) await sleep(20);
    const { underruns, abandoned } = engine.stats();
    await engine.stop();
    if (underruns > 0 || abandoned > 0) continue;
    expect(hashOf(readFloatWav(record), 3 * 48_000)).toBe(sha256);
    return;
  }
  throw new Error('underruns in five takes of three seconds');
}, 60_000);
