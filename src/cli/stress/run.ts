// Stress: as many jobs as the pool takes and a module every few milliseconds, while a patch plays.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { modules } from '../../../modules/index.js';
import { Engine } from '../../control/engine.js';
import { JobPool } from '../../jobs/pool.js';
import { marksOf, type Grade, type Marked } from './grade.js';

export interface StressReport {
  readonly grade: Grade;
  readonly seconds: number;
  readonly workers: { readonly alive: number; readonly total: number };
  readonly jobs: Readonly<Record<'submitted' | 'received' | 'succeeded' | 'failed' | 'lost' | 'rejected', number>>;
  /** Jobs per second, from the first submission to the last result. */
  readonly throughput: number;
  readonly latencyMs: { readonly avg: number; readonly p50: number; readonly p99: number };
  readonly createMs: { readonly p50: number; readonly p99: number; readonly count: number };
  /** Megabytes of heap and buffers that stayed, after a collection. */
  readonly memoryPer100Tasks: number;
  readonly underruns: number;
  /** Times the machine itself stood still. */
  readonly stalls: number;
  /** Until engine and job pool were warm. */
  readonly startMs: number;
  readonly marks: readonly Marked[];
}

const TASK = { file: new URL('../../jobs/sum.js', import.meta.url) };
const BYTES = 8192;
const BURST = 64;
/** Different ones: what is sent twice in one message travels once. */
const ARGUMENTS = Array.from({ length: BURST }, () => new Uint8Array(BYTES).fill(1));
/** Created and removed again, eight of them at once every so often. */
const TOGETHER = 8;
const MODULES_PAUSE_MS = 20;

/** A collector that can be called, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

const used = (): number => {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

const at = (sorted: readonly number[], share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;

/** Keeps the pool full until `end`, then waits for what is left. */
async function flood(pool: JobPool, end: number): Promise<{ succeeded: number; failed: number; seconds: number }> {
  let succeeded = 0;
  let failed = 0;
  let left = 0;
  const begin = performance.now();
  const isRight = (sum: unknown): unknown => (left--, sum === BYTES ? succeeded++ : failed++);
  const isWrong = (): unknown => (left--, failed++);
  while (performance.now() < end) {
    for (const bytes of ARGUMENTS) {
      if (left >= pool.capacity) break;
      left++;
      pool.submit(TASK, bytes).result().then(isRight, isWrong);
    }
    // A pool that is full stays so for a millisecond; to ask again at every turn would only take a core from those at work.
    await (left < pool.capacity ? turn() : sleep(1));
  }
  const patience = performance.now() + 10_000;
  while (left > 0 && performance.now() < patience) await sleep(1);
  return { succeeded, failed, seconds: (performance.now() - begin) / 1000 };
}

/** Creates modules of all types until `end`. @returns milliseconds each took */
async function build(engine: Engine, end: number): Promise<number[]> {
  const times: number[] = [];
  const create = async (id: string, type: string): Promise<void> => {
    const begin = performance.now();
    await engine.createModule(type, id);
    times.push(performance.now() - begin);
  };
  for (let round = 0; performance.now() < end; round++) {
    const ids = Array.from({ length: round % 4 === 3 ? TOGETHER : 1 }, (_, i) => `stress${i}`);
    await Promise.all(ids.map((id, i) => create(id, modules[(round + i) % modules.length]!.type)));
    await Promise.all(ids.map((id) => engine.removeModule(id)));
    await sleep(MODULES_PAUSE_MS);
  }
  return times.sort((a, b) => a - b);
}

/** Every type once, so that what is measured is work and not compilation. */
async function warm(engine: Engine, pool: JobPool): Promise<void> {
  for (const { type } of modules) {
    await engine.createModule(type, 'stress');
    await engine.removeModule('stress');
  }
  await pool.submit(TASK, ARGUMENTS[0]).result();
}

/** Plays `patch` silently for `seconds` under load. @throws KrellError when the engine or the patch cannot be had */
export async function stress(patch: string, source: string, seconds: number): Promise<StressReport> {
  const gc = collector();
  const begin = performance.now();
  const [engine, pool] = await Promise.all([Engine.create(), JobPool.create()]);
  const startMs = performance.now() - begin;
  try {
    await engine.loadPatch(patch, { source });
    await engine.start({ driver: 'null' });
    await warm(engine, pool);
    const [before, jobsBefore] = [engine.stats(), pool.stats()];
    gc();
    const memory = used();
    const end = performance.now() + seconds * 1000;
    const [work, creations] = await Promise.all([flood(pool, end), build(engine, end)]);
    await sleep(50);
    gc();
    const grown = Math.max(0, used() - memory) / 2 ** 20;
    const [after, jobs] = [engine.stats(), pool.stats()];
    const submitted = jobs.submitted - jobsBefore.submitted;
    const received = work.succeeded + work.failed;
    const alive = after.workers.filter((worker) => worker.alive).length + jobs.threads.alive;
    const total = after.workers.length + jobs.threads.total;
    const { avg, p50, p99 } = jobs.latencyMs;
    const createMs = { p50: at(creations, 0.5), p99: at(creations, 0.99), count: creations.length };
    const measured = {
      throughput: received / work.seconds,
      memoryPer100Tasks: grown / Math.max(1, received / 100),
      underruns: after.underruns - before.underruns,
    };
    const { grade, marks } = marksOf({
      lost: submitted - received,
      rejected: jobs.rejected,
      failed: work.failed,
      dead: total - alive,
      throughput: measured.throughput,
      latency: p99,
      create: createMs.p99,
      memory: measured.memoryPer100Tasks,
      underruns: measured.underruns,
    });
    return {
      grade,
      seconds,
      workers: { alive, total },
      jobs: { submitted, received, succeeded: work.succeeded, failed: work.failed, lost: submitted - received, rejected: jobs.rejected },
      latencyMs: { avg, p50, p99 },
      createMs,
      ...measured,
      stalls: after.stalls - before.stalls,
      startMs,
      marks,
    };
  } finally {
    await Promise.all([engine.stop(), pool.close()]);
  }
}
