// JACK servers that are not as usual: few ports, long periods, another period in the middle, and PortAudio's way to them.
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Engine } from '#src/index.js';
import type { DeviceEvent, OutputOptions } from '#src/control/output.js';
import { hasJack, startJack } from './jack.js';

const SINE = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { vco: { type: 'vco' }, out: { type: 'out' } },
  cables: [{ from: 'vco.sine', to: 'out.left' }],
};

describe.skipIf(!hasJack)('a JACK server', () => {
  let engine: Engine | undefined;
  let end: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await engine?.stop();
    await end?.();
    engine = end = undefined;
  });

  const events: DeviceEvent[] = [];
  async function play(options: OutputOptions & { channels?: number }): Promise<void> {
    events.length = 0;
    engine = await Engine.create({ sampleRate: 48_000, workers: 1, channels: options.channels ?? 2 });
    await engine.loadPatch(SINE);
    await engine.start({ ...options, onDevice: (event) => events.push(event) });
  }
  async function until(truth: () => boolean): Promise<void> {
    while (!truth()) await sleep(10);
  }
  const kinds = (): string[] => events.map(({ kind }) => kind);
  const lsp = (): string => spawnSync('jack_lsp', ['-c'], { encoding: 'utf8' }).stdout;

  it('with one port gets all channels there', async () => {
    end = await startJack(128, ['-P', '1', '-C', '1']);
    await play({ driver: 'jack', inputs: 2 });
    await until(() => engine!.stats().frames > 0);
    expect(lsp()).toMatch(/system:playback_1\n {3}krell:out_1\n {3}krell:out_2\n/);
    expect(lsp()).toMatch(/system:capture_1\n {3}krell:in_1\n {3}krell:in_2\n/);
  });

  it('with six ports gets two', async () => {
    end = await startJack(128, ['-P', '6']);
    await play({ driver: 'jack' });
    await until(() => engine!.stats().frames > 0);
    expect(lsp()).toMatch(/krell:out_1\n {3}system:playback_1\nkrell:out_2\n {3}system:playback_2\n/);
  });

  it('with a longer period than two of which can be kept ready is refused; the longest plays', async () => {
    end = await startJack(8192);
    await expect(play({ driver: 'jack' })).rejects.toThrow(
      "the JACK server's period of 8192 frames is too long; give it one of 4096 at the most",
    );
    await engine!.stop();
    await end();
    end = await startJack(4096);
    await play({ driver: 'jack' });
    await until(() => engine!.stats().frames > 20_000);
  });

  it('that gets another period is played on at that one', async () => {
    end = await startJack(128);
    await play({ driver: 'jack' });
    await until(() => engine!.stats().frames > 4800);
    const status = spawnSync('jack_bufsize', ['256'], { timeout: 5000 });
    expect(status.error).toBeUndefined();
    await until(() => events.length === 2);
    expect(events[0]!.message).toBe("sound device 'system (JACK)': its period has changed");
    expect(kinds()).toEqual(['lost', 'back']);
    const then = engine!.stats().frames;
    await until(() => engine!.stats().frames > then + 4800);
  });

  it.each([
    { what: 'one output', ports: ['-P', '1'], options: {}, message: 'PortAudio plays two channels of JACK device' },
    { what: 'four outputs', ports: ['-P', '4'], options: { channels: 4 }, message: 'PortAudio plays two channels of JACK device' },
    { what: 'one input', ports: [], options: { inputs: 1 as const }, message: 'PortAudio takes in two channels of JACK device' },
  ])('is refused to PortAudio with $what, which would overrun its memory', async ({ ports, options, message }) => {
    end = await startJack(128, ports);
    await expect(play({ driver: 'portaudio', ...options })).rejects.toThrow(message);
  });

  // Last: PortAudio itself finds no server any more in this process.
  it('that PortAudio has lost is returned to directly', async () => {
    end = await startJack(128);
    await play({ driver: 'portaudio' });
    await until(() => engine!.stats().frames > 4800);
    await end();
    await until(() => events.length === 1);
    end = await startJack(128);
    await until(() => events.length === 2);
    expect(events[1]).toEqual({ kind: 'back', message: "sound device 'system (JACK)' is back" });
    expect(engine!.stats().driver).toBe('jack');
  });
});
