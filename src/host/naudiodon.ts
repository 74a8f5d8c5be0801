// The naudiodon driver: a Node stream into the PortAudio that naudiodon brings along. For machines without koffi.
//
// What is contained here: it registers a crash handler that writes a log file (replaced by nothing), it prints to the standard
// output, and its callback waits for ever when starved, so it is never left without a next period until it is aborted.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../errors.js';
import { CONTROL } from '../shared/layout.js';
import { findDevice, type Device } from './device.js';
import type { Abandoned, AudioDriver, HostOptions } from './driver.js';
import type { Player } from './player.js';
import { quietly, STDERR, STDOUT } from './quiet.js';

/** Periods the library keeps. */
const MAX_QUEUE = 2;
/** A device that takes nothing for so long has gone. */
const GONE_MS = 500;
/** What the library takes to end a stream. */
const LEAVE_MS = 60;
const FLOAT32 = 1;

interface NativeDevice {
  readonly id: number;
  readonly name: string;
  readonly hostAPIName: string;
  readonly maxInputChannels: number;
  readonly maxOutputChannels: number;
  readonly defaultSampleRate: number;
}
interface NativeStream {
  start(): void;
  /** Resolves when the queue has taken the chunk, with an error's text if there was one. */
  write(chunk: Buffer): Promise<string | undefined>;
  quit(how: 'WAIT' | 'ABORT'): Promise<void>;
}
interface Binding {
  getDevices(): NativeDevice[];
  create(options: { outOptions: Record<string, number | boolean> }): NativeStream;
}

/** Loads the native part alone: the package's own JavaScript installs the crash handler and logs errors by itself. */
function loadBinding(): Binding {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('naudiodon/package.json'));
    const bindings = require('bindings') as (options: { bindings: string; module_root: string }) => Binding;
    return bindings({ bindings: 'naudiodon.node', module_root: require.resolve('./package.json').replace(/[/\\]package\.json$/, '') });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'MODULE_NOT_FOUND' ? 'is not installed' : 'does not load here';
    throw new KrellError('no-library', `the package naudiodon ${why}`, { cause: error });
  }
}

export class NaudiodonDriver implements AudioDriver {
  readonly name = 'naudiodon';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs: number;
  private readonly stream: NativeStream;
  private isOpen = true;

  /** @throws KrellError 'no-library', 'no-device', 'device'. */
  constructor({ memory, device: wanted, periodFrames, inputs = 0 }: Pick<HostOptions, 'memory' | 'device' | 'periodFrames' | 'inputs'>) {
    if (inputs > 0) throw new KrellError('device', 'the naudiodon driver brings no input', { hint: 'use portaudio or jack' });
    const words = new Int32Array(memory.buffer);
    const binding = loadBinding();
    const device = findDevice(devicesOf(binding), wanted);
    this.device = `${device.name} (${device.api})`;
    this.periodFrames = periodFrames;
    const sampleRate = words[CONTROL.SAMPLE_RATE]!;
    this.latencyMs = (1000 * periodFrames * (MAX_QUEUE + 1)) / sampleRate;
    const outOptions = {
      deviceId: device.index,
      sampleRate,
      channelCount: words[CONTROL.CHANNELS]!,
      sampleFormat: FLOAT32,
      maxQueue: MAX_QUEUE,
      framesPerBuffer: periodFrames,
      closeOnError: true,
    };
    try {
      this.stream = quietly([STDOUT, STDERR], () => {
        const stream = binding.create({ outOptions });
        // Started without anything to play, it would wait for ever.
        void stream.write(Buffer.alloc(4 * periodFrames * outOptions.channelCount));
        stream.start();
        return stream;
      });
    } catch (error) {
      throw new KrellError('device', `cannot open device '${device.name}': ${(error as Error).message}`, { cause: error });
    }
  }

  async run(player: Player): Promise<void> {
    const { stream, periodFrames } = this;
    const period = new Float32Array(periodFrames * player.channels);
    const bytes = Buffer.from(period.buffer);
    while (!player.stopped()) {
      player.fill(period);
      // The library copies the chunk before it answers.
      const taken = stream.write(bytes);
      const gone = new AbortController();
      const late = sleep(GONE_MS, true, { signal: gone.signal }).catch(() => false);
      const error = await Promise.race([taken, late]);
      gone.abort();
      if (error === true) throw new KrellError('device-lost', `sound device '${this.device}': it has stopped taking sound`);
      if (typeof error === 'string' && error.includes('output underflow')) player.underflowed();
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    quietly([STDOUT], () => {
      this.stream.quit('ABORT').catch(() => undefined);
      // It takes leave from a thread of its own.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LEAVE_MS);
    });
  }

  abandon(): Abandoned {
    this.close();
    return { driver: this.name };
  }
}

function devicesOf(binding: Binding): Device[] {
  return quietly([STDOUT, STDERR], () => binding.getDevices()).map((device, i) => ({
    index: device.id,
    driver: 'naudiodon',
    name: device.name,
    api: device.hostAPIName,
    inputs: device.maxInputChannels,
    outputs: device.maxOutputChannels,
    isDefault: i === 0,
    defaultSampleRate: device.defaultSampleRate,
  }));
}

/** Devices that naudiodon knows. @throws KrellError 'no-library'. */
export const naudiodonDevices = (): Device[] => devicesOf(loadBinding());
