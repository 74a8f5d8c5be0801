// A plan on its way: words that point to one another before it is known where they will lie.

/** Words of a plan, addressed from its start until it is known where that is. */
export class Draft {
  readonly words: number[] = [];
  /** Words that hold an address within the plan. */
  readonly relative = new Set<number>();

  /** Makes room for `count` words at a multiple of 64 bytes. @returns the first's index */
  room(count: number): number {
    while (this.words.length % 16) this.words.push(0);
    const at = this.words.length;
    for (let i = 0; i < count; i++) this.words.push(0);
    return at;
  }
  /** Sets a word to the address of another word of the plan. */
  point(word: number, target: number): void {
    this.words[word] = target * 4;
    this.relative.add(word);
  }
  list(values: readonly number[], relative = false): number {
    const at = this.room(values.length);
    values.forEach((value, i) => (relative ? this.point(at + i, value) : (this.words[at + i] = value)));
    return at;
  }
}
