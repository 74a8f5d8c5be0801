// What the pool and its threads say to each other: jobs and results as messages, who has which job in shared words.
//
// Messages are structured clones, jobs in batches, results one by one. Measured with 8 KiB of arguments, two threads on two cores, jobs
// a second: Piscina's own `run` 20,000 to 36,000; a shared ring of serialized records 50,000 to 110,000; this 130,000 to 210,000.
//
// A thread has up to AHEAD jobs before it, numbered from FIRST, and takes them in order. Each has a claim word:
//
//   pool                                      thread
//     claim = READY, then posts the job         claim: READY → RUNNING, else it skips the job
//     claim: READY → WITHDRAWN to take it back  runs it, posts its result, PASSED = its number
//
// Both arrows are compare-and-exchange, so a job is run once or given back, never both: when a thread dies, what was RUNNING and has
// posted no result died with it, and what was READY runs elsewhere.

/** Jobs given to a thread before it has finished the first of them; a power of two. */
export const AHEAD = 16;

/** Number of a thread's first job. In shared words numbers wrap, at 2³¹; they begin so near to that because whatever cannot bear it then shows at once. */
export const FIRST = 2 ** 31 - 50;

/** Word indices of a thread's shared memory. */
export const WORD = {
  PASSED: 0, // thread: number of the last job it ended or skipped, wrapping
  STARTED_MS: 1, // thread: when it began the job that runs, by `clockMs`
  CLAIMS: 32, // of job n at n % AHEAD
  COUNT: 32 + AHEAD,
} as const;
export const READY = 1;
export const RUNNING = 2;
export const WITHDRAWN = 3;

export const claimWord = (sequence: number): number => WORD.CLAIMS + (sequence % AHEAD);

/** Milliseconds on a clock that all threads share, wrapping: differences up to 24 days are right. */
export function clockMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return (seconds * 1000 + nanoseconds / 1e6) | 0;
}

/** One job on its way to a thread. */
export interface Assignment {
  readonly sequence: number;
  /** What is in error messages. */
  readonly job: string;
  /** URL of the file. */
  readonly file: string;
  /** The export. */
  readonly name: string;
  readonly args: unknown;
}

/** To a thread. */
export type Order =
  | { readonly kind: 'jobs'; readonly jobs: readonly Assignment[] }
  /** Tells the job that runs, if it is this one, that nobody wants it any more. */
  | { readonly kind: 'abort'; readonly sequence: number; readonly reason: string };

/** What was thrown, in words: not everything that can be thrown can be sent. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

/** From a thread. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly sequence: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly sequence: number; readonly failure: Failure };
