// The DSP threads: a Piscina pool whose tasks last as long as the engine. All are started, and warm, before the first patch, and with
// them a spare, which has the kernels too and takes the place of a thread that died or that is asked to leave.
//
// A place is what the DSP loop knows (0 leads); a seat is one thread's life. That a thread has ended for good is known when its task is
// rejected: Piscina does that after the thread has been joined. Only then its place is offered, so no state ever has two threads.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { KrellError } from '../errors.js';
import { encodeRunner } from '../kernel/wasm/runner.js';
import type { KernelMessage } from '../realtime/kernels.js';
import { leaving, offered, takenBy, THREAD_RUNNING } from '../realtime/spare.js';
import type { DspSummary, DspTask } from '../realtime/worker.js';
import { CONTROL, RUN_STOP, SPARE, WORKER, workerWord } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { newThreadPool } from '../threads/pool.js';

/** Milliseconds a thread may take to be set up, to leave its place, and to leave when told to. */
const START_MS = 10_000;
const RETIRE_MS = 2000;
const STOP_MS = 1000;

/** Resolves when a word of the arena has another value than `seen`, or after `timeoutMs`. */
export async function changed(words: Int32Array, word: number, seen: number, timeoutMs: number): Promise<void> {
  const wait = Atomics.waitAsync(words, word, seen, timeoutMs);
  if (wait.async) await wait.value;
}

/** Waits until `done` holds, looking whenever `word` changes. @returns false after `timeoutMs` */
export async function until(words: Int32Array, word: number, done: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const seen = Atomics.load(words, word);
    if (done()) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await changed(words, word, seen, Math.min(left, 20));
  }
}

export class DspThreads {
  /** Told of a thread that has died, before another takes its place. */
  onDeath: (worker: number) => void = () => {};
  readonly #memory: WebAssembly.Memory;
  readonly #words: Int32Array;
  readonly #realtime: boolean;
  readonly #runner = new WebAssembly.Module(encodeRunner());
  readonly #pool: Piscina<DspTask, DspSummary>;
  /** By seat. */
  readonly #seats = new Map<number, { port: MessagePort; task: Promise<DspSummary> }>();
  readonly #posted: KernelMessage[] = [];
  readonly #restarts: number[];
  /** When a place got the thread it has. */
  readonly #since: number[];
  #nextSeat = 1;
  #spare = 0;
  #vacant: number[] = [];
  /** Threads that are being ended. */
  #ending = 0;
  #stopping = false;

  private constructor(memory: WebAssembly.Memory, count: number, realtime: boolean) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer);
    this.#realtime = realtime;
    this.#restarts = new Array<number>(count).fill(0);
    this.#since = new Array<number>(count).fill(performance.now());
    this.#pool = newThreadPool(new URL('../realtime/worker.js', import.meta.url), {
      minThreads: count + 1,
      maxThreads: count + 1,
      // A thread's own heap is for its start only.
      resourceLimits: { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 256 },
    });
  }

  /** Starts `count` threads and the spare over an arena whose control block is filled in. Resolves when the `count` run. */
  static async start(memory: WebAssembly.Memory, count: number, realtime: boolean): Promise<DspThreads> {
    const threads = new DspThreads(memory, count, realtime);
    const words = threads.#words;
    const tasks = Array.from({ length: count }, (_, worker) => threads.#start(worker));
    threads.#spare = threads.#nextSeat;
    void threads.#start(SPARE).catch(() => {});
    const failed = Promise.race(tasks).then(
      () => undefined,
      (error: unknown) => error,
    );
    for (let worker = 0; worker < count; worker++) {
      const word = workerWord(worker, WORKER.STATE);
      const running = await Promise.race([until(words, word, () => Atomics.load(words, word) > 0, START_MS), failed]);
      if (running === true) continue;
      threads.#stopping = true;
      await threads.#pool.destroy();
      throw new KrellError('threads', `DSP thread ${worker} did not start`, { cause: running });
    }
    return threads;
  }

  #start(worker: number): Promise<DspSummary> {
    const seat = this.#nextSeat++;
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    for (const message of this.#posted) port1.postMessage(message);
    const task = this.#pool.run(
      { memory: this.#memory, runner: this.#runner, worker, seat, realtime: this.#realtime, port: port2 },
      { transferList: [port2] },
    );
    this.#seats.set(seat, { port: port1, task });
    task.then(
      (summary) => this.#left(seat, summary),
      () => this.#died(seat),
    );
    return task;
  }

  // ── kernels ──

  /** Hands kernels to every thread, the spare too; KERNELS_POSTED tells them to look. @returns how many have been posted in all */
  post(messages: readonly KernelMessage[]): number {
    const words = this.#words;
    for (const message of messages) {
      this.#posted.push(message);
      for (const { port } of this.#seats.values()) port.postMessage(message);
    }
    if (messages.length > 0) {
      Atomics.add(words, CONTROL.KERNELS_POSTED, messages.length);
      this.#wake();
    }
    return this.#posted.length;
  }

  #wake(): void {
    for (const gate of [CONTROL.TICK, CONTROL.BLOCK_GATE, CONTROL.DONE_GATE]) signal(this.#words, gate);
    Atomics.notify(this.#words, CONTROL.SUCCESSION);
  }

  // ── life and death ──

  /** Whether a thread is in this place. */
  isAlive(worker: number): boolean {
    return this.#seats.has(Atomics.load(this.#words, workerWord(worker, WORKER.SEAT)));
  }

  /** Milliseconds that a place has had its thread. */
  age(worker: number): number {
    return performance.now() - this.#since[worker]!;
  }

  /** How many threads have taken this place after the first. */
  restarts(worker: number): number {
    return this.#restarts[worker]!;
  }

  /** Lets the spare take a place while it plays; the thread that leaves it ends. For threads that have grown old. @throws KrellError `stuck` */
  async restart(worker: number): Promise<void> {
    const words = this.#words;
    const seat = workerWord(worker, WORKER.SEAT);
    const before = Atomics.load(words, seat);
    Atomics.store(words, workerWord(worker, WORKER.RETIRE), 1);
    this.#wake();
    if (await until(words, seat, () => this.#stopping || Atomics.load(words, seat) !== before, RETIRE_MS)) return;
    Atomics.store(words, workerWord(worker, WORKER.RETIRE), 0);
    throw new KrellError('stuck', `DSP thread ${worker} did not leave its place`, { hint: 'try again' });
  }

  /** Ends a thread, whatever it does. */
  async kill(worker: number): Promise<void> {
    await this.#terminate(Atomics.load(this.#words, workerWord(worker, WORKER.THREAD)));
  }

  async #terminate(id: number): Promise<void> {
    this.#ending++;
    await this.#pool.threads.find(({ threadId }) => threadId === id)?.terminate();
    this.#ending--;
    this.look();
  }

  /** A thread has left its place to the spare, or has been told to stop. */
  #left(seat: number, { worker, thread }: DspSummary): void {
    this.#forget(seat);
    if (this.#stopping) return;
    this.#renewed(worker);
    void this.#endRetired(thread);
  }

  #hasSpare(): boolean {
    const isPlaced = this.#restarts.some((_, place) => this.#words[workerWord(place, WORKER.SEAT)] === this.#spare);
    return this.#seats.has(this.#spare) && !isPlaced;
  }
  /** Whether a thread is being set up to be the spare. It must not be ended then: inside koffi that aborts the whole process. */
  #isSpareStarting(): boolean {
    return this.#hasSpare() && Atomics.load(this.#words, workerWord(SPARE, WORKER.STATE)) === 0;
  }

  /** Ends a thread that has left its place, unless Piscina, with a task in its queue, has made it the next spare at once. */
  async #endRetired(thread: number): Promise<void> {
    const words = this.#words;
    this.#ending++;
    await until(words, workerWord(SPARE, WORKER.STATE), () => !this.#isSpareStarting(), START_MS);
    const isSpare = this.#hasSpare() && words[workerWord(SPARE, WORKER.THREAD)] === thread;
    const ended = isSpare || this.#stopping ? undefined : this.#terminate(thread);
    this.#ending--;
    await ended;
    this.look();
  }

  #died(seat: number): void {
    this.#forget(seat);
    if (this.#stopping) return;
    const words = this.#words;
    const taken = takenBy(Atomics.load(words, CONTROL.SUCCESSION), seat);
    const worker =
      taken >= 0 ? taken : this.#restarts.findIndex((_, place) => Atomics.load(words, workerWord(place, WORKER.SEAT)) === seat);
    if (worker >= 0) {
      this.onDeath(worker);
      this.#renewed(worker);
      Atomics.store(words, workerWord(worker, WORKER.RETIRE), 0);
      if (taken >= 0) Atomics.store(words, CONTROL.SUCCESSION, 0);
      if (!this.#isInGoodHands(worker)) this.#vacant.push(worker);
      // The leader's first: without it all is silent.
      this.#vacant.sort((a, b) => a - b);
    }
    this.look();
  }

  /** Whether a place whose thread has died is just being taken. It may have died over leaving; what it had offered nobody takes then. */
  #isInGoodHands(worker: number): boolean {
    const words = this.#words;
    for (const state of [leaving(worker), offered(worker)]) Atomics.compareExchange(words, CONTROL.SUCCESSION, state, 0);
    return [...this.#seats.keys()].some((seat) => takenBy(Atomics.load(words, CONTROL.SUCCESSION), seat) === worker);
  }

  #renewed(worker: number): void {
    this.#restarts[worker]!++;
    this.#since[worker] = performance.now();
  }

  #forget(seat: number): void {
    this.#seats.get(seat)?.port.close();
    this.#seats.delete(seat);
  }

  /** Offers vacant places to the spare, and starts another spare when there is none. To be called again and again. */
  look(): void {
    if (this.#stopping) return;
    const words = this.#words;
    const [vacant] = this.#vacant;
    const isReady = Atomics.load(words, workerWord(SPARE, WORKER.STATE)) === THREAD_RUNNING;
    if (vacant !== undefined && isReady && Atomics.compareExchange(words, CONTROL.SUCCESSION, 0, offered(vacant)) === 0) {
      this.#vacant.shift();
      Atomics.notify(words, CONTROL.SUCCESSION);
    }
    // A thread that left is ended first, so that Piscina gives the task to a new one.
    if (this.#hasSpare() || this.#ending > 0) return;
    this.#spare = this.#nextSeat;
    Atomics.store(words, workerWord(SPARE, WORKER.STATE), 0);
    this.#start(SPARE).catch(() => {});
  }

  /** Tells all threads to leave, and ends those that do not; but none that is being set up, however long a busy machine takes for that. */
  async stop(): Promise<void> {
    this.#stopping = true;
    Atomics.store(this.#words, CONTROL.RUN, RUN_STOP);
    this.#wake();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)));
    await Promise.race([Promise.allSettled([...this.#seats.values()].map(({ task }) => task)), late]);
    clearTimeout(timer);
    await until(this.#words, workerWord(SPARE, WORKER.STATE), () => !this.#isSpareStarting(), START_MS);
    for (const seat of [...this.#seats.keys()]) this.#forget(seat);
    await this.#pool.destroy();
  }
}
