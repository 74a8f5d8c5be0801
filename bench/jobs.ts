// How many jobs a second go through the job pool, and how soon does a thread answer?
import { Piscina } from 'piscina';
import { JobPool } from '../src/index.js';
import { ECHO_BYTES, roundTrips, SPIN } from './jobs/round-trips.js';
import { machine, quantile, rounded, type BenchOptions, type Report } from './report.js';

const THREADS = 2;
/** Submitted at a time, in one go. */
const BURST = 5000;
const ARGUMENT_BYTES = 8192;
const HANDLER = { file: new URL('./jobs/handler.js', import.meta.url), name: 'length' };

/** Different ones: an argument that is sent twice in one message would travel once. */
const makeArguments = (): Float32Array[] => Array.from({ length: BURST }, (_, i) => new Float32Array(ARGUMENT_BYTES / 4).fill(i));

/** Bursts of jobs, one after the other, for `seconds`. */
export async function burst(seconds: number): Promise<Report['rows'][0]> {
  const pool = await JobPool.create({ threads: THREADS });
  const all = makeArguments();
  let received = 0;
  const count = (length: number): void => void (received += length === ARGUMENT_BYTES / 4 ? 1 : 0);
  const oneBurst = async (): Promise<void> => {
    const jobs = all.map((args) => pool.submit<number>(HANDLER, args));
    // What failed shows as not received.
    await Promise.allSettled(jobs.map((job) => job.result().then(count)));
  };
  // Handlers are loaded and heaps have grown before it counts.
  for (let i = 0; i < 4; i++) await oneBurst();
  const before = { memory: process.memoryUsage.rss(), submitted: pool.stats().submitted };
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1000) await oneBurst();
  const elapsed = (performance.now() - begin) / 1000;
  const { submitted, rejected, latencyMs } = pool.stats();
  const grown = (process.memoryUsage.rss() - before.memory) / 2 ** 20;
  await pool.close();
  const jobs = submitted - before.submitted;
  return {
    transport: 'job pool',
    submitted,
    received,
    lost: submitted - received,
    rejected,
    'jobs/s': Math.round(jobs / elapsed),
    'avg ms': rounded(latencyMs.avg),
    'p50 ms': rounded(latencyMs.p50),
    'p99 ms': rounded(latencyMs.p99),
    'MB/100 jobs': rounded((grown / jobs) * 100, 2),
  };
}

/** The same through Piscina's own `run`, a message for each. */
async function piscina(seconds: number): Promise<Report['rows'][0]> {
  const pool = new Piscina({ filename: HANDLER.file.href, name: HANDLER.name, minThreads: THREADS, maxThreads: THREADS });
  const all = makeArguments();
  const latencies: number[] = [];
  const run = async (args: Float32Array): Promise<void> => {
    const begin = performance.now();
    await pool.run(args);
    latencies.push(performance.now() - begin);
  };
  await run(all[0]!);
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1000) await Promise.all(all.map(run));
  const elapsed = (performance.now() - begin) / 1000;
  await pool.destroy();
  return {
    transport: 'Piscina’s run',
    submitted: latencies.length,
    received: latencies.length,
    lost: 0,
    rejected: 0,
    'jobs/s': Math.round(latencies.length / elapsed),
    'avg ms': rounded(latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length),
    'p50 ms': rounded(quantile(latencies, 0.5)),
    'p99 ms': rounded(quantile(latencies, 0.99)),
  };
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  const seconds = quick ? 0.3 : 5;
  const [pool, peer] = [await burst(seconds), await piscina(seconds)];
  const trips = {
    spinning: await roundTrips(quick ? 1000 : 100_000, SPIN),
    sleeping: await roundTrips(quick ? 1000 : 20_000, 0),
  };
  return {
    title: `Jobs with ${ARGUMENT_BYTES / 1024} KiB of arguments in bursts of ${BURST}, ${THREADS} threads`,
    rows: [pool, peer],
    notes: [
      ...Object.entries(trips).map(
        ([how, times]) =>
          `Request and response of ${ECHO_BYTES} bytes through shared rings, both threads ${how}: p50 ${rounded(quantile(times, 0.5))} µs, p99 ${rounded(quantile(times, 0.99))} µs.`,
      ),
      'Latency is from submission to result: most of it is the burst ahead of a job.',
      'MB/100 jobs: growth of the whole process while it counted, after the first 20,000 jobs.',
      machine(),
    ],
    distributions: Object.entries(trips).map(([how, samples]) => ({ name: `round trip, ${how}`, unit: 'µs', samples })),
  };
}
