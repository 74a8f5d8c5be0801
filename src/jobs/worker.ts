// The task that a job thread runs for as long as the pool lives: jobs in, results out, one at a time.
import { inspect as inspectValue } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import { KrellError } from '../errors.js';
import { knownHandler, loadHandler, type JobContext } from './handlers.js';
import { READY, RUNNING, WORD, claimWord, clockMs, type Assignment, type Failure, type Order, type Report } from './protocol.js';

export interface JobThreadTask {
  readonly port: MessagePort;
  readonly words: Int32Array;
}

/** A job as its handler sees it. */
class Run implements JobContext {
  #abort: AbortController | undefined;

  constructor(
    readonly sequence: number,
    readonly name: string,
  ) {}

  /** Made when asked for: most handlers never do. */
  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  abort(reason: string): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(new Error(reason));
  }

  throwIfAborted(): void {
    this.#abort?.signal.throwIfAborted();
  }
}

/** The task. It ends with its thread. */
export default function serve({ port, words }: JobThreadTask): Promise<never> {
  const waiting: Assignment[] = [];
  let isBusy = false;
  let running: Run | undefined;
  const report = (message: Report): void => port.postMessage(message);

  async function run({ sequence, job, file, name, args }: Assignment): Promise<void> {
    running = new Run(sequence, job);
    try {
      const handler = knownHandler(file, name) ?? (await loadHandler(file, name));
      // Loading may have taken all its time.
      running.throwIfAborted();
      report({ kind: 'done', sequence, value: await handler(args, running) });
    } catch (error) {
      report({ kind: 'failed', sequence, failure: failureOf(error) });
    }
  }

  async function runAll(): Promise<void> {
    isBusy = true;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      Atomics.store(words, WORD.STARTED_MS, clockMs());
      if (Atomics.compareExchange(words, claimWord(next.sequence), READY, RUNNING) === READY) await run(next);
      // After the result: a thread that dies in between has lost nothing.
      Atomics.store(words, WORD.PASSED, next.sequence);
    }
    running = undefined;
    isBusy = false;
  }

  port.on('message', (order: Order) => {
    if (order.kind === 'jobs') {
      waiting.push(...order.jobs);
      if (!isBusy) void runAll();
    } else if (running?.sequence === order.sequence) {
      running.abort(order.reason);
    }
  });
  report({ kind: 'ready' });
  return new Promise(() => {});
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'job', message: inspect(error), stack: '' };
  // A result that cannot be cloned is told by the error's name alone.
  const code = error.name === 'DataCloneError' ? 'result' : error instanceof KrellError ? error.code : 'job';
  return { code, message: String(error.message), stack: String(error.stack ?? '') };
}

/** Text as it is; of other values, which may have no text, as much as fits a line. */
const inspect = (value: unknown): string => (typeof value === 'string' ? value : inspectValue(value, { depth: 1, breakLength: Infinity }));
