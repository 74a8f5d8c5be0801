// How long the last of something took.

/** Milliseconds. */
export interface Spread {
  /** The latest. */
  readonly last: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const KEPT = 512;

/** A ring of the last measurements. */
export class Timings {
  readonly #ms = new Float64Array(KEPT);
  #count = 0;

  add(ms: number): void {
    this.#ms[this.#count++ % KEPT] = ms;
  }

  /** Of all there have been. */
  get count(): number {
    return this.#count;
  }

  get spread(): Spread {
    const sorted = this.#ms.slice(0, Math.min(this.#count, KEPT)).sort();
    const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return { last: this.#count > 0 ? this.#ms[(this.#count - 1) % KEPT]! : 0, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
