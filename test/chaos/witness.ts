// Keeps what the engine tells and what is heard of it, and says what of that nobody can explain.
//
// Every fault event must have been expected by a disaster, every expected one must come. A gap in the sine is explained by nothing but
//  - the death of the thread that was computing the sine (or the output) at that moment, between two steps: at most one block;
//  - a thread so late that its partition was given up, when that holds the sine too: because the module that hangs is in the same
//    partition; because the machine stood still (which the listener, a thread of its own, has noticed by its own lateness); or because
//    the device has run dry just then, the leader having been dead or held up: with nothing kept ready, a block is all the time there is.
import type { Engine } from '#src/control/engine.js';
import type { FaultEvent } from '#src/control/events.js';
import { CLAIM_TAKEN, CONTROL, MAX_SLOTS, PARTITION, PLAN, WORKER, workerWord } from '#src/shared/layout.js';
import { ownerOf, stateOf } from '#src/realtime/partitions.js';

export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly worst: number;
  readonly behind: number;
  readonly isFinite: boolean;
}

/** What the sound of the sine goes through. */
const HEARD = ['sine', 'out'];
/** A stand-still of the machine, and how far from a gap it may be noticed. */
const STALL = { ms: 25, frames: 24_000 };
/** How far from a gap a device may be seen to have run dry: that is looked at every 100 ms. */
const DRY_FRAMES = 12_000;

const LOOK_MS = 2;

export interface Expectation {
  readonly what: string;
  readonly id?: string;
  readonly worker?: number;
  /** Whether there may be more than one. */
  readonly repeats?: boolean;
  seen: number;
}

export class Witness {
  readonly gaps: Gap[] = [];
  readonly lates: FaultEvent[] = [];
  readonly stalls: { readonly frame: number; readonly ms: number }[] = [];
  /** Times, in frames, in which a module that hung or was slow shared a partition with the sine. */
  readonly #shared: { readonly from: number; to: number }[] = [];
  readonly #losses: number[] = [];
  readonly #dry: number[] = [];
  readonly #expected = new Set<Expectation>();
  readonly #unexpected: string[] = [];

  constructor(private readonly engine: Engine) {
    engine.on('fault', (event) => this.#hear(event));
    engine.on('underrun', () => this.#dry.push(engine.frame));
    engine.on('device', ({ state }) => state !== 'open' && this.#dry.push(engine.frame));
  }

  /** A fault that a disaster is about to cause. */
  expect(expectation: Omit<Expectation, 'seen'>): Expectation {
    const entry = { ...expectation, seen: 0 };
    this.#expected.add(entry);
    return entry;
  }
  /** No more of it will come. */
  done(expectation: Expectation): void {
    this.#expected.delete(expectation);
    if (expectation.seen === 0) this.#unexpected.push(`never reported: ${JSON.stringify(expectation)}`);
  }

  #hear(event: FaultEvent): void {
    if (event.what === 'late') return void this.lates.push(event);
    if (event.what === 'worker') this.#death(event.worker!);
    const match = [...this.#expected].find(
      ({ what, id, worker, seen, repeats }) =>
        what === event.what &&
        (id === undefined || id === event.id) &&
        (worker === undefined || worker === event.worker) &&
        (seen === 0 || repeats === true),
    );
    if (match) match.seen++;
    else this.#unexpected.push(`nobody did this: ${JSON.stringify(event)}`);
  }

  /** Word indices of the partitions that a module's and the sine's sound come from. */
  #partitions(ids: readonly string[]): number[] {
    const { words } = this.engine.arena;
    const plan = Atomics.load(words, CONTROL.PLAN) >> 2;
    if (plan === 0) return [];
    const slots = this.engine.liveModules().flatMap(({ id, address }) => (ids.includes(id) ? [address & (MAX_SLOTS - 1)] : []));
    return slots.flatMap((slot) => {
      const index = words[(words[plan + PLAN.SLOT_PARTITION]! >> 2) + slot]!;
      return index < 0 ? [] : [(words[plan + PLAN.PARTITIONS]! >> 2) + index * PARTITION.WORDS];
    });
  }

  /** The thread is dead and has no successor yet: what it held it still holds. */
  #death(worker: number): void {
    const { words } = this.engine.arena;
    const isBetweenSteps = Atomics.load(words, workerWord(worker, WORKER.AT)) === 0;
    const claims = this.#partitions(HEARD).map((partition) => Atomics.load(words, partition + PARTITION.CLAIM));
    const held = claims.some((claim) => stateOf(claim) === CLAIM_TAKEN && ownerOf(claim) === worker);
    if (held && isBetweenSteps) this.#losses.push(this.engine.frame);
  }

  /** From frame `from` and while `during` lasts, a module holds up its partition, whichever that is after the edits meanwhile. */
  async holdingUp(id: string, from: number, during: () => Promise<void>): Promise<void> {
    let span: { from: number; to: number } | undefined;
    const look = (): void => {
      const heard = new Set(this.#partitions(HEARD));
      if (span || !this.#partitions([id]).some((partition) => heard.has(partition))) return;
      this.#shared.push((span = { from, to: Infinity }));
    };
    // A scene may follow another without an edit: when what faded out is gone.
    const timer = setInterval(look, LOOK_MS);
    this.engine.on('edit', look);
    look();
    try {
      await during();
    } finally {
      clearInterval(timer);
      this.engine.off('edit', look);
      if (span) span.to = this.engine.frame;
    }
  }

  /** Why there is a gap, if that is allowed. */
  explain({ from, to, isFinite }: Gap): string | undefined {
    if (!isFinite) return undefined;
    const block = this.engine.blockFrames;
    const near = (frame: number, within: number): boolean => frame > from - within && frame < to + within;
    if (to - from <= block + 1 && this.#losses.some((frame) => near(frame, 2 * block))) return 'death';
    if (!this.lates.some(({ frame }) => near(frame, 2 * block))) return undefined;
    if (this.#shared.some((span) => from >= span.from - block && from <= span.to)) return 'same partition';
    if (this.#dry.some((frame) => near(frame, DRY_FRAMES))) return 'dry';
    return this.stalls.some(({ frame, ms }) => ms >= STALL.ms && near(frame, STALL.frames)) ? 'machine' : undefined;
  }

  /** What nobody can explain; of gaps, those before frame `before`. */
  broken(before: number): string[] {
    const gaps = this.gaps.filter((gap) => gap.to < before && this.explain(gap) === undefined);
    const lately = ({ from, to }: Gap): number[] =>
      this.lates.map(({ frame }) => frame).filter((frame) => frame > from - STALL.frames && frame < to + STALL.frames);
    return [
      ...this.#unexpected,
      ...gaps.map(
        (gap) =>
          `a gap in the sine that nothing explains: ${JSON.stringify(gap)}; threads were late at ${lately(gap).join(', ') || 'no'} frame`,
      ),
    ];
  }
  /** Disasters that have not heard of theirs. */
  waiting(): string[] {
    return [...this.#expected].filter(({ seen }) => seen === 0).map((expectation) => JSON.stringify(expectation));
  }
}
