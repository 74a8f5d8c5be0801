// What a recorded sine must be: its own continuation, frame by frame.
//
// The sine has a period of exactly PERIOD frames, so from the first periods on every later sample is known, whatever the engine went
// through: no tolerance for time. What differs from that continuation is a gap. PERIOD is no divisor of a block, so that a block left
// out, or played twice, is heard; after a gap the sine may be behind by some blocks, and the gap then says so.
export const PERIOD = 256;

/** Until then the engine's DC filter is still settling. */
const LEARN_FROM = 96_000;
/** Largest step in the difference from the continuation, and the difference itself (the DC filter settles again after a gap). */
const STEP = 1e-5;
const DRIFT = 0.02;
/** A sine with errors beyond this is none to begin with. */
const IMPURE = 1e-4;
/** Louder than anything that is played here. */
const ABSURD = 8;

/**
 * @typedef {object} Gap
 * @property {number} from
 * @property {number} to the first good frame
 * @property {number} worst the largest difference
 * @property {number} behind frames that the sine goes on too late by, less than PERIOD
 * @property {boolean} isFinite
 */

export class ToneCheck {
  /** @type {Gap[]} */
  gaps = [];
  /** Largest difference of the tone learned from the ideal sine, once it is known. */
  impurity = NaN;
  #tone = new Float32Array(PERIOD);
  #latest = new Float32Array(PERIOD);
  #block;
  #learnFrom;
  /** Frames of the tone that have been heard one after the other. */
  #learned = 0;
  #behind = 0;
  #before = NaN;
  /** @type {Gap | undefined} */
  #open;

  /** @param {number} block frames per block, a divisor of PERIOD */
  constructor(block, learnFrom = LEARN_FROM) {
    this.#block = block;
    this.#learnFrom = Math.ceil(learnFrom / PERIOD) * PERIOD;
  }

  get isReady() {
    return !Number.isNaN(this.impurity);
  }

  /** One period as it is to be. */
  get tone() {
    return this.#tone;
  }

  /** What follows is not the next frame: nobody has heard what lies between. */
  skip() {
    this.#before = NaN;
    this.#learned = 0;
  }

  /** @param {number} frame @param {number} left the sine @param {number} right anything that is a sound */
  hear(frame, left, right) {
    const isSound = Math.abs(left) < ABSURD && Math.abs(right) < ABSURD;
    if (frame < this.#learnFrom) {
      if (!isSound) this.#bad(frame, Infinity, false);
      return;
    }
    if (!this.isReady) {
      this.#tone[frame % PERIOD] = left;
      if (++this.#learned === PERIOD) this.impurity = impurityOf(this.#tone);
      return;
    }
    this.#latest[frame % PERIOD] = left;
    const difference = left - this.#at(frame, this.#behind);
    const step = Number.isNaN(this.#before) ? 0 : difference - this.#before;
    this.#before = Number.isNaN(difference) ? 0 : difference;
    // Also when it is no number.
    if (!(Math.abs(step) <= STEP) || !(Math.abs(difference) <= DRIFT) || !isSound) this.#bad(frame, Math.abs(difference), isSound);
    else if (this.#open && frame >= this.#open.to + PERIOD) this.end();
    if (this.#open && frame - this.#open.from > PERIOD && (frame + 1) % this.#block === 0) this.#findAgain(frame);
  }

  #at(frame, behind) {
    return this.#tone[(frame - behind + PERIOD) % PERIOD];
  }

  #bad(frame, difference, isFinite) {
    this.#open ??= { from: frame, to: frame, worst: 0, behind: 0, isFinite: true };
    this.#open.to = frame + 1;
    this.#open.worst = Math.max(this.#open.worst, difference);
    this.#open.isFinite &&= isFinite;
  }

  /** Whether the latest period is the sine, some blocks late. */
  #findAgain(frame) {
    for (let behind = 0; behind < PERIOD; behind += this.#block) {
      if (behind === this.#behind) continue;
      if (!this.#latest.every((value, i) => Math.abs(value - this.#at(i, behind)) <= DRIFT)) continue;
      this.#open.to = Math.max(this.#open.from + 1, frame + 1 - PERIOD);
      this.#open.behind = (behind - this.#behind + PERIOD) % PERIOD;
      this.#behind = behind;
      this.#before = NaN;
      return this.end();
    }
  }

  /** Ends a gap that lasts until now. */
  end() {
    if (this.#open) this.gaps.push(this.#open);
    this.#open = undefined;
  }
}

/** Largest difference between one period and the sine that fits it best. */
export function impurityOf(period) {
  const angle = (i) => (2 * Math.PI * i) / period.length;
  let [cos, sin] = [0, 0];
  period.forEach((value, i) => {
    cos += (2 / period.length) * value * Math.cos(angle(i));
    sin += (2 / period.length) * value * Math.sin(angle(i));
  });
  const isLoud = Math.hypot(cos, sin) > 0.1;
  const ideal = (i) => cos * Math.cos(angle(i)) + sin * Math.sin(angle(i));
  return isLoud ? period.reduce((worst, value, i) => Math.max(worst, Math.abs(value - ideal(i))), 0) : Infinity;
}

/** @param {number} impurity */
export const isPure = (impurity) => impurity < IMPURE;
