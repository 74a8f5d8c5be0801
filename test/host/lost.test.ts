// A sound server that ends in the middle of a piece and comes back: the engine keeps time, and sound returns by itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Engine } from '#src/index.js';
import type { DeviceEvent } from '#src/control/output.js';
import { hasJack, startJack } from './jack.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-lost-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WINDOW = 256;
const SINE = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco: { type: 'vco', params: { freq: 1000 } }, out: { type: 'out' } },
  cables: [{ from: 'vco.sine', to: 'out.left' }],
};

/** Windows of a recording in which the tone is missing. */
function gaps(path: string): number {
  const bytes = readFileSync(path);
  const data = bytes.indexOf('data', 12, 'latin1') + 8;
  let count = 0;
  for (let at = data; at + 8 * WINDOW <= bytes.length; at += 8 * WINDOW) {
    let peak = 0;
    for (let i = 0; i < WINDOW; i++) peak = Math.max(peak, Math.abs(bytes.readFloatLE(at + 8 * i)));
    if (peak < 0.2) count++;
  }
  return count;
}

describe.skipIf(!hasJack)('a JACK server that ends', () => {
  let engine: Engine | undefined;
  let end: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await engine?.stop();
    await end?.();
  });

  it('is played without, waited for and returned to, at the period it then has', async () => {
    end = await startJack(128);
    const events: DeviceEvent[] = [];
    const until = async (truth: () => boolean): Promise<void> => {
      for (let tries = 0; !truth(); tries++) {
        if (tries > 1000) throw new Error(`never: ${truth.toString()}; ${JSON.stringify({ events, ...engine!.stats() })}`);
        await sleep(10);
      }
    };
    engine = await Engine.create({ sampleRate: 48_000 });
    await engine.loadPatch(SINE);
    const record = join(folder, 'sine.wav');
    const opened = await engine.start({ driver: 'auto', record, onDevice: (event) => events.push(event) });
    expect(opened.driver).toBe('jack');
    const frames = (): number => engine!.stats().frames;
    await until(() => frames() > 4800);

    await end();
    await until(() => events.length === 1);
    expect(events[0]).toMatchObject({ kind: 'lost', message: expect.stringContaining("'system (JACK)'") as string });
    const lostAt = frames();
    await until(() => frames() > lostAt + 24_000);
    expect(engine.stats().driver).toBe('null');

    end = await startJack(256);
    await until(() => events.length === 2);
    expect(events[1]).toEqual({ kind: 'back', message: "sound device 'system (JACK)' is back" });
    const backAt = frames();
    await until(() => frames() > backAt + 24_000);
    expect(engine.stats().driver).toBe('jack');
    const underruns = engine.stats().underruns;
    const played = frames();
    const recording = (await engine.stopRecording())!;
    expect(recording.frames).toBeGreaterThanOrEqual(played);
    // Where the returning sound fades in, and where this machine let the engine wait.
    expect(gaps(record)).toBeLessThanOrEqual(2 + 2 * underruns);
  });

  it('does not keep the engine from stopping', async () => {
    end = await startJack();
    engine = await Engine.create({ sampleRate: 48_000 });
    await engine.loadPatch(SINE);
    const events: DeviceEvent[] = [];
    await engine.start({ driver: 'jack', onDevice: (event) => events.push(event) });
    await end();
    while (events.length === 0) await sleep(10);
    const start = performance.now();
    await engine.stop();
    expect(performance.now() - start).toBeLessThan(1500);
    expect((await engine.ended).driver).toBe('null');
  });
});
