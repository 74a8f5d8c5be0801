// A sound server that ends in the middle of a piece and comes back: the engine keeps time, and sound returns by itself.
import { spawnSync } from 'node:child_process';
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
const FREQUENCY = 1000;
const SINE = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco: { type: 'vco', params: { freq: FREQUENCY } }, out: { type: 'out' } },
  cables: [{ from: 'vco.sine', to: 'out.left' }],
};

/** A recording: windows in which the tone is missing, and steps larger than any of the tone itself. */
function faults(path: string): { gaps: number; steps: number } {
  const bytes = readFileSync(path);
  const data = bytes.indexOf('data', 12, 'latin1') + 8;
  const left = Array.from({ length: Math.floor((bytes.length - data) / 8) }, (_, i) => bytes.readFloatLE(data + 8 * i));
  const peakOf = (samples: number[]): number => samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  const largest = 1.05 * peakOf(left) * 2 * Math.sin((Math.PI * FREQUENCY) / 48_000);
  let gaps = 0;
  for (let at = 0; at + WINDOW <= left.length; at += WINDOW) if (peakOf(left.slice(at, at + WINDOW)) < 0.2) gaps++;
  return { gaps, steps: left.filter((sample, i) => i > 0 && Math.abs(sample - left[i - 1]!) > largest).length };
}

/** Processes of the servers that this one has started. */
const serverIds = (): number[] =>
  spawnSync('pgrep', ['-P', String(process.pid), '-x', 'jackd'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean)
    .map(Number);

describe.skipIf(!hasJack)('a JACK server that', () => {
  let engine: Engine | undefined;
  let end: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await engine?.stop();
    await end?.();
  });

  it('ends is played without, waited for and returned to, at the period it then has', async () => {
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
    // Nothing is missing, but where this machine let the engine wait.
    const { gaps, steps } = faults(record);
    expect(gaps).toBeLessThanOrEqual(2 * underruns);
    expect(steps).toBeLessThanOrEqual(2 * underruns);
  });

  it('does not even answer is passed over by auto, which says so, and plays on should it answer after all', async () => {
    end = await startJack();
    const [server] = serverIds();
    process.kill(server!, 'SIGSTOP');
    try {
      engine = await Engine.create({ sampleRate: 48_000 });
      await engine.loadPatch(SINE);
      const opened = await engine.start({ driver: 'auto' });
      expect(['naudiodon', 'null']).toContain(opened.driver);
      if (opened.driver === 'null')
        expect(opened.reason).toBe("driver 'jack' does not answer, as when a sound server hangs: playing silently on the null driver");
    } finally {
      process.kill(server!, 'SIGCONT');
    }
    const { frames, driver } = engine.stats();
    while (engine.stats().frames < frames + 24_000) await sleep(10);
    expect(engine.stats().driver).toBe(driver);
  });

  it('ends does not keep the engine from stopping', async () => {
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
