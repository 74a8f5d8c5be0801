// Where a thread's search for work in a block begins.
//
// What is claimed stays claimed, so a search need not begin at the first partition again: without that, a block of n partitions
// would take n² looks.

export class Search {
  /** Before this one, all that are meant for this thread are claimed. */
  own = 0;
  /** Before this one, all are claimed. */
  any = 0;
  /** Before this one, all are over. */
  over = 0;

  restart(): void {
    this.own = this.any = this.over = 0;
  }
}
