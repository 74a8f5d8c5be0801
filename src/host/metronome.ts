// The beat of a device that has none: periods by the monotonic clock, without drift and without leaving anything on the heap.
import { openClock } from '../realtime/clock.js';
import { openSleep } from './time.js';

export class Metronome {
  private readonly clock = openClock();
  private readonly sleep = openSleep();
  private readonly sampleRate: number;
  /** A period is `periodNs` and `remainder / sampleRate` nanoseconds. */
  readonly periodNs: number;
  private readonly remainder: number;
  private owed = 0;
  private deadline = this.clock();

  constructor(periodFrames: number, sampleRate: number) {
    this.sampleRate = sampleRate;
    this.periodNs = Math.floor((periodFrames * 1e9) / sampleRate);
    this.remainder = (periodFrames * 1e9) % sampleRate;
  }

  /** Sleeps to the end of the period. @returns false when that was past by a period or more; the next then begins now. */
  wait(): boolean {
    // Deadlines count from the start, so that an oversleep is not added up.
    this.owed += this.remainder;
    const leap = this.owed >= this.sampleRate ? 1 : 0;
    this.owed -= leap * this.sampleRate;
    this.deadline = (this.deadline + this.periodNs + leap) | 0;
    const early = (this.deadline - this.clock()) | 0;
    if (early > 0) this.sleep(early);
    if (-early < this.periodNs) return true;
    this.deadline = (this.deadline - early) | 0;
    return false;
  }
}
