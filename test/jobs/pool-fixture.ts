// A pool that is closed after each test, and what its jobs fail with.
import { afterEach, expect } from 'vitest';
import { JobPool, type Job, type JobPoolOptions, type KrellError } from '#src/index.js';

const pools: JobPool[] = [];
export async function newPool(options: JobPoolOptions = {}): Promise<JobPool> {
  const pool = await JobPool.create({ threads: 2, ...options });
  pools.push(pool);
  return pool;
}
afterEach(async () => void (await Promise.all(pools.splice(0).map((pool) => pool.close()))));

/** The error of a job that fails. */
export const failure = (job: Job): Promise<KrellError> =>
  job.result().then(
    (value) => expect.fail(`succeeded with ${String(value)}`),
    (error: unknown) => error as KrellError,
  );
