/** A small seeded generator (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }
  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  /** A number from `min` to `max` that a float holds. */
  between(min: number, max: number): number {
    return Math.fround(min + this.next() * (max - min));
  }
  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }
  /** A generator of its own. */
  fork(): Random {
    return new Random(this.below(2 ** 31));
  }
}
