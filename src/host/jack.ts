// The jack driver: a client of the JACK server that runs its cycles on the host's own thread, so that nothing lies between the
// engine and the server: what is taken from the ring in a cycle is what others hear in that cycle.
import { KrellError } from '../errors.js';
import { CONTROL, INPUT_RING_CHANNELS } from '../shared/layout.js';
import { findDevice } from './device.js';
import { MAX_PERIOD_FRAMES, type Abandoned, type AudioDriver, type HostOptions } from './driver.js';
import { JackClient } from './jack-library.js';
import type { Player } from './player.js';

/** A server that begins no cycle in so many waits of a tenth of a second has gone. */
const WAITS = 3;
const CLIENT = 'krell';

export class JackDriver implements AudioDriver {
  readonly name = 'jack';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs: number;
  private readonly client: JackClient;
  private readonly ports: readonly number[];
  private readonly targets: readonly string[];
  private readonly inputs: readonly number[];
  private readonly sources: readonly string[];

  /** @throws KrellError 'no-library', 'no-device', 'device'. */
  constructor({ memory, device: wanted, inputs = 0 }: Pick<HostOptions, 'memory' | 'device' | 'inputs'>) {
    const words = new Int32Array(memory.buffer);
    const client = new JackClient(CLIENT);
    this.client = client;
    try {
      const { sampleRate, periodFrames } = client;
      const engineRate = words[CONTROL.SAMPLE_RATE]!;
      if (sampleRate !== engineRate)
        throw new KrellError('device', `the JACK server does not play at ${engineRate} Hz`, { hint: `try --rate ${sampleRate}` });
      if (periodFrames > MAX_PERIOD_FRAMES)
        throw new KrellError('device', `the JACK server's period of ${periodFrames} frames is too long`, {
          hint: `give it one of ${MAX_PERIOD_FRAMES} at the most: jackd … -p ${MAX_PERIOD_FRAMES}`,
        });
      const { name } = findDevice(client.devices(), wanted);
      this.ports = Array.from({ length: words[CONTROL.CHANNELS]! }, (_, channel) => client.addPort(`out_${channel + 1}`, 'output'));
      this.device = `${name} (JACK)`;
      this.periodFrames = periodFrames;
      this.latencyMs = (1000 * periodFrames) / sampleRate;
      this.inputs = Array.from({ length: inputs }, (_, channel) => client.addPort(`in_${channel + 1}`, 'input'));
      this.sources = client.ports('output', false).filter((port) => port.startsWith(`${name}:`));
      this.targets = client.ports('input', false).filter((port) => port.startsWith(`${name}:`));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  run(player: Player): void {
    const { client, ports, inputs, periodFrames } = this;
    const { channels } = player;
    const period = new Float32Array(periodFrames * channels);
    const heard = new Float32Array(periodFrames * INPUT_RING_CHANNELS);
    const single = new Float32Array(periodFrames);
    // Not before somebody takes up the cycles: they would be missed.
    if (!client.activate()) throw this.lost('the JACK server does not let it play');
    this.connect();
    while (this.awaitCycle(player)) {
      if (client.beginCycle() !== periodFrames) {
        client.endCycle();
        throw this.lost('its period has changed');
      }
      for (let channel = 0; channel < inputs.length; channel++) {
        client.read(inputs[channel]!, single, periodFrames);
        for (let side = channel; side < INPUT_RING_CHANNELS; side++)
          for (let frame = 0; frame < periodFrames; frame++) heard[frame * INPUT_RING_CHANNELS + side] = single[frame]!;
      }
      if (inputs.length > 0) player.hear(heard, periodFrames);
      player.fill(period);
      for (let channel = 0; channel < channels; channel++) {
        for (let frame = 0; frame < periodFrames; frame++) single[frame] = period[frame * channels + channel]!;
        client.write(ports[channel]!, single, periodFrames);
      }
      client.endCycle();
    }
  }

  /** Plugs each channel into the device's port of the same number, where there is one; all into the port of a device that has but one. */
  private connect(): void {
    const { client, ports, targets, inputs, sources } = this;
    for (let i = 0; i < ports.length; i++) this.plug(`${client.name}:out_${i + 1}`, targets[targets.length === 1 ? 0 : i]);
    for (let i = 0; i < inputs.length; i++) this.plug(sources[sources.length === 1 ? 0 : i], `${client.name}:in_${i + 1}`);
  }

  private plug(from: string | undefined, to: string | undefined): void {
    if (from !== undefined && to !== undefined) this.client.connect(from, to);
  }

  close(): void {
    this.client.close();
  }

  abandon(): Abandoned {
    return { driver: this.name, handle: this.client.client };
  }

  /** Waits until a cycle has begun. @returns false when the engine has stopped */
  private awaitCycle(player: Player): boolean {
    for (let waits = 0; !player.stopped(); waits++) {
      if (this.client.awaitCycle()) return true;
      if (waits === WAITS) throw this.lost('the JACK server has gone');
    }
    return false;
  }

  private lost(why: string): KrellError {
    return new KrellError('device-lost', `sound device '${this.device}': ${why}`);
  }
}
