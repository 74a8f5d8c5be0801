// The portaudio driver: writes periods from the host's own thread, no callback.
//
// A call into a library whose device has gone (a JACK server that ended) may never return, and a thread inside one cannot be
// ended: the process would hang. So `Pa_WriteStream` is never called to wait; the driver asks for room a few times a period,
// gives up on a device that makes none, and closes only one that was alive just now. What is left open ends with the process.
import { KrellError } from '../errors.js';
import { openClock } from '../realtime/clock.js';
import { CONTROL, INPUT_RING_CHANNELS } from '../shared/layout.js';
import { findDevice, type Device } from './device.js';
import type { Abandoned, AudioDriver, HostOptions } from './driver.js';
import type { Player } from './player.js';
import { OUTPUT_UNDERFLOWED, PortAudio, type AudioStream } from './portaudio-library.js';
import { openSleep } from './time.js';

/** A device that takes nothing for so long has gone. */
const GONE_NS = 300e6;
const POLLS_PER_PERIOD = 4;

export class PortAudioDriver implements AudioDriver {
  readonly name = 'portaudio';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs: number;
  private readonly library = new PortAudio();
  private readonly stream: AudioStream;
  private readonly clock = openClock();
  private readonly sleep = openSleep();
  private readonly isJack: boolean;
  private readonly deviceName: string;
  /** Channels that the device takes. */
  private readonly outputs: number;
  private readonly inputs: number;
  private readonly heard: Float32Array;
  private readonly sides: Float32Array;
  /** When the device last made room. */
  private lastAlive = 0;

  /** @throws KrellError 'no-library', 'no-device', 'device'. */
  constructor({ memory, device: wanted, periodFrames, inputs = 0 }: Pick<HostOptions, 'memory' | 'device' | 'periodFrames' | 'inputs'>) {
    const words = new Int32Array(memory.buffer);
    try {
      const device = findDevice(this.library.devices(), wanted);
      const sampleRate = words[CONTROL.SAMPLE_RATE]!;
      this.outputs = Math.min(words[CONTROL.CHANNELS]!, device.outputs);
      this.inputs = Math.min(inputs, device.inputs);
      if (this.inputs < inputs && this.inputs === 0)
        throw new KrellError('device', `device '${device.name}' has no input`, { hint: 'choose another, or play without input' });
      this.isJack = device.api.startsWith('JACK');
      if (this.isJack) checkStereo(device, this.outputs, this.inputs);
      this.stream = this.library.openStream(device, { outputs: this.outputs, inputs: this.inputs, sampleRate, periodFrames });
      this.deviceName = device.name;
      this.device = `${device.name} (${device.api})`;
    } catch (error) {
      this.library.close();
      throw error;
    }
    this.heard = new Float32Array(periodFrames * this.inputs);
    this.sides = new Float32Array(periodFrames * INPUT_RING_CHANNELS);
    this.periodFrames = periodFrames;
    this.latencyMs = this.stream.latencyMs;
  }

  run(player: Player): void {
    const { stream, periodFrames } = this;
    const period = new Float32Array(periodFrames * player.channels);
    const fitted = player.channels === this.outputs ? period : new Float32Array(periodFrames * this.outputs);
    this.lastAlive = this.clock();
    while (this.waitForRoom(player)) {
      if (this.inputs > 0) this.hear(player);
      player.fill(period);
      if (fitted !== period) fit(period, player.channels, fitted, this.outputs);
      const result = stream.write(fitted, periodFrames);
      if (result === OUTPUT_UNDERFLOWED) player.underflowed();
      else if (result < 0) throw this.gone(this.library.errorText(result));
    }
  }

  /** Takes in whole periods that have come. */
  private hear(player: Player): void {
    const { stream, periodFrames, inputs, heard, sides } = this;
    while (stream.arrived() >= periodFrames) {
      stream.read(heard, periodFrames);
      for (let i = 0; i < sides.length; i++) {
        const side = i % INPUT_RING_CHANNELS;
        sides[i] = heard[Math.floor(i / INPUT_RING_CHANNELS) * inputs + (side < inputs ? side : 0)]!;
      }
      player.hear(sides, periodFrames);
    }
  }

  close(): void {
    // One that has just gone, and has not been missed yet, is left open.
    if (!this.stream.isActive() || ((this.clock() - this.lastAlive) | 0) > GONE_NS) return;
    this.stream.close();
    this.library.close();
  }

  /** PortAudio never returns from closing a client of a JACK server that has ended, and without that finds no other: the jack driver does. */
  abandon(): Abandoned {
    return this.isJack ? { driver: 'jack', device: this.deviceName } : { driver: this.name, handle: this.stream.handle };
  }

  /** Waits until the device takes a period. @returns false when the engine has stopped. */
  private waitForRoom(player: Player): boolean {
    const { clock, periodFrames } = this;
    const pollNs = Math.floor(player.periodNs / POLLS_PER_PERIOD);
    while (!player.stopped()) {
      const room = this.stream.room();
      if (room >= periodFrames) {
        this.lastAlive = clock();
        return true;
      }
      if (room < 0) throw this.gone(this.library.errorText(room));
      if (!this.stream.isActive()) throw this.gone('it has gone');
      if (((clock() - this.lastAlive) | 0) > GONE_NS) throw this.gone('it has stopped taking sound');
      this.sleep(pollNs);
    }
    return false;
  }

  private gone(why: string): KrellError {
    return new KrellError('device-lost', `sound device '${this.device}': ${why}`);
  }
}

/** With JACK, `Pa_WriteStream` and `Pa_ReadStream` move two samples a frame, whatever the stream has, and with one overrun its memory. */
function checkStereo({ name }: Device, outputs: number, inputs: number): void {
  if (outputs === 2 && inputs !== 1) return;
  const what = outputs === 2 ? 'takes in' : 'plays';
  throw new KrellError('device', `PortAudio ${what} two channels of JACK device '${name}', not ${outputs === 2 ? inputs : outputs}`, {
    hint: 'use the jack driver',
  });
}

/** For a device with fewer channels: its first ones, or for a single one all of them together. */
function fit(period: Float32Array, channels: number, fitted: Float32Array, outputs: number): void {
  const frames = fitted.length / outputs;
  const mixed = outputs === 1 ? channels : 1;
  for (let frame = 0; frame < frames; frame++)
    for (let output = 0; output < outputs; output++) {
      let sum = 0;
      for (let channel = output; channel < output + mixed; channel++) sum += period[frame * channels + channel]!;
      fitted[frame * outputs + output] = sum / mixed;
    }
}
