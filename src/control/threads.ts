// The DSP threads: a Piscina pool whose tasks last as long as the engine. All are started, and warm, before the first patch.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { KrellError } from '../errors.js';
import { encodeRunner } from '../kernel/wasm/runner.js';
import type { DspSummary, DspTask } from '../realtime/worker.js';
import { CONTROL, RUN_STOP, WORKER, workerWord } from '../shared/layout.js';
import { signal } from '../shared/gate.js';

/** Milliseconds a thread may take to start, and to leave when told to. */
const START_MS = 10_000;
const STOP_MS = 1000;
/** Threads kept warm beside those that play. */
const SPARES = 1;

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
  readonly ports: readonly MessagePort[];
  readonly #words: Int32Array;
  readonly #pool: Piscina;
  readonly #tasks: Promise<DspSummary>[];

  private constructor(words: Int32Array, pool: Piscina, ports: readonly MessagePort[], tasks: Promise<DspSummary>[]) {
    this.#words = words;
    this.#pool = pool;
    this.ports = ports;
    this.#tasks = tasks;
  }

  /** Starts `count` threads over an arena whose control block is filled in. Resolves when all run. */
  static async start(memory: WebAssembly.Memory, count: number, realtime: boolean): Promise<DspThreads> {
    const words = new Int32Array(memory.buffer);
    const pool = new Piscina<DspTask, DspSummary>({
      filename: new URL('../realtime/worker.js', import.meta.url).href,
      minThreads: count + SPARES,
      maxThreads: count + SPARES,
      // A thread's own heap is for its start only.
      resourceLimits: { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 256 },
    });
    const runner = new WebAssembly.Module(encodeRunner());
    const ports: MessagePort[] = [];
    const tasks = Array.from({ length: count }, (_, worker) => {
      const { port1, port2 } = new MessageChannel();
      port1.unref();
      ports.push(port1);
      return pool.run({ memory, runner, worker, realtime, port: port2 }, { transferList: [port2] });
    });
    const threads = new DspThreads(words, pool, ports, tasks);
    const failed = Promise.race(tasks).then(
      () => undefined,
      (error: unknown) => error,
    );
    for (let worker = 0; worker < count; worker++) {
      const word = workerWord(worker, WORKER.STATE);
      const running = await Promise.race([until(words, word, () => Atomics.load(words, word) > 0, START_MS), failed]);
      if (running === true) continue;
      await pool.destroy();
      throw new KrellError('threads', `DSP thread ${worker} did not start`, { cause: running });
    }
    return threads;
  }

  /** Tells all threads to leave, and ends those that do not. */
  async stop(): Promise<void> {
    Atomics.store(this.#words, CONTROL.RUN, RUN_STOP);
    signal(this.#words, CONTROL.TICK);
    signal(this.#words, CONTROL.BLOCK_GATE);
    signal(this.#words, CONTROL.DONE_GATE);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_MS)));
    await Promise.race([Promise.allSettled(this.#tasks), late]);
    clearTimeout(timer);
    for (const port of this.ports) port.close();
    await this.#pool.destroy();
  }
}
