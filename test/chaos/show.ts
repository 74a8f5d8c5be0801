// The show: an engine that plays, everything that can be done to it, and what is known of how it fares.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { Engine, JobPool, OscServer } from '#src/index.js';
import type { OutputOptions } from '#src/control/output.js';
import { COMMANDS_CONTROL_W, COMMANDS_OSC_W, RING } from '#src/shared/layout.js';
import { Ledger } from './ledger.js';
import { Remote } from './remote.js';
import { CHOIR_ONLY, EMPTY, SAMPLE_RATE, stagePatch, type Cast, type Guests } from './stage.js';
import { isPure, PERIOD } from './tone.mjs';
import { Witness, type Gap } from './witness.js';

/** Milliseconds ahead of the device: a machine that stands still for less than that keeps no partition from being computed. */
const AHEAD_MS = 70;
const MEMORY_BYTES = 96 * 1024 * 1024;
export const MAX_MODULES = 400;
const SETTLE_MS = 15_000;
const STOP_MS = 2000;
/** What the second half may leave in the heap, and what the process may grow by in it (threads and their code come and go). */
const HEAP_GROWTH = 16 * 1024 * 1024;
const RSS_GROWTH = 160 * 1024 * 1024;

setFlagsFromString('--expose-gc');
export const collectGarbage = runInNewContext('gc') as () => void;

export interface ShowOptions {
  readonly workers: number;
  readonly realtime: boolean;
  readonly output?: OutputOptions;
}

type Heard =
  | { readonly kind: 'ready'; readonly impurity: number; readonly tone: Float32Array }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'stall'; readonly frame: number; readonly ms: number }
  | { readonly kind: 'end'; readonly frames: number; readonly missed: number; readonly excused: number };

/** One after the other. */
class Turn {
  #last: Promise<unknown> = Promise.resolve();
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

export class Show {
  readonly folder = mkdtempSync(join(tmpdir(), 'krell-chaos-'));
  readonly ledger = new Ledger();
  readonly edits = new Turn();
  readonly #dials = new Turn();
  readonly guests: { modules: Record<string, Guests['modules'][string]>; cables: Guests['cables'][number][] } = { modules: {}, cables: [] };
  readonly witness: Witness;
  readonly remote: Remote;
  server!: OscServer;
  jobs!: JobPool;
  oscThread!: Worker;
  /** One period of the sine as it is heard. */
  tone = new Float32Array(PERIOD);
  /** How often the device was lost or came back. */
  deviceChanges = 0;
  /** What went wrong beyond what the witness knows. */
  readonly wrong: string[] = [];
  readonly #listener: Worker;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #heard = { frames: 0, missed: 0, excused: 0, impurity: NaN };
  #cast: Cast = CHOIR_ONLY;
  #emptyBytes = 0;
  #heapBytes = 0;
  #rssBytes = 0;

  private constructor(readonly engine: Engine) {
    this.witness = new Witness(engine);
    this.remote = new Remote(() => this.server.oscPort);
    this.#listener = new Worker(new URL('./listener.mjs', import.meta.url), {
      workerData: { memory: engine.arena.memory, stop: this.#stop },
    });
    this.#listener.on('message', (message: Heard) => this.#hear(message));
    this.#listener.on('error', (error) => this.wrong.push(`the listener failed: ${String(error)}`));
  }

  /** Starts everything; resolves when the sine is known and nothing has been broken yet. */
  static async open({ workers, realtime, output }: ShowOptions): Promise<Show> {
    const engine = await Engine.create({
      workers,
      realtime,
      seed: 1,
      maxModules: MAX_MODULES,
      memoryBytes: MEMORY_BYTES,
      // As if there were a core for each thread, so that the patch is cut.
      spin: 200,
    });
    const show = new Show(engine);
    try {
      await show.#open(output);
    } catch (error) {
      await show.abandon();
      throw error;
    }
    return show;
  }

  async #open(output: OutputOptions = { driver: 'null' }): Promise<void> {
    const { engine } = this;
    // All pages of the arena are touched now, so that the process does not grow by them later.
    engine.arena.give(engine.arena.take(engine.arena.usage.budget, 'all there is'));
    this.jobs = await JobPool.create({ threads: 1 });
    this.server = await OscServer.start(engine, {
      oscPort: 0,
      httpPort: 0,
      startThread: (workerData) => (this.oscThread = new Worker(new URL('../../dist/src/osc/thread.js', import.meta.url), { workerData })),
    });
    await engine.loadPatch(EMPTY);
    // What is made once and kept: tables, the first plan.
    await engine.loadPatch(stagePatch(CHOIR_ONLY, this.ledger.values));
    for (const type of engine.registry.types()) {
      await engine.createModule(type, 'once');
      await engine.removeModule('once');
    }
    await engine.loadPatch(EMPTY);
    this.#emptyBytes = engine.stats().memory.used;
    await engine.loadPatch(stagePatch(CHOIR_ONLY, this.ledger.values));
    await engine.start({ latency: AHEAD_MS, onDevice: () => this.deviceChanges++, ...output });
    await this.until('the sine is known', () => !Number.isNaN(this.#heard.impurity) || this.wrong.length > 0);
    if (!isPure(this.#heard.impurity)) this.wrong.push(`the sine is none: ${this.#heard.impurity} off`);
  }

  #hear(message: Heard): void {
    if (message.kind === 'gap') this.witness.gaps.push(message.gap);
    else if (message.kind === 'stall') this.witness.stalls.push(message);
    else if (message.kind === 'ready') {
      this.tone = message.tone;
      this.#heard.impurity = message.impurity;
    } else this.#heard = { ...this.#heard, ...message };
  }

  /** @throws when it does not come about */
  async until(what: string, holds: () => boolean, ms = SETTLE_MS): Promise<void> {
    for (const end = performance.now() + ms; !holds(); await sleep(5)) if (performance.now() > end) throw new Error(`never: ${what}`);
  }

  // ── what is played ──

  /** Loads what is on stage, and the guests that are there. Dials keep their values, or get those of `dials`. */
  cast(cast: Cast, dials?: ReadonlyMap<string, number>): Promise<void> {
    return this.edits.take(() =>
      this.withDials(async () => {
        await this.keep('before');
        const values = new Map([...this.ledger.values, ...(dials ?? [])]);
        await this.engine.loadPatch(stagePatch(cast, values, this.guests), { source: join(this.folder, 'stage.json') });
        for (const [key, value] of values) this.ledger.set(key, value);
        this.#cast = cast;
      }),
    );
  }
  get onStage(): Cast {
    return this.#cast;
  }

  /** Adds a module that survives loading other patches, and cables of it. */
  invite(id: string, type: string, cables: Guests['cables'], more: object = {}): Promise<void> {
    return this.edits.take(async () => {
      await this.engine.edit([{ kind: 'create', type, id, ...more }, ...cables.map((cable) => ({ kind: 'connect' as const, ...cable }))]);
      this.guests.modules[id] = { type, ...more };
      this.guests.cables.push(...cables);
    });
  }
  dismiss(id: string): Promise<void> {
    return this.edits.take(async () => {
      delete this.guests.modules[id];
      this.guests.cables = this.guests.cables.filter(({ from, to }) => !from.startsWith(`${id}.`) && !to.startsWith(`${id}.`));
      await this.engine.removeModule(id);
    });
  }

  /** Nobody else moves a dial meanwhile. */
  withDials<T>(work: () => Promise<T>): Promise<T> {
    return this.#dials.take(work);
  }

  /** All that has been set so far is known to control, and plays; kept as a snapshot, which waits for that. */
  async keep(snapshot: string): Promise<void> {
    const { words } = this.engine.arena;
    const [answer, , ...why] = await this.remote.tell([], '/engine/snapshot/save', snapshot);
    if (answer !== '/done') throw new Error(`no snapshot: ${why.join(' ')}`);
    const isEmpty = (ring: number): boolean => Atomics.load(words, ring + RING.READ) === Atomics.load(words, ring + RING.WRITE);
    await this.until('all commands are read', () => isEmpty(COMMANDS_CONTROL_W) && isEmpty(COMMANDS_OSC_W));
  }

  // ── what is broken ──

  /** So far. Of gaps, those that whatever explains them must have been told of by now. */
  broken(): string[] {
    return [...this.wrong, ...this.witness.broken(this.engine.frame - SAMPLE_RATE)];
  }

  /** Half-time, when everything has been there before: what is to be compared at the end is measured. */
  remember(): void {
    collectGarbage();
    this.#heapBytes = process.memoryUsage().heapUsed;
    this.#rssBytes = process.memoryUsage.rss();
  }

  /** Ends the show and looks whether everything is as it was. */
  async close(): Promise<string[]> {
    const { engine, wrong, witness } = this;
    const check = (holds: boolean, message: string): void => void (holds || wrong.push(message));
    await this.withDials(async () => {
      await this.keep('end');
      wrong.push(...this.ledger.differences(engine));
    });
    await this.jobs.idle();
    const { submitted, succeeded, failed, cancelled } = this.jobs.stats();
    check(submitted === succeeded + failed + cancelled, `jobs lost: ${JSON.stringify(this.jobs.stats())}`);
    await this.until('all threads are alive', () => engine.stats().workers.every(({ alive }) => alive)).catch((error: Error) =>
      wrong.push(error.message),
    );
    await this.#endListener();
    await this.edits.take(() => engine.loadPatch(EMPTY));
    const leak = (): number => engine.stats().memory.used - this.#emptyBytes;
    await this.until('', () => leak() === 0, 3000).catch(() => wrong.push(`${leak()} bytes of the arena are not given back`));
    collectGarbage();
    if (this.#rssBytes === 0) this.remember();
    const [heap, rss] = [process.memoryUsage().heapUsed - this.#heapBytes, process.memoryUsage.rss() - this.#rssBytes];
    check(heap < HEAP_GROWTH, `the heap grew by ${heap} bytes`);
    check(rss < RSS_GROWTH, `the process grew by ${rss} bytes`);
    this.growth = { heap, rss };
    const { frames, missed, excused } = this.#heard;
    const heard = `${frames - missed} of ${frames} frames were heard`;
    check(missed - excused < frames / 10, `only ${heard}, and the machine kept the listener from no more than ${excused}`);
    check(missed < frames / 2, `only ${heard}: the machine stood still for too long to tell`);
    const start = performance.now();
    await engine.stop();
    const ms = performance.now() - start;
    check(ms < 2 * STOP_MS, `it took ${ms.toFixed()} ms to stop`);
    await this.abandon();
    witness.waiting().forEach((expectation) => wrong.push(`never reported: ${expectation}`));
    return [...wrong, ...witness.broken(Infinity)];
  }
  growth = { heap: 0, rss: 0 };

  /** What was heard, in a line. */
  summary(): string {
    const { gaps, lates, stalls } = this.witness;
    const reasons = gaps.map((gap) => `${this.witness.explain(gap) ?? '?'} ${gap.to - gap.from}`);
    const { frames, missed, excused, impurity } = this.#heard;
    const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
    return (
      `${frames} frames heard, ${missed} missed (${excused} for want of a machine); sine ${impurity.toExponential(1)} off; gaps: ${reasons.join(', ') || 'none'}; ` +
      `${lates.length} partitions late, ${stalls.length} stalls (longest ${Math.max(0, ...stalls.map(({ ms }) => ms))} ms); ` +
      `heap +${mb(this.growth.heap)}, process +${mb(this.growth.rss)}`
    );
  }

  async #endListener(): Promise<void> {
    const exited = once(this.#listener, 'exit');
    Atomics.store(this.#stop, 0, 1);
    Atomics.notify(this.#stop, 0);
    await exited;
  }

  /** Ends everything, whatever state it is in. */
  async abandon(): Promise<void> {
    this.remote.close();
    await Promise.all([this.server?.stop(), this.engine.stop(), this.jobs?.close(), this.#listener.terminate()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
