// Devices: found, chosen, opened, lost. With a JACK server where there is one to start, and without any device.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findDevice, type Device } from '#src/host/device.js';
import { listDevices } from '#src/host/devices.js';
import type { HostOptions } from '#src/host/driver.js';
import { CONTROL, HOST_PLAYING, RUN_PLAYING } from '#src/shared/layout.js';
import { readFrame } from '#src/shared/frame.js';
import { TestArena } from '../realtime/arena.js';
import { AudioHost } from './audio-host.js';
import { hasJack, JACK_PERIOD, startJack } from './jack.js';

let arena: TestArena | undefined;
let host: AudioHost | undefined;
afterEach(async () => {
  await Promise.all([arena?.stop(), host?.close()]);
  arena = host = undefined;
});

async function open(options: Omit<HostOptions, 'memory'>, depth = 2048): Promise<AudioHost> {
  arena ??= new TestArena({ channels: 2, depth });
  host = await AudioHost.open({ memory: arena.memory, ...options });
  return host;
}
async function counting(depth = 2048): Promise<TestArena> {
  arena = new TestArena({ channels: 2, depth });
  await arena.start(1);
  await arena.publish(arena.newPlan([{ inputs: [] }], [arena.newState(0)]));
  return arena;
}

/** Plays `frames` frames of silence in a process of its own, to see what it prints. @returns that, and what the host told. */
function inProcess(
  driver: string,
  env: Record<string, string>,
  frames: number,
  end = 'Atomics.store(words, CONTROL.RUN, RUN_STOP)',
): { told: unknown[]; printed: string; status: number | null } {
  const url = (name: string): string => JSON.stringify(import.meta.resolve(`#src/${name}.js`));
  const script = `
    import { Worker } from 'node:worker_threads';
    import { CONTROL, OUTPUT_RING_W, RING_FRAMES, RUN_PLAYING, RUN_STOP } from ${url('shared/layout')};
    import { FrameRing } from ${url('shared/ring')};
    const memory = new WebAssembly.Memory({ initial: 512, maximum: 512, shared: true });
    const words = new Int32Array(memory.buffer);
    words.set([48000, 64, 2]);
    words[CONTROL.RUN] = RUN_PLAYING;
    const ring = new FrameRing(memory.buffer, OUTPUT_RING_W, RING_FRAMES, 2);
    const silence = new Float32Array(2 * RING_FRAMES);
    const timer = setInterval(() => {
      ring.write(silence, 0, RING_FRAMES - ring.fill());
      if (Atomics.load(words, CONTROL.HOST_FRAME_LO) >= ${frames}) ${end};
    }, 2);
    const told = [];
    const worker = new Worker(new URL(${url('host/host')}), { execArgv: [], workerData: { memory, driver: '${driver}', periodFrames: 128 } });
    worker.on('message', (message) => message.kind === 'trying' || told.push(message));
    worker.on('exit', () => { clearInterval(timer); console.log(JSON.stringify(told)); });`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, ...env } });
  const lines = (child.stdout + child.stderr).split('\n').filter(Boolean);
  const answer = lines.find((line) => line.startsWith('[')) ?? '[]';
  return { told: JSON.parse(answer) as unknown[], printed: lines.filter((line) => line !== answer).join('\n'), status: child.status };
}

describe('a device is found', () => {
  const device = (index: number, name: string, api: string, more: Partial<Device> = {}): Device => ({
    index,
    driver: 'portaudio',
    name,
    api,
    inputs: 0,
    outputs: 2,
    isDefault: false,
    defaultSampleRate: 48000,
    ...more,
  });
  const devices = [
    device(0, 'Microphone', 'ALSA', { outputs: 0, inputs: 1 }),
    device(2, 'USB Audio 4', 'ALSA'),
    device(4, 'system', 'JACK Audio Connection Kit', { isDefault: true }),
    device(5, 'system monitor', 'ALSA'),
  ];

  it.each([
    [undefined, 4],
    ['4', 4],
    ['2', 2],
    ['system', 4],
    ['SYSTEM', 4],
    ['monitor', 5],
    ['usb', 2],
    ['jack', 4],
  ])('%s is number %i', (wanted, index) => expect(findDevice(devices, wanted).index).toBe(index));

  it.each(['0', 'micro', '3', '', 'toaster'])("'%s' is an error that lists what there is", (wanted) => {
    expect(() => findDevice(devices, wanted)).toThrow(
      `no sound device '${wanted}'; there is 2 'USB Audio 4' (ALSA), 4 'system' (JACK Audio Connection Kit), 5 'system monitor' (ALSA)`,
    );
  });

  it('or the first that plays, if none is the default', () => expect(findDevice(devices.slice(0, 2), undefined).index).toBe(2));
  it('or there is no sound card', () => expect(() => findDevice(devices.slice(0, 1), undefined)).toThrow('no sound card found'));
});

describe.skipIf(!hasJack)('with a JACK server', () => {
  let end: () => Promise<void>;
  beforeAll(async () => (end = await startJack()));
  afterAll(() => end());

  it('its device is listed, without a word on the outputs', async () => {
    const { devices, drivers, auto } = await listDevices();
    const system = { name: 'system', inputs: 2, outputs: 2, defaultSampleRate: 48000, sampleRates: [48000] };
    const [direct, through] = devices;
    expect(direct).toMatchObject({ ...system, driver: 'jack', api: 'JACK', isDefault: true });
    expect(direct!.defaultLowLatencyMs).toBeCloseTo(JACK_PERIOD / 48);
    expect(through).toMatchObject({ ...system, driver: 'portaudio', api: 'JACK Audio Connection Kit' });
    expect(through!.defaultLowLatencyMs).toBeGreaterThan(JACK_PERIOD / 48);
    expect(drivers.map(({ name }) => name)).toEqual(['jack', 'portaudio', 'naudiodon', 'null']);
    expect(drivers.slice(0, 2).every(({ available }) => available)).toBe(true);
    expect(auto).toMatchObject({ driver: 'jack', device: 'system (JACK)' });
  });

  // Again if the machine, busy with other tests, kept even a large period from coming through.
  it.each([64, 128, 512])('portaudio plays two seconds by its clock (period %i)', { retry: 3 }, async (periodFrames) => {
    const { words } = await counting();
    const { opened } = await open({ driver: 'portaudio', device: 'jack', periodFrames });
    expect(opened).toMatchObject({ driver: 'portaudio', device: 'system (JACK Audio Connection Kit)', periodFrames });
    expect(opened.latencyMs).toBeGreaterThanOrEqual(JACK_PERIOD / 48);
    arena!.setRun(RUN_PLAYING);
    const played = (): number => readFrame(words, CONTROL.HOST_FRAME_LO);
    await arena!.until(() => played() > 0);
    const start = performance.now();
    await arena!.until(() => played() >= 96_000);
    // The server's clock drives it: much faster or slower would mean that frames are skipped or repeated.
    const seconds = (performance.now() - start) / 1000;
    expect(seconds).toBeGreaterThan(1.8);
    expect(seconds).toBeLessThan(4);
    expect(played() % periodFrames).toBe(0);
    if (periodFrames >= 512) expect(words[CONTROL.UNDERRUNS]).toBe(0);
  });

  it('auto takes it', async () => {
    expect((await open({ driver: 'auto', periodFrames: 64 })).opened).toMatchObject({
      driver: 'jack',
      device: 'system (JACK)',
      periodFrames: JACK_PERIOD,
    });
  });

  it('another rate than its own is refused with its own', async () => {
    arena = new TestArena({ channels: 2 });
    arena.words[CONTROL.SAMPLE_RATE] = 44100;
    await expect(open({ driver: 'portaudio', periodFrames: 128 })).rejects.toThrow(
      "device 'system' does not play at 44100 Hz; try --rate 48000",
    );
    await expect(open({ driver: 'jack', periodFrames: 128 })).rejects.toThrow(
      'the JACK server does not play at 44100 Hz; try --rate 48000',
    );
  });

  it('an unknown device is refused with a list', async () => {
    for (const [driver, api] of [
      ['portaudio', 'JACK Audio Connection Kit'],
      ['jack', 'JACK'],
      ['auto', 'JACK'],
    ] as const)
      await expect(open({ driver, device: 'toaster', periodFrames: 128 })).rejects.toThrow(
        `no sound device 'toaster'; there is 0 'system' (${api})`,
      );
  });

  // naudiodon's own PortAudio knows no JACK; with the system's put before it, it plays here as it would on a sound card.
  it.each([64, 1024])(
    'jack plays by its clock whatever the block, and computes in its cycle when nothing is kept ready (%i)',
    { retry: 3 },
    async (block) => {
      arena = new TestArena({ channels: 2, block, depth: 0 });
      await arena.start(1);
      await arena.publish(arena.newPlan([{ inputs: [] }], [arena.newState(0)]));
      const { opened } = await open({ driver: 'jack', periodFrames: 64 });
      expect(opened).toMatchObject({ driver: 'jack', device: 'system (JACK)', periodFrames: JACK_PERIOD });
      arena.setRun(RUN_PLAYING);
      const played = (): number => readFrame(arena!.words, CONTROL.HOST_FRAME_LO);
      await arena.until(() => played() > 0);
      const start = performance.now();
      await arena.until(() => played() >= 48_000);
      expect(performance.now() - start).toBeGreaterThan(900);
      // Nothing is computed that is not wanted: less than a block is left over.
      const left = readFrame(arena.words, CONTROL.FRAME_LO) - readFrame(arena.words, CONTROL.TAKEN_LO);
      expect(left).toBeLessThan(block + JACK_PERIOD * (1 + arena.get(CONTROL.UNDERRUNS)));
    },
  );

  it('naudiodon plays by its clock, prints nothing and leaves', () => {
    const { told, printed } = inProcess('naudiodon', { LD_PRELOAD: 'libportaudio.so.2' }, 48_000);
    expect(told).toEqual([
      { kind: 'open', driver: 'naudiodon', device: 'system (JACK Audio Connection Kit)', periodFrames: 128, latencyMs: 8 },
      { kind: 'ended' },
    ]);
    expect(printed).toBe('');
  });

  it('a host that is ended by force while it plays does not take the process with it', () => {
    const { told, status } = inProcess('portaudio', {}, 4800, 'worker.terminate()');
    expect(told).toMatchObject([{ kind: 'open', driver: 'portaudio' }]);
    expect(status).toBe(0);
  });

  // Last: it ends the server.
  it('a server that ends does not end the engine: it goes on by the clock, and stops when told', async () => {
    const engine = await counting();
    const { lost } = await open({ driver: 'portaudio', periodFrames: 128 });
    engine.setRun(RUN_PLAYING);
    await engine.until(() => engine.get(CONTROL.HOST_FRAME_LO) > 4800);
    await end();
    expect(await lost).toMatch("sound device 'system (JACK Audio Connection Kit)': ");
    const then = engine.get(CONTROL.HOST_FRAME_LO);
    await engine.until(() => engine.get(CONTROL.HOST_FRAME_LO) > then + 24_000);
    expect(engine.get(CONTROL.HOST_STATE)).toBe(HOST_PLAYING);
    // PortAudio never lets go of what it has lost.
    await Promise.all([arena!.stop(), host!.close()]);
    end = await startJack();
    arena = new TestArena({ channels: 2 });
    await expect(open({ driver: 'portaudio', periodFrames: 128 })).rejects.toThrow(
      /PortAudio cannot open device 'system': .*; a JACK server that it has lost .*: use the jack driver, or start Krell anew$/,
    );
    expect((await open({ driver: 'jack', periodFrames: 128 })).opened.driver).toBe('jack');
  });
});

describe('without a sound card', () => {
  const nobody = { JACK_DEFAULT_SERVER: 'krell-nobody', JACK_NO_START_SERVER: '1' };
  const cards = spawnSync('aplay', ['-l'], { encoding: 'utf8' }).stdout?.includes('card ');

  it.skipIf(cards)('auto plays silently and says so in a line', () => {
    const { told, printed } = inProcess('auto', nobody, 480);
    const reason = expect.stringMatching(/: playing silently on the null driver$/) as string;
    expect(told).toEqual([{ kind: 'open', driver: 'null', device: 'null', periodFrames: 128, latencyMs: 0, reason }, { kind: 'ended' }]);
    expect(printed).toBe('');
  });

  it.skipIf(cards).each(['portaudio', 'naudiodon'])('%s says in a line why it cannot, and nothing else', (driver) => {
    const { told, printed } = inProcess(driver, nobody, 480);
    expect(told).toMatchObject([{ kind: 'failed', code: expect.stringMatching(/^no-(device|library)$/) as string }]);
    expect((told[0] as { message: string }).message).toMatch(/^[^\n]+$/);
    expect(printed).toBe('');
  });
});

describe('without the optional packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'krell-devices-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** Has every thread believe that the packages are not installed. */
  const missing = (...packages: string[]): Record<string, string> => {
    const path = join(folder, 'missing.cjs');
    writeFileSync(
      path,
      `const Module = require('node:module');
       const resolve = Module._resolveFilename;
       Module._resolveFilename = function (name, ...rest) {
         if (!${JSON.stringify(packages)}.includes(name.split('/')[0])) return resolve.call(this, name, ...rest);
         throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
       };`,
    );
    return { NODE_OPTIONS: `--require ${path}`, JACK_DEFAULT_SERVER: 'krell-nobody', JACK_NO_START_SERVER: '1' };
  };

  it('portaudio and naudiodon say which one is missing', () => {
    const failed = (driver: string): unknown => inProcess(driver, missing('koffi', 'naudiodon'), 480).told[0];
    expect(failed('portaudio')).toMatchObject({
      code: 'no-library',
      message: "the package koffi is not installed; 'npm install koffi' lets Krell call PortAudio",
    });
    expect(failed('naudiodon')).toMatchObject({ code: 'no-library', message: 'the package naudiodon is not installed' });
  });

  it('auto plays silently and says why', () => {
    const { told, printed } = inProcess('auto', missing('koffi', 'naudiodon'), 480);
    expect(told).toMatchObject([{ kind: 'open', driver: 'null' }, { kind: 'ended' }]);
    expect((told[0] as { reason: string }).reason).toContain('koffi is not installed');
    expect(printed).toBe('');
  });
});
