// The job pool: work that may take its time, on threads that are not the main one and make no sound.
//
// Piscina owns the threads: it starts them, one more than is used, and replaces those that die. What it runs on them is one task each,
// for as long as the pool lives (worker.ts), to which jobs come in batches (protocol.ts says why and how).
import { createHistogram } from 'node:perf_hooks';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Piscina } from 'piscina';
import { KrellError } from '../errors.js';
import { newThreadPool } from '../threads/pool.js';
import { jobError, PoolJob, type HandlerRef, type Job, type SubmitOptions } from './job.js';
import { clockMs } from './protocol.js';
import { JobThread, type ThreadEvents } from './thread.js';
import type { JobThreadTask } from './worker.js';

export interface JobPoolOptions {
  /** Threads that run jobs, 1..64; half the cores unless given. */
  readonly threads?: number;
  /** Threads kept warm beside them, to take the place of one that dies; one unless given. */
  readonly spares?: number;
  /** Jobs that may wait or run at a time; what comes beyond is refused. */
  readonly capacity?: number;
  /** Milliseconds an async handler gets to end after its signal was aborted, before its thread is terminated. */
  readonly graceMs?: number;
  /** Megabytes of heap for each thread; one that needs more dies. */
  readonly heapMb?: number;
  /** Called when a thread has died, hung or been terminated, which costs the job it ran and no other. */
  readonly onFault?: (error: KrellError) => void;
}

export interface JobStats {
  /** Always succeeded + failed + cancelled + waiting + running. */
  readonly submitted: number;
  readonly succeeded: number;
  /** Those refused included. */
  readonly failed: number;
  readonly cancelled: number;
  /** Of those failed: how many found the pool full. */
  readonly rejected: number;
  readonly waiting: number;
  readonly running: number;
  /** From submission to result, of all jobs that were run to their end. */
  readonly latencyMs: { readonly avg: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** Jobs ended per second of the time in which there were any. */
  readonly throughput: number;
  /** `restarts`: threads that died or were terminated, and were replaced. */
  readonly threads: { readonly alive: number; readonly total: number; readonly restarts: number };
}

const CAPACITY = 10_000;
const MAX_THREADS = 64;
const SPARES = 1;
const LOOK_MS = 5;
const GRACE_MS = 100;
const HEAP_MB = 256;

function checkRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new KrellError('option', `${name} is ${value}`, { hint: `give a whole number from ${min} to ${max}` });
}

export class JobPool {
  readonly capacity: number;
  readonly #graceMs: number;
  readonly #onFault: (error: KrellError) => void;
  readonly #pool: Piscina<JobThreadTask, void>;
  readonly #threads: readonly JobThread[];
  /** Jobs that no thread has yet, first in, first out; before them those that a thread gave back. */
  #returned: PoolJob[] = [];
  readonly #waiting = new Set<PoolJob>();
  /** All that have not ended. */
  readonly #unfinished = new Set<PoolJob>();
  readonly #latency = createHistogram();
  readonly #counts = { submitted: 0, succeeded: 0, failed: 0, cancelled: 0, rejected: 0, ended: 0, restarts: 0 };
  #busyMs = 0;
  #busySince = 0;
  #looking: NodeJS.Timeout | undefined;
  #isFeeding = false;
  #closed: Promise<void> | undefined;
  #idle: (() => void)[] = [];

  private constructor(options: JobPoolOptions) {
    const threads = checkRange('threads', options.threads ?? Math.max(1, availableParallelism() >> 1), 1, MAX_THREADS);
    this.capacity = checkRange('capacity', options.capacity ?? CAPACITY, 1, 10_000_000);
    this.#graceMs = checkRange('graceMs', options.graceMs ?? GRACE_MS, 0, 60_000);
    this.#onFault = options.onFault ?? (() => {});
    const started = threads + checkRange('spares', options.spares ?? SPARES, 0, MAX_THREADS);
    this.#pool = newThreadPool(new URL('./worker.js', import.meta.url), {
      minThreads: started,
      maxThreads: started,
      resourceLimits: { maxOldGenerationSizeMb: checkRange('heapMb', options.heapMb ?? HEAP_MB, 16, 65_536) },
    });
    // The spare's death: Piscina replaces it, and no job was lost.
    this.#pool.on('error', () => {});
    const events: ThreadEvents = {
      ended: (job, value, error) => this.#ended(job, value, error),
      returned: (jobs) => this.#takeBack(jobs),
      room: () => this.#feedSoon(),
      died: (thread, jobs, cause) => this.#died(thread, jobs, cause),
    };
    this.#threads = Array.from({ length: threads }, () => new JobThread(this.#pool, events));
  }

  /** Starts the threads; resolves when all are warm. @throws KrellError `option`, `threads` */
  static async create(options: JobPoolOptions = {}): Promise<JobPool> {
    const pool = new JobPool(options);
    try {
      await Promise.all(pool.#threads.map((thread) => thread.start()));
    } catch (cause) {
      await pool.close();
      throw new KrellError('threads', 'a job thread did not start', { cause });
    }
    return pool;
  }

  // ── jobs ──

  /**
   * Queues a job. Never waits and never throws: a job that cannot be taken has failed at once, with `busy` or `closed`.
   * The arguments are copied (structured clone) when a thread takes the job, so leave them alone until then.
   */
  submit<T = unknown>(handler: HandlerRef, args?: unknown, options: SubmitOptions = {}): Job<T> {
    const { file, name = 'default' } = handler;
    const url = urlOf(file);
    const job = new PoolJob(++this.#counts.submitted, url ?? '', name, args, options, (cancelled) => this.#cancel(cancelled));
    const { timeoutMs } = options;
    if (this.#closed) {
      this.#end(job, 'failed', jobError(job, 'closed', 'the job pool has been closed'));
    } else if (url === undefined) {
      const hint = 'give { file, name }: a function that a file exports; a thread has no other way to it';
      this.#end(job, 'failed', jobError(job, 'handler', 'this is no handler', { hint }));
    } else if (timeoutMs !== undefined && !(timeoutMs > 0)) {
      this.#end(job, 'failed', jobError(job, 'option', `timeoutMs is ${timeoutMs}`, { hint: 'give milliseconds above 0' }));
    } else if (options.signal?.aborted) {
      this.#end(job, 'cancelled', jobError(job, 'cancelled', 'cancelled before it began'));
    } else if (this.#unfinished.size >= this.capacity) {
      this.#counts.rejected++;
      const hint = 'submit fewer at a time, or create the pool with a larger capacity';
      this.#end(job, 'failed', jobError(job, 'busy', `${this.capacity} jobs are waiting already`, { hint }));
    } else {
      options.signal?.addEventListener('abort', job.cancelBySignal, { once: true });
      if (this.#unfinished.size === 0) this.#busySince = performance.now();
      this.#unfinished.add(job);
      this.#waiting.add(job);
      this.#feedSoon();
    }
    return job as Job<T>;
  }

  /**
   * Once per turn of the event loop: what is submitted in one turn travels together, and a turn brings no more results than its threads had
   * jobs. Fed as results come, threads that are quick would keep the event loop at their port for a thousand results on end.
   */
  #feedSoon(): void {
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    setImmediate(() => {
      this.#isFeeding = false;
      this.#feed();
    });
  }

  /** Deals what waits to threads with room: evenly, so that two long jobs do not queue for one thread. */
  #feed(): void {
    const open = this.#threads.filter((thread) => thread.room > 0).sort((a, b) => a.load - b.load);
    this.#looking ??= this.#unfinished.size > 0 ? setInterval(() => this.#look(), LOOK_MS) : undefined;
    open.forEach((thread, i) => {
      const left = this.#returned.length + this.#waiting.size;
      if (left > 0) thread.give(this.#next(Math.min(thread.room, Math.ceil(left / (open.length - i)))));
    });
  }

  #next(count: number): PoolJob[] {
    const jobs = this.#returned.splice(0, count);
    for (const job of this.#waiting) {
      if (jobs.length === count) break;
      this.#waiting.delete(job);
      jobs.push(job);
    }
    return jobs;
  }

  #takeBack(jobs: readonly PoolJob[]): void {
    if (this.#closed) return;
    this.#returned = [...jobs, ...this.#returned];
    this.#feedSoon();
  }

  #cancel(job: PoolJob): void {
    const { thread } = job;
    const isBegun = thread && !thread.withdraw(job);
    if (isBegun) thread.interrupt(job, 'the job was cancelled');
    this.#waiting.delete(job);
    this.#returned = this.#returned.filter((other) => other !== job);
    this.#end(job, 'cancelled', jobError(job, 'cancelled', isBegun ? 'cancelled while it ran' : 'cancelled before it began'));
  }

  #ended(job: PoolJob, value: unknown, error: Error | undefined): void {
    // One that was cancelled or out of time has ended before, for whoever waits for it.
    if (job.hasEnded) return;
    this.#latency.record(Math.max(1, Math.round((performance.now() - job.submitted) * 1e6)));
    this.#end(job, error ? 'failed' : 'succeeded', error ?? value);
  }

  #end(job: PoolJob, how: 'succeeded' | 'failed' | 'cancelled', value: unknown): void {
    this.#counts[how]++;
    if (this.#unfinished.delete(job)) {
      this.#counts.ended++;
      if (this.#unfinished.size === 0) this.#rest();
    }
    job.end(how, value);
  }

  #rest(): void {
    this.#busyMs += performance.now() - this.#busySince;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  // ── threads ──

  /** Finds jobs that are out of time, and threads that do not let go of one that has ended. */
  #look(): void {
    let isBusy = this.#unfinished.size > 0;
    for (const thread of this.#threads) {
      const running = thread.isAlive ? thread.look() : undefined;
      if (!running) continue;
      isBusy = true;
      const { job, runningMs } = running;
      const { timeoutMs } = job.options;
      if (!job.hasEnded && timeoutMs !== undefined && runningMs > timeoutMs) {
        thread.interrupt(job, `the job's ${timeoutMs} ms are over`);
        this.#end(job, 'failed', jobError(job, 'timeout', `did not end within ${timeoutMs} ms`, { hint: 'give it longer, or less to do' }));
      }
      if (job.hasEnded && clockMs() - job.interruptedMs! > this.#graceMs) thread.terminate();
    }
    // A thread that was stuck has room again when it has passed what others got, which it tells nobody.
    if (isBusy) return this.#feedSoon();
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #died(thread: JobThread, jobs: readonly PoolJob[], cause: Error): void {
    for (const job of jobs) this.#ended(job, undefined, jobError(job, 'crash', `its thread died: ${cause.message}`, { cause }));
    if (this.#closed) return;
    this.#counts.restarts++;
    const [job] = jobs;
    const what = thread.isTerminated ? 'was terminated, it did not react' : `died: ${cause.message}`;
    const during = job ? ` while it ran job ${job.id} (${job.name})` : '';
    this.#onFault(new KrellError('job-thread', `a job thread ${what}${during}`, { hint: 'it was replaced', cause }));
    // One that cannot be replaced is not alive, which the statistics tell.
    thread.start().catch(() => {});
  }

  // ── questions and the end ──

  stats(): JobStats {
    const { ended, restarts, ...counts } = this.#counts;
    const unfinished = [...this.#unfinished];
    const running = unfinished.filter((job) => job.state === 'running').length;
    const busyMs = this.#busyMs + (unfinished.length > 0 ? performance.now() - this.#busySince : 0);
    const latency = this.#latency;
    const ms = (ns: number): number => (latency.count > 0 ? ns / 1e6 : 0);
    return {
      ...counts,
      waiting: unfinished.length - running,
      running,
      latencyMs: { avg: ms(latency.mean), p50: ms(latency.percentile(50)), p99: ms(latency.percentile(99)), max: ms(latency.max) },
      throughput: busyMs > 0 ? (ended / busyMs) * 1000 : 0,
      threads: { alive: this.#threads.filter((thread) => thread.isAlive).length, total: this.#threads.length, restarts },
    };
  }

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#unfinished.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Cancels what has not ended, and ends the threads, whatever they do. Wait for `idle` first to let jobs end. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#looking);
    this.#waiting.clear();
    this.#returned = [];
    for (const job of this.#unfinished) this.#end(job, 'cancelled', jobError(job, 'cancelled', 'the job pool was closed'));
    await this.#pool.destroy();
  }
}

/** @returns undefined for what is no file at all */
function urlOf(file: URL | string | undefined): string | undefined {
  if (file instanceof URL) return file.protocol === 'file:' ? file.href : undefined;
  if (typeof file !== 'string' || file === '') return undefined;
  return file.startsWith('file:') ? file : pathToFileURL(resolve(file)).href;
}
