// What the engine knows of itself, read from the arena.
import { CONTROL, WORKER, workerWord } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import { SCHEDULINGS, type Scheduling } from '../realtime/priority.js';
import type { Arena } from './arena.js';
import type { Engine } from './engine.js';
import type { Kernels } from './kernels.js';
import type { OutputState } from './output.js';
import type { Patch } from './patch/index.js';
import type { Player } from './player.js';
import type { ScriptStats } from './script-stats.js';
import type { DspThreads } from './threads.js';
import type { Spread } from './timings.js';

export interface WorkerStats {
  /** Whether a thread is in this place: for a moment after one has died, none is. */
  readonly alive: boolean;
  /** Threads that have taken this place after the first. */
  readonly restarts: number;
  /** The priority that the system allowed. */
  readonly scheduling: Scheduling;
  /** Whether the thread's processor takes denormals for zero. */
  readonly flushesDenormals: boolean;
  /** Share of the time since the last reading that went to computing, 0..1. */
  readonly load: number;
  /** Kernel traps caught. */
  readonly faults: number;
  readonly blocks: number;
  /** Partitions of the plan that are its own; others help with them. */
  readonly partitions: number;
  /** What a block takes it, on average since the last reading. */
  readonly costUs: number;
  /** Longest block since the last reading. */
  readonly maxBlockMs: number;
}

export interface EngineStats {
  readonly sampleRate: number;
  readonly blockFrames: number;
  /** Delivered to the output. */
  readonly frames: number;
  readonly seconds: number;
  /** Periods for which the engine was too late. */
  readonly underruns: number;
  /** Times the audio host itself was woken too late: the machine's fault, not the engine's. */
  readonly stalls: number;
  /** Times that a block went on without what a thread had, because that was too late. */
  readonly abandoned: number;
  readonly blocks: number;
  readonly workers: readonly WorkerStats[];
  readonly modules: number;
  readonly voices: number;
  readonly cables: number;
  /** Largest sample since the last reading, left and right; 1 = 0 dBFS. */
  readonly peak: readonly number[];
  readonly driver: string;
  readonly device?: string;
  /** Why it is this driver, or what has become of the device. */
  readonly reason?: string;
  /** From a block's being computed to its being heard, as far as the driver knows. */
  readonly latencyMs: number;
  /** Frames that the engine works ahead of the device; 0 = each period is computed when the device asks for it. */
  readonly ringDepthFrames: number;
  /** Blocks for which the device brought too little. */
  readonly inputUnderruns: number;
  readonly memory: { readonly used: number; readonly budget: number };
  readonly lateEvents: number;
  readonly droppedEvents: number;
  readonly staleEvents: number;
  /** Faults that were not reported as events, because there were too many at once; their modules have counted them. */
  readonly untoldFaults: number;
  readonly kernels: number;
  readonly scripts: ScriptStats;
  /** Plans that edits have made, and what it took to decide which thread runs what, for the last 512 of them. */
  readonly edits: { readonly count: number; readonly assignMs: Spread };
}

/** BUSY_NS wraps every 4.3 s of work; it is read more often than that. */
const READ_MS = 1000;

export class Meter {
  readonly #engine: Engine;
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #threads: DspThreads;
  readonly #player: Player;
  readonly #last: number[];
  readonly #busy: number[];
  /** Blocks as of the last reading. */
  readonly #blocks: number[];
  #since = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(engine: Engine, arena: Arena, kernels: Kernels, threads: DspThreads, player: Player) {
    this.#engine = engine;
    this.#arena = arena;
    this.#kernels = kernels;
    this.#threads = threads;
    this.#player = player;
    this.#last = new Array<number>(engine.workers).fill(0);
    this.#busy = new Array<number>(engine.workers).fill(0);
    this.#blocks = new Array<number>(engine.workers).fill(0);
    this.#timer = setInterval(() => this.#accumulate(), READ_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #accumulate(): void {
    const { words } = this.#arena;
    this.#last.forEach((last, worker) => {
      const now = Atomics.load(words, workerWord(worker, WORKER.BUSY_NS));
      this.#busy[worker]! += ((now - last) | 0) >>> 0;
      this.#last[worker] = now;
    });
  }

  read(patch: Patch, output: OutputState): EngineStats {
    const { words, floats } = this.#arena;
    const engine = this.#engine;
    this.#accumulate();
    const now = performance.now();
    const elapsed = Math.max(1e-3, now - this.#since) * 1e6;
    this.#since = now;
    const workers = this.#busy.map((busy, worker) => {
      const longest = workerWord(worker, WORKER.MAX_BLOCK_NS);
      this.#busy[worker] = 0;
      const blocks = Atomics.load(words, workerWord(worker, WORKER.BLOCKS)) >>> 0;
      const computed = (blocks - this.#blocks[worker]!) >>> 0;
      this.#blocks[worker] = blocks;
      return {
        alive: this.#threads.isAlive(worker),
        restarts: this.#threads.restarts(worker),
        scheduling: SCHEDULINGS[Atomics.load(words, workerWord(worker, WORKER.SCHEDULING))]!,
        flushesDenormals: Atomics.load(words, workerWord(worker, WORKER.FLUSHES)) === 1,
        load: Math.min(1, busy / elapsed),
        faults: Atomics.load(words, workerWord(worker, WORKER.FAULTS)),
        blocks,
        partitions: this.#player.plan?.partitions.filter((partition) => partition.worker === worker).length ?? 0,
        costUs: computed === 0 ? 0 : busy / 1000 / computed,
        maxBlockMs: Atomics.exchange(words, longest, 0) / 1e6,
      };
    });
    const peak = [CONTROL.PEAK_LEFT, CONTROL.PEAK_RIGHT].map((word) => {
      const value = floats[word]!;
      Atomics.store(words, word, 0);
      return value;
    });
    const frames = readFrame(words, CONTROL.HOST_FRAME_LO);
    return {
      sampleRate: engine.sampleRate,
      blockFrames: engine.blockFrames,
      frames,
      seconds: frames / engine.sampleRate,
      underruns: Atomics.load(words, CONTROL.UNDERRUNS),
      stalls: Atomics.load(words, CONTROL.STALLS),
      abandoned: Atomics.load(words, CONTROL.ABANDONED),
      blocks: Atomics.load(words, CONTROL.BLOCKS) >>> 0,
      workers,
      modules: patch.modules.size,
      voices: [...patch.modules.values()].reduce((sum, module) => sum + module.voices, 0),
      cables: patch.cables.length,
      peak: peak.slice(0, engine.channels),
      driver: output.driver,
      ...(output.device === undefined ? {} : { device: output.device }),
      ...(output.reason === undefined ? {} : { reason: output.reason }),
      latencyMs: (output.latencyMs ?? 0) + (1000 * words[CONTROL.RING_DEPTH]!) / engine.sampleRate,
      ringDepthFrames: words[CONTROL.RING_DEPTH]!,
      inputUnderruns: Atomics.load(words, CONTROL.INPUT_UNDERRUNS),
      memory: this.#arena.usage,
      lateEvents: Atomics.load(words, CONTROL.LATE_EVENTS),
      droppedEvents: Atomics.load(words, CONTROL.OSC_DROPPED),
      staleEvents: Atomics.load(words, CONTROL.STALE_EVENTS),
      untoldFaults: engine.untoldFaults,
      kernels: this.#kernels.count,
      scripts: engine.scriptStats(),
      edits: { count: this.#player.assignments.count, assignMs: this.#player.assignments.spread },
    };
  }
}
