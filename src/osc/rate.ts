// So many a second, and no more; what is left out is counted, so that it can be told.

export class Rate {
  /** Left out since `takeSkipped`. */
  #skipped = 0;
  #left: number;
  #ends = -Infinity;
  readonly #perSecond: number;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Whether one more is allowed; `now` in milliseconds. */
  allows(now: number): boolean {
    if (now >= this.#ends) {
      this.#left = this.#perSecond;
      this.#ends = now + 1000;
    }
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    this.#skipped++;
    return false;
  }

  takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}
