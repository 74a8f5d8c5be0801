// The null driver: a device that nobody hears. It takes a period when one has passed by the clock, as a real one would.
import { performance } from 'node:perf_hooks';
import type { AudioDriver, HostOptions } from './driver.js';
import type { Player } from './player.js';

export class NullDriver implements AudioDriver {
  readonly name = 'null';
  readonly device = 'null';
  readonly periodFrames: number;
  readonly latencyMs = 0;
  private readonly sleeper = new Int32Array(new SharedArrayBuffer(4));

  constructor({ periodFrames }: Pick<HostOptions, 'periodFrames'>) {
    this.periodFrames = periodFrames;
  }

  run(player: Player): void {
    const period = new Float32Array(this.periodFrames * player.channels);
    const periodMs = (1000 * this.periodFrames) / player.sampleRate;
    let start = performance.now();
    for (let periods = 1; !player.stopped(); periods++) {
      player.fill(period);
      // Deadlines count from the start, so that an oversleep is not added up.
      const late = performance.now() - (start + periods * periodMs);
      if (late >= periodMs) {
        // A device would have run dry meanwhile, whatever the engine did. Its clock starts anew.
        player.stalled();
        start += late;
      } else if (late < 0) Atomics.wait(this.sleeper, 0, 0, -late);
    }
  }

  close(): void {}
}
