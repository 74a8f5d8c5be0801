// The portaudio driver: writes periods from the host's own thread, no callback.
//
// It never lets `Pa_WriteStream` wait: a write into a device that has gone (a JACK server that ended) would wait for ever,
// and the process with it. It asks for room a few times a period instead, and gives up on a device that makes none.
import { performance } from 'node:perf_hooks';
import { KrellError } from '../errors.js';
import { CONTROL } from '../shared/layout.js';
import { findDevice } from './device.js';
import type { AudioDriver, HostOptions } from './driver.js';
import type { Player } from './player.js';
import { OUTPUT_UNDERFLOWED, PortAudio, type OutputStream } from './portaudio-library.js';

/** A device that takes nothing for so long has gone. */
const GONE_MS = 500;
const POLLS_PER_PERIOD = 4;

export class PortAudioDriver implements AudioDriver {
  readonly name = 'portaudio';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs: number;
  private readonly library = new PortAudio();
  private readonly stream: OutputStream;
  private readonly sleeper = new Int32Array(new SharedArrayBuffer(4));

  /** @throws KrellError 'no-library', 'no-device', 'device'. */
  constructor({ memory, device: wanted, periodFrames }: Pick<HostOptions, 'memory' | 'device' | 'periodFrames'>) {
    const words = new Int32Array(memory.buffer);
    try {
      const device = findDevice(this.library.devices(), wanted);
      this.stream = this.library.openOutput(device, words[CONTROL.CHANNELS]!, words[CONTROL.SAMPLE_RATE]!, periodFrames);
      this.device = `${device.name} (${device.api})`;
    } catch (error) {
      this.library.close();
      throw error;
    }
    this.periodFrames = periodFrames;
    this.latencyMs = this.stream.latencyMs;
  }

  run(player: Player): void {
    const { stream, periodFrames } = this;
    const period = new Float32Array(periodFrames * player.channels);
    while (this.waitForRoom(player)) {
      player.fill(period);
      const result = stream.write(period, periodFrames);
      if (result === OUTPUT_UNDERFLOWED) player.underflowed();
      else if (result < 0) throw this.gone(this.library.errorText(result));
    }
  }

  close(): void {
    this.stream.close();
    this.library.close();
  }

  /** Waits until the device takes a period. @returns false when the engine has stopped. */
  private waitForRoom(player: Player): boolean {
    const pollMs = (1000 * this.periodFrames) / player.sampleRate / POLLS_PER_PERIOD;
    const start = performance.now();
    while (!player.stopped()) {
      const room = this.stream.room();
      if (room >= this.periodFrames) return true;
      if (room < 0) throw this.gone(this.library.errorText(room));
      if (performance.now() - start > GONE_MS) throw this.gone('it has stopped taking sound');
      Atomics.wait(this.sleeper, 0, 0, pollMs);
    }
    return false;
  }

  private gone(why: string): KrellError {
    return new KrellError('device-lost', `sound device '${this.device}': ${why}`);
  }
}
