// A map from time to frames that follows noisy pairs of both, smoothly.
//
// A delay-locked loop of second order (F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005), here for pairs that come at any
// distance: the error of each pair moves the phase a little and the rate even less. At first the loop is fast; then it slows down, until a
// pair that is a millisecond off moves the map by less than a tenth of a sample at 50 pairs a second.

/** Bandwidth of the loop in Hz: at first, and when it has settled. */
const FAST = 0.1;
const SLOW = 0.01;
/** Seconds, times Hz, after which it slows down. */
const SETTLES = 0.5;
/** A pair farther off than this is not believed … */
const OUTLIER_S = 0.005;
/** … unless as many follow one another: then time has jumped. */
const OUTLIERS = 8;

export class TimeLoop {
  /** Frames per second, as observed. */
  rate: number;
  readonly #nominal: number;
  #time = 0;
  #frame = 0;
  #start = 0;
  /** Pairs taken in since the start; 0 = there is no map yet. */
  #pairs = 0;
  #outliers = 0;

  constructor(rate: number) {
    this.#nominal = rate;
    this.rate = rate;
  }

  /** Begins anew at a pair. */
  reset(time: number, frame: number): void {
    this.#time = this.#start = time;
    this.#frame = frame;
    this.#pairs = 1;
    this.#outliers = 0;
    this.rate = this.#nominal;
  }

  /** Takes in a pair. `noise`: seconds that pairs may be off without cause for doubt. */
  add(time: number, frame: number, noise = 0): void {
    const elapsed = time - this.#time;
    const error = frame - this.frameAt(time);
    const doubtful = elapsed <= 0 || Math.abs(error) > Math.max(noise, OUTLIER_S) * this.#nominal;
    if (this.#pairs === 0 || (doubtful && ++this.#outliers >= OUTLIERS)) this.reset(time, frame);
    else if (!doubtful) {
      const bandwidth = Math.min(FAST, Math.max(SLOW, SETTLES / (time - this.#start)));
      const turn = Math.min(1, 2 * Math.PI * bandwidth * elapsed);
      this.#outliers = 0;
      this.#pairs++;
      this.#frame = this.frameAt(time) + Math.max(Math.SQRT2 * turn, 1 / this.#pairs) * error;
      this.#time = time;
      this.rate += (turn * turn * error) / elapsed;
    }
  }

  frameAt(time: number): number {
    return this.#frame + (time - this.#time) * this.rate;
  }

  timeAt(frame: number): number {
    return this.#time + (frame - this.#frame) / this.rate;
  }
}
