// The null driver: a device that nobody hears. It takes a period when one has passed by the clock, as a real one would.
import type { AudioDriver, HostOptions } from './driver.js';
import { Metronome } from './metronome.js';
import type { Player } from './player.js';

export class NullDriver implements AudioDriver {
  readonly name = 'null';
  readonly device = 'null';
  readonly periodFrames: number;
  readonly latencyMs = 0;

  constructor({ periodFrames }: Pick<HostOptions, 'periodFrames'>) {
    this.periodFrames = periodFrames;
  }

  run(player: Player): void {
    const period = new Float32Array(this.periodFrames * player.channels);
    const metronome = new Metronome(this.periodFrames, player.sampleRate);
    while (!player.stopped()) {
      player.fill(period);
      // A device would have run dry meanwhile, whatever the engine did.
      if (!metronome.wait()) player.stalled();
    }
  }

  close(): void {}
}
