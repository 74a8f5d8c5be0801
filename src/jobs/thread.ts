// One thread of the pool, seen from the main thread: what it has been given, how it ends, and its successor.
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { jobError, type PoolJob } from './job.js';
import { AHEAD, FIRST, READY, RUNNING, WITHDRAWN, WORD, claimWord, clockMs, type Assignment, type Order, type Report } from './protocol.js';
import type { JobThreadTask } from './worker.js';

/** What a thread tells the pool. */
export interface ThreadEvents {
  /** A job has returned (`error` undefined) or thrown. */
  ended(job: PoolJob, value: unknown, error: Error | undefined): void;
  /** These have not been begun, and are the pool's again. */
  returned(jobs: readonly PoolJob[]): void;
  /** There is room for more jobs. */
  room(): void;
  /** The system's thread has died or been terminated. `jobs`: what it had begun; that is one, or none. */
  died(thread: JobThread, jobs: readonly PoolJob[], cause: Error): void;
}

/**
 * Looks in a row at which a thread has jobs and begins none of them, before it counts as hung: what a job left behind may do that. Some 20 s:
 * a gigabyte of arguments takes its time too.
 */
const MUTE_LOOKS = 4000;

export class JobThread {
  /** Runs one job for so long that it gets no others. */
  isStuck = false;
  isAlive = false;
  /** Whether it was ended because it did not react. */
  isTerminated = false;
  #port!: MessagePort;
  #words!: Int32Array;
  #kill!: AbortController;
  /** Number of the last job it was given. */
  #given = FIRST - 1;
  /** By number, in the order of numbers: what it was given, did not give back, and has not told the end of. */
  readonly #jobs = new Map<number, PoolJob>();
  /** What the last look saw: the last job passed, the one that ran, and for how many looks the thread had done nothing with what it has. */
  #seen: { passed: number; running: PoolJob | undefined; mute: number } = { passed: 0, running: undefined, mute: 0 };
  #task!: Promise<void>;

  constructor(
    private readonly pool: Piscina<JobThreadTask, void>,
    private readonly events: ThreadEvents,
  ) {}

  /** Takes a thread of Piscina's. Resolves when it is ready for jobs. */
  start(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#words = new Int32Array(new SharedArrayBuffer(WORD.COUNT * Int32Array.BYTES_PER_ELEMENT));
    this.#kill = new AbortController();
    this.#given = FIRST - 1;
    Atomics.store(this.#words, WORD.PASSED, this.#given);
    this.#seen = { passed: this.#given, running: undefined, mute: 0 };
    this.#jobs.clear();
    this.isStuck = false;
    this.isTerminated = false;
    this.#task = this.pool.run({ port: port2, words: this.#words }, { transferList: [port2], signal: this.#kill.signal });
    return new Promise((resolve, reject) => {
      port1.on('message', (report: Report) => {
        if (report.kind !== 'ready') return this.#take(report);
        this.isAlive = true;
        resolve();
        this.events.room();
      });
      this.#task.catch((error: Error) => {
        this.#died(error);
        reject(error);
      });
    });
  }

  /** How many jobs it would take now. */
  get room(): number {
    return this.isAlive && !this.isStuck ? AHEAD - this.load : 0;
  }

  /** Jobs from the first one whose claim word is still of use: not yet passed, or its result not yet here. */
  get load(): number {
    const [first = Infinity] = this.#jobs.keys();
    return Math.max(this.#given + 1 - first, this.#since(Atomics.load(this.#words, WORD.PASSED)));
  }

  /** Jobs given after number `sequence`, which may have wrapped. */
  #since(sequence: number): number {
    return (this.#given - sequence) | 0;
  }

  /** Gives it jobs, no more than there is room for. */
  give(jobs: readonly PoolJob[]): void {
    const batch = jobs.map((job): Assignment => {
      const sequence = ++this.#given;
      Atomics.store(this.#words, claimWord(sequence), READY);
      this.#jobs.set(sequence, job);
      job.thread = this;
      job.sequence = sequence;
      return { sequence, job: job.name, file: job.file, name: job.handler, args: job.args };
    });
    try {
      this.#send({ kind: 'jobs', jobs: batch });
    } catch {
      // One of them has arguments that cannot be copied.
      jobs.forEach((job, i) => this.#giveAlone(job, batch[i]!));
    }
  }

  #giveAlone(job: PoolJob, assignment: Assignment): void {
    try {
      this.#send({ kind: 'jobs', jobs: [assignment] });
    } catch (error) {
      this.withdraw(job);
      this.#send({ kind: 'jobs', jobs: [{ ...assignment, args: undefined }] });
      this.events.ended(
        job,
        undefined,
        jobError(job, 'arguments', error instanceof Error ? error.message : String(error), { cause: error }),
      );
    }
  }

  #send(order: Order): void {
    this.#port.postMessage(order);
  }

  isRunning(job: PoolJob): boolean {
    return job.thread === this && Atomics.load(this.#words, claimWord(job.sequence)) === RUNNING;
  }

  /** Takes a job back. @returns false when the thread has begun it */
  withdraw(job: PoolJob): boolean {
    if (Atomics.compareExchange(this.#words, claimWord(job.sequence), READY, WITHDRAWN) !== READY) return false;
    this.#jobs.delete(job.sequence);
    job.thread = undefined;
    return true;
  }

  /** Tells the job that runs to end. */
  interrupt(job: PoolJob, reason: string): void {
    job.interruptedMs ??= clockMs();
    this.#send({ kind: 'abort', sequence: job.sequence, reason });
  }

  /**
   * Looks after it, every few milliseconds: when it still does the job it did at the last look, others get what it has not begun.
   * @returns the job that runs, and for how long
   */
  look(): { job: PoolJob; runningMs: number } | undefined {
    const passed = Atomics.load(this.#words, WORD.PASSED);
    const job = this.#running();
    this.isStuck = job !== undefined && job === this.#seen.running;
    const isMute = !job && passed === this.#seen.passed && this.#since(passed) > 0;
    this.#seen = { passed, running: job, mute: isMute ? this.#seen.mute + 1 : 0 };
    if (this.isStuck) this.#return();
    if (this.#seen.mute > MUTE_LOOKS) this.terminate();
    return job && { job, runningMs: (clockMs() - Atomics.load(this.#words, WORD.STARTED_MS)) | 0 };
  }

  /** What it does now: not what it has done already, though the result may still be on its way. */
  #running(): PoolJob | undefined {
    const left = this.#since(Atomics.load(this.#words, WORD.PASSED));
    return [...this.#jobs.values()].findLast((job) => this.isRunning(job) && this.#since(job.sequence) < left);
  }

  /** Gives back what has not been begun. */
  #return(): void {
    this.events.returned([...this.#jobs.values()].filter((job) => this.withdraw(job)));
  }

  #take(report: Exclude<Report, { kind: 'ready' }>): void {
    const job = this.#jobs.get(report.sequence)!;
    this.#jobs.delete(report.sequence);
    this.isStuck = false;
    if (report.kind === 'done') this.events.ended(job, report.value, undefined);
    else {
      const { code, message, stack } = report.failure;
      this.events.ended(job, undefined, jobError(job, code, message, { stack }));
    }
    if (this.load <= AHEAD / 2) this.events.room();
  }

  /** Ends the system's thread, whatever it does. */
  terminate(): void {
    this.isTerminated = true;
    this.#kill.abort();
  }

  #died(cause: Error): void {
    this.isAlive = false;
    // What it had reported before.
    for (let message = receiveMessageOnPort(this.#port); message; message = receiveMessageOnPort(this.#port)) {
      const report = message.message as Report;
      if (report.kind !== 'ready') this.#take(report);
    }
    this.#port.close();
    this.#return();
    this.events.died(this, [...this.#jobs.values()], cause);
  }
}
