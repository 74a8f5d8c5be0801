// The flight recorder: the last seconds of block times of every DSP thread, which the threads keep in the arena anyway, and what control
// knows of that time. When the device ran dry it says what the most likely cause was, and writes it all to a file if it has a folder.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { CONTROL, FLIGHT, FLIGHT_BLOCKS, flightAt, PERIOD, periodAt, WORKER, workerWord } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import type { Arena } from './arena.js';
import type { EngineEvent } from './events.js';

/** Seconds that events are kept, and looked back from an underrun for its cause. */
const KEPT_S = 10;
const BLAMED_S = 0.25;
/** Milliseconds between two files, and how many are kept: the oldest goes. */
const FILES_MS = 10_000;
const FILES_MAX = 50;
/** Milliseconds from an underrun to the search for its cause: what is to blame may be found out meanwhile. */
const SEARCH_MS = 100;
/** Milliseconds between two looks at what has come by OSC. */
const OSC_MS = 250;
const EVENTS_MAX = 4096;
const OVERWRITTEN = 64;
/** Faults that cost time; others that happen at that moment are not to blame. */
const BLAMED = new Set(['trap', 'budget', 'stuck', 'late', 'worker']);
/** A module that takes this share of a block's time is to blame, whatever else there was. */
const MOST = 0.75;

const OSC_COUNTERS = [
  ['packets', CONTROL.OSC_PACKETS],
  ['messages', CONTROL.OSC_MESSAGES],
  ['malformed', CONTROL.OSC_FAULTS],
  ['late', CONTROL.OSC_LATE],
  ['merged', CONTROL.OSC_MERGED],
  ['dropped', CONTROL.OSC_DROPPED],
] as const;

export interface FlightBlock {
  /** First frame of the block. */
  readonly frame: number;
  /** Microseconds from the leader's beginning of the block to this thread's. */
  readonly wakeUs: number;
  /** Microseconds from beginning to end, and of these at work. */
  readonly wallUs: number;
  readonly busyUs: number;
  /** Microseconds since the block before began. */
  readonly sinceUs: number;
}
/** A period of the audio host. */
export interface FlightPeriod {
  /** Its number, counted from the start. */
  readonly number: number;
  /** Microseconds since the period before began; 0 for the first that is known. */
  readonly sinceUs: number;
  /** Frames that were ready for it. */
  readonly ready: number;
}
export interface FlightEvent {
  readonly frame: number;
  readonly kind: string;
  /** Of a fault: which. */
  readonly what?: string;
  readonly message: string;
}
export interface Flight {
  readonly frame: number;
  readonly sampleRate: number;
  readonly blockFrames: number;
  /** Why the device ran dry, most likely; when it did. */
  readonly cause?: string;
  /** By DSP thread, oldest first. */
  readonly workers: readonly (readonly FlightBlock[])[];
  readonly periods: readonly FlightPeriod[];
  readonly events: readonly FlightEvent[];
}

/** The module that costs most, and how much. */
export type Costliest = () => { readonly id: string; readonly us: number } | undefined;

export class FlightRecorder {
  readonly #arena: Arena;
  readonly #workers: number;
  readonly #folder: string | undefined;
  readonly #costliest: Costliest;
  readonly #events: FlightEvent[] = [];
  readonly #collections: PerformanceObserver;
  readonly #listening: NodeJS.Timeout;
  /** OSC counters at the last look. */
  #heard: number[];
  #stalls = 0;
  #nextFile = 0;
  /** Underruns not yet explained. */
  #missed = 0;
  #search: NodeJS.Timeout | undefined;
  /** Files there are, and the one being written. */
  readonly #files: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #hasWarned = false;

  constructor(arena: Arena, workers: number, folder: string | undefined, costliest: Costliest) {
    this.#arena = arena;
    this.#workers = workers;
    this.#folder = folder;
    this.#costliest = costliest;
    this.#collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#add('gc', `the main thread collected garbage for ${duration.toFixed(1)} ms`);
    });
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#heard = this.#oscCounters();
    this.#listening = setInterval(() => this.#hear(), OSC_MS).unref();
  }

  async stop(): Promise<void> {
    this.#collections.disconnect();
    clearInterval(this.#listening);
    clearTimeout(this.#search);
    if (this.#missed > 0) this.#explain();
    await this.#writing;
  }

  /** Takes note of what the engine tells. */
  note(event: EngineEvent): void {
    switch (event.kind) {
      case 'edit':
        return this.#add('edit', `modules: ${event.added.length} new, ${event.removed.length} gone, ${event.changed.length} changed`);
      case 'load':
        return this.#add('load', event.title);
      case 'fault':
        return this.#add('fault', event.message, event.what);
      case 'device':
        return this.#add('device', `${event.state}: ${event.output.reason ?? event.output.device ?? event.output.driver}`);
      case 'underrun':
        this.#missed += event.count;
        this.#search ??= setTimeout(() => this.#explain(), SEARCH_MS).unref();
        return;
      default:
    }
  }

  #oscCounters(): number[] {
    return OSC_COUNTERS.map(([, word]) => Atomics.load(this.#arena.words, word));
  }

  /** Takes note of what has come by OSC. */
  #hear(): void {
    const now = this.#oscCounters();
    const news = OSC_COUNTERS.flatMap(([name], i) => (now[i] === this.#heard[i] ? [] : [`${(now[i]! - this.#heard[i]!) | 0} ${name}`]));
    this.#heard = now;
    if (news.length > 0) this.#add('osc', news.join(', '));
  }

  #add(kind: string, message: string, what?: string): void {
    this.#events.push({ frame: this.#frame, kind, ...(what === undefined ? {} : { what }), message });
    if (this.#events.length > EVENTS_MAX) this.#events.splice(0, EVENTS_MAX / 2);
  }

  get #frame(): number {
    return readFrame(this.#arena.words, CONTROL.FRAME_LO);
  }

  #explain(): void {
    const cause = this.#cause();
    this.#add('underrun', `${this.#missed} × the device ran dry: ${cause}`);
    this.#missed = 0;
    this.#search = undefined;
    if (this.#folder === undefined || performance.now() < this.#nextFile) return;
    this.#nextFile = performance.now() + FILES_MS;
    this.#writing = this.#write(this.#folder, this.read(cause)).catch((error: unknown) => {
      if (!this.#hasWarned) process.emitWarning(`the flight recorder cannot write: ${String(error)}`);
      this.#hasWarned = true;
    });
  }

  async #write(folder: string, flight: Flight): Promise<void> {
    const time = new Date().toISOString().slice(0, 19).replaceAll(':', '');
    const file = join(folder, `flight-${time}-${flight.frame}.json`);
    await mkdir(folder, { recursive: true });
    await writeFile(file, JSON.stringify(flight));
    if (this.#files.push(file) > FILES_MAX) await rm(this.#files.shift()!, { force: true });
  }

  /** What is known of the last ten seconds; of blocks, the last `blocks`. */
  read(cause?: string, blocks = FLIGHT_BLOCKS): Flight {
    const { words } = this.#arena;
    const [frame, sampleRate, blockFrames] = [this.#frame, words[CONTROL.SAMPLE_RATE]!, words[CONTROL.BLOCK_FRAMES]!];
    const begins = new Map<number, number>();
    return {
      frame,
      sampleRate,
      blockFrames,
      ...(cause === undefined ? {} : { cause }),
      workers: Array.from({ length: this.#workers }, (_, worker) => this.#blocks(worker, frame, begins, blocks)),
      periods: this.#periods(),
      events: this.#events.filter((event) => event.frame > frame - KEPT_S * sampleRate),
    };
  }

  #periods(): FlightPeriod[] {
    const { words } = this.#arena;
    const count = Atomics.load(words, CONTROL.PERIODS) >>> 0;
    const first = Math.max(0, count - FLIGHT_BLOCKS + OVERWRITTEN);
    return Array.from({ length: count - first }, (_, i) => {
      const at = periodAt(first + i);
      const start = words[at + PERIOD.START_NS]!;
      const sinceUs = i === 0 ? 0 : ((start - words[periodAt(first + i - 1) + PERIOD.START_NS]!) | 0) / 1000;
      return { number: first + i, sinceUs, ready: words[at + PERIOD.READY]! };
    });
  }

  /** A thread's last blocks. `begins`: when the leader began each. */
  #blocks(worker: number, now: number, begins: Map<number, number>, wanted: number): FlightBlock[] {
    const { words } = this.#arena;
    const count = Atomics.load(words, workerWord(worker, WORKER.BLOCKS)) >>> 0;
    const blocks: FlightBlock[] = [];
    let before: number | undefined;
    // The oldest are left out: they may be overwritten meanwhile.
    for (let i = Math.max(0, count - Math.min(wanted, FLIGHT_BLOCKS - OVERWRITTEN)); i < count; i++) {
      const at = flightAt(worker, i);
      const [low, start, wall, busy] = [FLIGHT.FRAME, FLIGHT.START_NS, FLIGHT.WALL_NS, FLIGHT.BUSY_NS].map(
        (field) => words[at + field]!,
      ) as [number, number, number, number];
      const frame = now + ((low - now) | 0);
      if (worker === 0) begins.set(frame, start);
      const begin = begins.get(frame) ?? start;
      const since = before === undefined ? 0 : ((start - before) | 0) / 1000;
      blocks.push({ frame, wakeUs: ((start - begin) | 0) / 1000, wallUs: wall / 1000, busyUs: busy / 1000, sinceUs: since });
      before = start;
    }
    return blocks;
  }

  /** Why the device has just run dry. */
  #cause(): string {
    const { words } = this.#arena;
    const [sampleRate, blockFrames] = [words[CONTROL.SAMPLE_RATE]!, words[CONTROL.BLOCK_FRAMES]!];
    const { frame, workers, events } = this.read(undefined, Math.ceil((BLAMED_S * sampleRate) / blockFrames));
    const stalls = Atomics.load(words, CONTROL.STALLS);
    const stalled = stalls > this.#stalls;
    this.#stalls = stalls;
    const recent = events.filter((event) => event.frame >= frame - BLAMED_S * sampleRate && event.kind !== 'underrun');
    const fault = recent.findLast(({ what }) => what !== undefined && BLAMED.has(what));
    if (fault) return fault.message;
    const ms = (us: number): string => `${(us / 1000).toFixed(1)} ms`;
    const blockUs = (blockFrames / sampleRate) * 1e6;
    const most = this.#costliest();
    if (most && most.us > blockUs * MOST)
      return `module '${most.id}' takes ${ms(most.us)} of the ${ms(blockUs)} that there are for a block`;
    if (stalled) return 'the machine stood still: the audio host itself woke too late';
    const last = workers.map((blocks) => blocks.filter((block) => block.frame >= frame - BLAMED_S * sampleRate));
    const [longest] = last.flatMap((blocks, worker) => blocks.map((block) => ({ ...block, worker }))).sort((a, b) => b.wallUs - a.wallUs);
    if (longest && longest.wallUs > blockUs) {
      if (longest.busyUs > blockUs)
        return `a block took DSP thread ${longest.worker} ${ms(longest.busyUs)}, more than the ${ms(blockUs)} there are${most ? `; most goes to module '${most.id}' (${ms(most.us)})` : ''}`;
      return `DSP thread ${longest.worker} waited ${ms(longest.wallUs - longest.busyUs)} in a block for other threads: the system did not let them run`;
    }
    const pause = Math.max(0, ...(last[0] ?? []).map(({ sinceUs }) => sinceUs));
    if (pause > 2 * blockUs) return `DSP thread 0 began no block for ${ms(pause)}: the system did not wake it`;
    const other = recent.findLast(({ kind }) => kind !== 'osc') ?? recent.at(-1);
    return other ? `unknown; shortly before: ${other.kind}, ${other.message}` : 'unknown';
  }
}
