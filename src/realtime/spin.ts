// For how long a thread spins before it sleeps.
//
// To spin costs nothing where a core is free for it, and to sleep costs 13 to 70 µs; but where cores are scarce, who spins may keep the very
// thread that it waits for from running. Nobody can tell which it is but by trying: what paid is tried for twice as long the next time, what
// did not for half as long.

/** Share of the most that is always tried, as a shift. */
const LEAST = 5;

export class Spin {
  /** Turns to try. */
  turns: number;
  private readonly most: number;

  constructor(most: number) {
    this.turns = this.most = most;
  }

  /** What came of it. */
  learn(hasPaid: boolean): void {
    const turns = hasPaid ? this.turns << 1 : this.turns >> 1;
    const least = this.most >> LEAST;
    this.turns = turns > this.most ? this.most : turns < least ? least : turns;
  }
}
