// The watch: sees which DSP threads have died and which hang, ends those, and reports.
//
// A thread hangs when it is in one step of one block for longer than any step may take and has used the processor meanwhile. The
// second condition is there because whole machines stand still for tens of milliseconds, and a thread that was not let run is not to
// blame. Threads are also replaced for their age, without a gap. The module in which a thread hung is bypassed; one in which a thread died only when the next thread dies in it at once.
import { readFileSync } from 'node:fs';
import { CONTROL, RUN_PLAYING, WORKER, workerWord } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import type { Arena } from './arena.js';
import type { FaultEvent } from './events.js';
import { Faults } from './faults.js';
import type { Instance, Instances } from './instances.js';
import type { DspThreads } from './threads.js';

const LOOK_MS = 10;
/** Milliseconds in one step after which a thread hangs: while a device plays, and offline. Half of them on the processor. */
const HANGS_MS = { live: 100, offline: 1000 } as const;
/** Looks that must have found it so: when this thread itself stood still, it knows nothing. */
const LEAST_LOOKS = 5;
/** Blocks within which a second thread dies in a module that kills them. */
const AT_ONCE = 8;

/** Milliseconds a thread of this process has run (Linux; ticks of 10 ms), or undefined where that cannot be known. */
function ranMs(systemId: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/self/task/${systemId}/stat`, 'utf8');
    // The name, in brackets, may have spaces; user and system time are the 12th and 13th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}

/** Where a thread was found, again and again. */
interface Sighting {
  /** Who: a successor must not pay for the thread before it. */
  readonly seat: number;
  readonly at: number;
  readonly beat: number;
  readonly since: number;
  readonly ran: number | undefined;
  looks: number;
}

export class Watch {
  readonly faults: Faults;
  readonly #arena: Arena;
  readonly #threads: DspThreads;
  readonly #report: (event: FaultEvent) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #maxAgeMs: number;
  /** A thread is just leaving its place for its age. */
  #retiring = false;
  readonly #seen = new Map<number, Sighting>();
  readonly #hung = new Set<number>();
  /** Modules in which a thread has died, and the frame at which it did. */
  readonly #suspects = new WeakMap<Instance, number>();

  constructor(arena: Arena, threads: DspThreads, instances: Instances, maxAgeMs: number, report: (event: FaultEvent) => void) {
    this.#maxAgeMs = maxAgeMs;
    this.#arena = arena;
    this.#threads = threads;
    this.#report = report;
    this.faults = new Faults(arena, instances, report);
    threads.onDeath = (worker) => this.#died(worker);
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Reports what it has not reported yet, and looks no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.faults.drain();
    this.#threads.onDeath = () => {};
  }

  #look(): void {
    this.#threads.look();
    this.faults.drain();
    for (let worker = 0; worker < this.#arena.words[CONTROL.WORKERS]!; worker++)
      if (!this.#hung.has(worker) && this.#hangs(worker)) {
        this.#hung.add(worker);
        void this.#threads.kill(worker);
      }
    this.#retire();
  }

  /** Whatever a thread may have gathered in its life goes with it: the old ones are replaced, one after the other. */
  #retire(): void {
    if (this.#retiring || Atomics.load(this.#arena.words, CONTROL.RUN) !== RUN_PLAYING) return;
    const workers = Array.from({ length: this.#arena.words[CONTROL.WORKERS]! }, (_, worker) => worker);
    const old = workers.find((worker) => this.#threads.age(worker) > this.#maxAgeMs);
    if (old === undefined) return;
    this.#retiring = true;
    // One that does not leave now is asked again.
    const done = (): boolean => (this.#retiring = false);
    this.#threads.restart(old).then(done, done);
  }

  #hangs(worker: number): boolean {
    const { words } = this.#arena;
    const word = (field: number): number => Atomics.load(words, workerWord(worker, field));
    const [seat, at, beat] = [word(WORKER.SEAT), word(WORKER.AT), word(WORKER.HEARTBEAT)];
    const now = performance.now();
    const seen = this.#seen.get(worker);
    // What a dead thread has left stays there until the next one has settled.
    if (at === 0 || !this.#threads.isAlive(worker) || Atomics.load(words, CONTROL.RUN) !== RUN_PLAYING) {
      this.#seen.delete(worker);
      return false;
    }
    if (seen?.seat !== seat || seen.at !== at || seen.beat !== beat) {
      this.#seen.set(worker, { seat, at, beat, since: now, ran: ranMs(word(WORKER.SYSTEM_ID)), looks: 0 });
      return false;
    }
    seen.looks++;
    const limit = Atomics.load(words, CONTROL.LIVE) === 1 ? HANGS_MS.live : HANGS_MS.offline;
    if (seen.looks < LEAST_LOOKS || now - seen.since < limit) return false;
    if (seen.ran === undefined) return true;
    // Of a thread that has just died, nothing can be known any more: it does not hang.
    const ran = ranMs(word(WORKER.SYSTEM_ID));
    return ran !== undefined && ran - seen.ran >= limit / 2;
  }

  /** A thread has ended; nobody has its place yet. */
  #died(worker: number): void {
    const { words } = this.#arena;
    const frame = readFrame(words, CONTROL.FRAME_LO);
    const hung = this.#hung.delete(worker);
    this.#seen.delete(worker);
    const at = Atomics.load(words, workerWord(worker, WORKER.AT));
    // Of several that lie in lanes of one state, those that are bypassed already did nothing.
    const modules = at === 0 ? [] : this.faults.modulesOf(words[at >> 2]! >> 2).filter((module) => !this.faults.isBypassed(module));
    for (const module of modules) {
      if (hung) this.faults.bypass(module, 'stuck', `did not end and took DSP thread ${worker} with it: it is bypassed`, worker, frame);
      else if (frame - (this.#suspects.get(module) ?? -Infinity) <= AT_ONCE * words[CONTROL.BLOCK_FRAMES]!)
        this.faults.bypass(
          module,
          'stuck',
          `was running when DSP thread ${worker} died, and so did the one before: it is bypassed`,
          worker,
          frame,
        );
      this.#suspects.set(module, frame);
    }
    const message = `DSP thread ${worker} ${hung ? 'hung and was ended' : 'died'}; another takes its place`;
    this.#report({ kind: 'fault', what: 'worker', worker, frame, message });
  }
}
