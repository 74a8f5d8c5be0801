// What each module costs, by samples: every few blocks a thread times one of the steps it runs, in turn, and adds that to the modules'
// HEALTH records; in every block, that took 2.6 of the 60 µs of 200 standard voices on two threads. A step that alone takes more than its
// share of the block's time while blocks come too late is bypassed.
//
// The clock is the thread's own processor time where the system tells it, so that a thread which was not let run is not held against
// the module. In a loop of cables one sample is timed and counted for the whole block. The modules of a pack share what its call took.
import { CONTROL, COST_BINS, FAULT_BUDGET, HEALTH, PARTITION, STEP, WORKER } from '../shared/layout.js';
import { advanceFrame } from '../shared/frame.js';
import { openCpuClock, type Clock } from './clock.js';
import { bypass, healthAt } from './faults.js';
import type { DspThread } from './thread.js';

const NONE = 0;
const ONE = 1;
const ALL = -1;
const BEGINS = 0;
/** Share of the block's time that no step may take, in so many timings in a row, while blocks are late. */
const BUDGET = 0.75;
const OVER_MAX = 4;
/** Blocks from one step timed to the next. */
const ONE_EVERY = 4;
/** After a late block every step is timed, but only once in so many blocks: that costs time too. */
const ALL_EVERY = 16;
const PACK_LANES = 4;
/** Bins are quarters of an octave; the first begins at 2^this ns. */
const FIRST_OCTAVE = 5;

/** The bin of a timing. */
export function costBin(ns: number): number {
  if (ns < 1 << FIRST_OCTAVE) return 0;
  const octave = 31 - Math.clz32(ns);
  const bin = (octave - FIRST_OCTAVE) * 4 + ((ns >> (octave - 2)) & 3);
  return bin < COST_BINS ? bin : COST_BINS - 1;
}

export class Costs {
  private readonly thread: DspThread;
  private readonly clock: Clock;
  private readonly blockNs: number;
  /** What the clock itself takes. */
  private readonly clockNs: number;
  private start = 0;
  /** The step to be timed next, counted over the partitions this thread runs in a block; steps passed in this block. */
  private turn = 0;
  private passed = 0;
  /** Blocks until all steps may be timed again, and for which a late block still counts. */
  private pause = 0;
  private late = 0;
  /** Blocks to the next in which one step is timed; what is timed in this one. */
  private rest = 0;
  private timing = ONE;

  // setup
  constructor(thread: DspThread) {
    const { words } = thread;
    this.thread = thread;
    this.clock = openCpuClock();
    this.blockNs = (words[CONTROL.BLOCK_FRAMES]! / words[CONTROL.SAMPLE_RATE]!) * 1e9;
    let least = Infinity;
    for (let i = 0; i < 100; i++) {
      const begin = this.clock();
      least = Math.min(least, (this.clock() - begin) | 0);
    }
    this.clockNs = least;
  }

  /** A partition is about to be run: says in TIMED which of its steps is to be timed. */
  choose(partition: number): void {
    if (this.timing === NONE) return;
    const { words, base } = this.thread;
    const count = words[partition + PARTITION.STEP_COUNT]!;
    const nth = this.turn - this.passed;
    this.passed += count;
    words[base + WORKER.TIMED] =
      this.timing === ALL ? ALL : nth >= 0 && nth < count ? words[(words[partition + PARTITION.STEPS]! >> 2) + nth]! : 0;
  }

  /** A block has ended, `ns` after it began. */
  endBlock(ns: number): void {
    if (this.timing !== NONE) {
      this.thread.words[this.thread.base + WORKER.TIMED] = 0;
      this.turn = this.turn + 1 < this.passed ? this.turn + 1 : 0;
      this.passed = 0;
    }
    this.rest = this.rest === 0 ? ONE_EVERY - 1 : this.rest - 1;
    if (this.pause > 0) this.pause--;
    if (this.late > 0) this.late--;
    // Offline no block is late.
    if (ns > this.blockNs && Atomics.load(this.thread.words, CONTROL.LIVE) === 1) this.late = 2 * ALL_EVERY;
    this.timing = this.late > 0 && this.pause === 0 ? ALL : this.rest === 0 ? ONE : NONE;
    if (this.timing === ALL) this.pause = ALL_EVERY;
  }

  /** Called by the runner before and after a step that is timed. */
  time(step: number, frames: number, phase: number): void {
    if (phase === BEGINS) {
      this.start = this.clock();
      return;
    }
    const { words, base } = this.thread;
    const taken = ((this.clock() - this.start) | 0) - this.clockNs;
    const perBlock = ((taken > 0 ? taken : 0) * words[CONTROL.BLOCK_FRAMES]!) / frames;
    if (words[base + WORKER.TIMED] !== ALL) words[base + WORKER.TIMED] = 0;
    this.add(step >> 2, perBlock < 2e9 ? perBlock | 0 : 2e9);
  }

  private add(step: number, ns: number): void {
    const { words } = this.thread;
    const lanes = words[step + STEP.LANES]!;
    let first = -1;
    let modules = 0;
    for (let lane = 0; lane < PACK_LANES; lane++) modules += (lanes >> lane) & 1;
    for (let lane = 0; lane < PACK_LANES; lane++) {
      if ((lanes & (1 << lane)) === 0) continue;
      const health = healthAt(words[step + STEP.SLOTS + lane]!);
      const share = (ns / modules) | 0;
      if (first < 0) first = health;
      words[health + HEALTH.TIMINGS] = (words[health + HEALTH.TIMINGS]! + 1) | 0;
      if (share > words[health + HEALTH.MAX_NS]!) words[health + HEALTH.MAX_NS] = share;
      advanceFrame(words, health + HEALTH.SUM_NS, share);
      const bin = health + HEALTH.BINS + costBin(share);
      words[bin] = (words[bin]! + 1) | 0;
    }
    if (first < 0) return;
    const over = this.late > 0 && ns > BUDGET * this.blockNs ? words[first + HEALTH.OVER]! + 1 : 0;
    words[first + HEALTH.OVER] = over < OVER_MAX ? over : 0;
    if (over >= OVER_MAX) bypass(this.thread, step, FAULT_BUDGET, ns);
  }
}
