// The jack driver: a client of the JACK server that runs its cycles on the host's own thread, so that nothing lies between the
// engine and the server: what is taken from the ring in a cycle is what others hear in that cycle.
//
// To wait inside JACK for a server that ends is to wait for ever. So the driver asks, a few times before a cycle is due, whether
// it has begun, and only then takes it up.
import { KrellError } from '../errors.js';
import { openClock } from '../realtime/clock.js';
import { CONTROL } from '../shared/layout.js';
import { findDevice } from './device.js';
import type { AudioDriver, HostOptions } from './driver.js';
import { JackClient } from './jack-library.js';
import type { Player } from './player.js';
import { openSleep } from './time.js';

/** A server that begins no cycle for so long has gone. */
const GONE_NS = 300e6;
/** When to begin to ask before a cycle is due, and how often then. */
const [EARLY_NS, POLL_NS] = [150e3, 30e3];
const CLIENT = 'krell';

export class JackDriver implements AudioDriver {
  readonly name = 'jack';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs: number;
  private readonly client: JackClient;
  private readonly ports: readonly number[];
  private readonly targets: readonly string[];
  private readonly clock = openClock();
  private readonly sleep = openSleep();
  /** The latest cycle: its frame, and when it was seen. */
  private frame = 0;
  private begun = 0;

  /** @throws KrellError 'no-library', 'no-device', 'device'. */
  constructor({ memory, device: wanted }: Pick<HostOptions, 'memory' | 'device'>) {
    const words = new Int32Array(memory.buffer);
    const client = new JackClient(CLIENT);
    this.client = client;
    try {
      const { sampleRate, periodFrames } = client;
      const engineRate = words[CONTROL.SAMPLE_RATE]!;
      if (sampleRate !== engineRate)
        throw new KrellError('device', `the JACK server does not play at ${engineRate} Hz`, { hint: `try --rate ${sampleRate}` });
      const { name } = findDevice(client.devices(), wanted);
      this.ports = Array.from({ length: words[CONTROL.CHANNELS]! }, (_, channel) => client.addPort(`out_${channel + 1}`, 'output'));
      this.device = `${name} (JACK)`;
      this.periodFrames = periodFrames;
      this.latencyMs = (1000 * periodFrames) / sampleRate;
      this.targets = client.ports('input', false).filter((port) => port.startsWith(`${name}:`));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  run(player: Player): void {
    const { client, ports, targets, periodFrames } = this;
    const { channels } = player;
    this.begun = this.clock();
    // Not before somebody takes up the cycles: they would be missed.
    client.activate();
    ports.forEach((_, channel) => targets[channel] && client.connect(`${client.name}:out_${channel + 1}`, targets[channel]));
    const period = new Float32Array(periodFrames * channels);
    const single = new Float32Array(periodFrames);
    while (this.awaitCycle(player)) {
      if (client.beginCycle() !== periodFrames) throw this.lost('its period has changed');
      player.fill(period);
      for (let channel = 0; channel < channels; channel++) {
        for (let frame = 0; frame < periodFrames; frame++) single[frame] = period[frame * channels + channel]!;
        client.write(ports[channel]!, single, periodFrames);
      }
      client.endCycle();
    }
  }

  close(): void {
    this.client.close();
  }

  abandon(): bigint {
    return this.client.client;
  }

  /** Waits until a cycle has begun. @returns false when the engine has stopped */
  private awaitCycle(player: Player): boolean {
    const { client, clock, sleep } = this;
    const idle = (this.begun + player.periodNs - EARLY_NS - clock()) | 0;
    if (idle > 0 && idle < player.periodNs) sleep(idle);
    for (;;) {
      if (player.stopped()) return false;
      const frame = client.cycleFrame();
      const now = clock();
      if (frame !== this.frame) {
        this.frame = frame;
        this.begun = now;
        return true;
      }
      if (((now - this.begun) | 0) > GONE_NS) throw this.lost('the JACK server has gone');
      sleep(POLL_NS);
    }
  }

  private lost(why: string): KrellError {
    return new KrellError('device-lost', `sound device '${this.device}': ${why}`);
  }
}
