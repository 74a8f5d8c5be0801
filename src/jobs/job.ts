// A job: what whoever submitted it holds, and the pool's side of the same.
import { KrellError } from '../errors.js';
import type { JobThread } from './thread.js';

export type JobState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface Job<T = unknown> {
  readonly id: number;
  readonly name: string;
  readonly state: JobState;
  /**
   * Resolves with what the handler returned. Rejects with a KrellError: `busy` when the pool was full, `timeout`, `cancelled`, `crash` when
   * the thread died, `closed`, `handler` and `imports` when it could not be loaded, `option`, `arguments` and `result` when they cannot be copied
   * between threads, `job` when the handler threw (the stack is the thread's), or the code of the KrellError that it threw.
   */
  result(): Promise<T>;
  /** What `result` would resolve with; undefined until then. @throws what `result` would reject with */
  poll(): T | undefined;
  /** @returns false when it had ended before */
  cancel(): boolean;
}

export interface SubmitOptions {
  /** Milliseconds it may run, not counting the time it waits. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** In messages; the export's name unless given. */
  readonly name?: string;
}

/** A function that a file exports, `default` unless named. It gets the arguments and a `JobContext`, and may be async. */
export interface HandlerRef {
  readonly file: URL | string;
  readonly name?: string;
}

type Ended = 'succeeded' | 'failed' | 'cancelled';

export class PoolJob implements Job {
  /** The thread that has it, and its number there. */
  thread: JobThread | undefined;
  sequence = 0;
  readonly submitted = performance.now();
  /** When it was told to stop. */
  interruptedMs: number | undefined;
  #ended: Ended | undefined;
  #value: unknown;
  #promise: Promise<unknown> | undefined;
  #resolve: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    readonly id: number,
    readonly file: string,
    readonly handler: string,
    public args: unknown,
    readonly options: SubmitOptions,
    private readonly onCancel: (job: PoolJob) => void,
  ) {}

  get name(): string {
    return this.options.name ?? this.handler;
  }

  get state(): JobState {
    return this.#ended ?? (this.thread?.isRunning(this) ? 'running' : 'waiting');
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  result(): Promise<unknown> {
    this.#promise ??= new Promise((resolve, reject) => {
      if (this.#ended === 'succeeded') resolve(this.#value);
      else if (this.#ended) reject(this.#value as Error);
      else [this.#resolve, this.#reject] = [resolve, reject];
    });
    return this.#promise;
  }

  poll(): unknown {
    if (this.#ended === 'failed' || this.#ended === 'cancelled') throw this.#value;
    return this.#value;
  }

  cancel(): boolean {
    if (this.#ended) return false;
    this.onCancel(this);
    return true;
  }

  readonly cancelBySignal = (): void => void this.cancel();

  /** Pool only. `value`: what it returned, or the KrellError. */
  end(how: Ended, value: unknown): void {
    this.#ended = how;
    this.#value = value;
    this.args = undefined;
    this.options.signal?.removeEventListener('abort', this.cancelBySignal);
    if (how === 'succeeded') this.#resolve?.(value);
    else this.#reject?.(value);
  }
}

/** An error of a job, with the stack of the thread it comes from. */
export function jobError(
  job: PoolJob,
  code: string,
  message: string,
  more: { hint?: string; stack?: string; cause?: unknown } = {},
): KrellError {
  const { hint, stack, cause } = more;
  const error = new KrellError(code, `job ${job.id} (${job.name}): ${message}`, { hint, cause });
  if (stack) error.stack = `${error.name}: ${error.message}\n${stack.replace(/^(?!\s+at ).*\n?/gm, '')}`;
  return error;
}
