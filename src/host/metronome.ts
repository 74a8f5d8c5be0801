// The beat of a device that has none: periods by the monotonic clock, without drift and without leaving anything on the heap.
import { openClock, type Clock } from '../realtime/clock.js';
import { openSleep } from './time.js';

export class Metronome {
  private readonly clock: Clock;
  private readonly sleep: (ns: number) => void;
  private readonly sampleRate: number;
  /** A period is `periodNs` and `remainder / sampleRate` nanoseconds. */
  readonly periodNs: number;
  private readonly remainder: number;
  private owed = 0;
  private deadline: number;

  constructor(periodFrames: number, sampleRate: number, clock = openClock(), sleep = openSleep()) {
    this.clock = clock;
    this.sleep = sleep;
    this.deadline = clock();
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
    const now = this.clock();
    const early = (this.deadline - now) | 0;
    // The clock wraps: what looks like more than a period is a process that was stopped for more than two seconds.
    const isLate = early <= -this.periodNs || early > this.periodNs + 1;
    if (isLate) this.deadline = now;
    else if (early > 0) this.sleep(early);
    return !isLate;
  }
}
