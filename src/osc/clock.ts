// From time tags to frames.
import { CONTROL, RUN_PLAYING } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import { readStamp, type Stamp } from '../shared/stamp.js';
import { TimeLoop } from './loop.js';
import { isImmediate, timetagFromUnix, unixSeconds } from './timetag.js';

/** Instead of a frame: as soon as possible. */
export const NOW = -Infinity;

export interface FrameClock {
  /** The frame that a time tag's two words mean, perhaps one before the first, or NOW. */
  frameOf(seconds: number, fraction: number): number;
}

/**
 * The engine's clock. The audio host stamps the frames it takes with the time; `poll`, some 50 times a second, follows the stamps. A time T
 * means the frame that is about to be computed at T: the one the host takes at T, plus what is kept ready, plus the period the host has just taken.
 * So what is meant for this moment is not late, and everything is heard later by the same few milliseconds.
 * Before there are stamps it follows the frame being computed; while nothing plays, time stands still there.
 */
export class EngineClock implements FrameClock {
  readonly sampleRate: number;
  readonly #words: Int32Array;
  readonly #unixNow: () => number;
  /** Unix time from which the loop counts: whole seconds, so that no digits are wasted on the years since 1970. */
  readonly #epochS: number;
  readonly #loop: TimeLoop;
  readonly #stamp: Stamp = { seconds: 0, nanoseconds: 0, frame: 0 };
  /** Sequence number of the last stamp. */
  #seen = 0;

  /** `unixNow`: Unix time in seconds. */
  constructor(words: Int32Array, unixNow: () => number = () => Date.now() / 1000) {
    this.#words = words;
    this.#unixNow = unixNow;
    this.sampleRate = words[CONTROL.SAMPLE_RATE]!;
    this.#epochS = Math.floor(unixNow());
    this.#loop = new TimeLoop(this.sampleRate);
    this.poll();
  }

  /** Takes in where the engine is. */
  poll(): void {
    const words = this.#words;
    const computing = (): number => readFrame(words, CONTROL.FRAME_LO) - this.#ahead();
    const now = this.#unixNow() - this.#epochS;
    if (Atomics.load(words, CONTROL.RUN) !== RUN_PLAYING) this.#loop.reset(now, computing());
    else if (Atomics.load(words, CONTROL.STAMP_SEQ) === 0) this.#loop.add(now, computing(), this.#periodS());
    else this.#pollStamp();
  }

  #pollStamp(): void {
    const sequence = readStamp(this.#words, this.#stamp);
    if (sequence === 0 || sequence === this.#seen) return;
    this.#seen = sequence;
    const { seconds, nanoseconds, frame } = this.#stamp;
    this.#loop.add(seconds - this.#epochS + nanoseconds * 1e-9, frame, this.#periodS());
  }

  /** Frames between what is heard next and what is computed next. */
  #ahead(): number {
    return Atomics.load(this.#words, CONTROL.RING_DEPTH) + Atomics.load(this.#words, CONTROL.PERIOD_FRAMES);
  }

  #periodS(): number {
    return Atomics.load(this.#words, CONTROL.PERIOD_FRAMES) / this.sampleRate;
  }

  frameOf(seconds: number, fraction: number): number {
    if (isImmediate(seconds, fraction)) return NOW;
    const time = unixSeconds(seconds, 0) - this.#epochS + fraction / 2 ** 32;
    return Math.round(this.#loop.frameAt(time) + this.#ahead());
  }

  /** The frame that now means, its time tag, and frames per second. */
  now(): { readonly frame: number; readonly timetag: bigint; readonly rate: number } {
    const ahead = this.#ahead();
    const frame = Math.max(0, Math.round(this.#loop.frameAt(this.#unixNow() - this.#epochS) + ahead));
    const time = BigInt(Math.round(this.#loop.timeAt(frame - ahead) * 2 ** 32));
    return { frame, timetag: BigInt.asUintN(64, timetagFromUnix(this.#epochS) + time), rate: this.#loop.rate };
  }
}
