// Commands of bundles that lie ahead: control gets them when their time has come. Edits take effect at a block edge, so a timer is as
// good as the sample clock.

/** As many as may wait. */
export const HELD_MAX = 256;
/** The longest that a timer waits. */
const LONGEST_MS = 60_000;

export class Held {
  /** In the order of their time; in that of their coming where it is the same. */
  readonly #queue: { readonly at: number; readonly run: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Runs something at a Unix time in milliseconds. @returns false when too much waits */
  add(at: number, run: () => void): boolean {
    if (this.#queue.length >= HELD_MAX) return false;
    let place = this.#queue.length;
    while (place > 0 && this.#queue[place - 1]!.at > at) place--;
    this.#queue.splice(place, 0, { at, run });
    this.#wait();
    return true;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const [first] = this.#queue;
    if (first) this.#timer = setTimeout(() => this.#runDue(), Math.min(LONGEST_MS, Math.max(0, first.at - Date.now())));
  }

  #runDue(): void {
    const due = this.#queue.findIndex(({ at }) => at > Date.now());
    const ready = this.#queue.splice(0, due < 0 ? this.#queue.length : due);
    this.#wait();
    for (const { run } of ready) run();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}
