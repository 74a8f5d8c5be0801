// The job pool: everything that is submitted ends, once, whatever jobs do to their threads.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { JobPool, KrellError, type Job, type JobPoolOptions } from '#src/index.js';
import { failure, newPool } from './pool-fixture.js';

const handler = (name: string, file = 'work.mjs') => ({ file: new URL(`./handlers/${file}`, import.meta.url), name });
const shared = (words = 1): Int32Array => new Int32Array(new SharedArrayBuffer(4 * words));

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await pause(1);
};
/** What holds at any time. */
function expectNothingLost(pool: JobPool): void {
  const { submitted, succeeded, failed, cancelled, waiting, running } = pool.stats();
  expect(succeeded + failed + cancelled + waiting + running).toBe(submitted);
}

describe('a job', () => {
  it('returns what its handler does, sync or async, default export or named', async () => {
    const pool = await newPool();
    expect(await pool.submit(handler('echo'), { a: [1, 2n, 'three'] }).result()).toEqual({ a: [1, 2n, 'three'] });
    expect(await pool.submit(handler('sleep'), 3).result()).toBe(3);
    expect(await pool.submit({ file: handler('').file }, 'x').result()).toBe('default x');
    expect(await pool.submit({ file: 'test/jobs/handlers/work.mjs', name: 'length' }, 'four').result()).toBe(4);
    expect(await pool.submit({ file: handler('').file.href, name: 'echo' }, 5).result()).toBe(5);
    expect(await pool.submit(handler('named'), undefined, { name: 'my job' }).result()).toBe('my job');
  });

  it('tells its state, and its result to those who look', async () => {
    const pool = await newPool({ threads: 1 });
    const first = pool.submit<number>(handler('sleep'), 30);
    const second = pool.submit<number>(handler('sleep'), 1);
    expect([first.state, second.state]).toEqual(['waiting', 'waiting']);
    await until(() => first.state === 'running');
    expect([second.state, first.poll(), second.poll()]).toEqual(['waiting', undefined, undefined]);
    expectNothingLost(pool);
    await second.result();
    expect([first.state, first.poll(), second.poll(), await first.result()]).toEqual(['succeeded', 30, 1, 30]);
    const failing = pool.submit(handler('fails'));
    await pool.idle();
    expect(failing.state).toBe('failed');
    expect(() => failing.poll()).toThrow('out of strings');
  });

  it.each([
    ['fails', 'job', 'out of strings', 'work.mjs'],
    ['failsLater', 'job', 'out of hammers', 'work.mjs'],
    ['throwsText', 'job', 'just text', ''],
    ['unclonable', 'result', 'could not be cloned', ''],
    ['lenght', 'handler', "exports no function 'lenght'; did you mean 'length'?", ''],
    ['notAFunction', 'handler', "exports no function 'notAFunction'", ''],
  ])('that %s says so, with the stack of its thread', async (name, code, message, frame) => {
    const pool = await newPool({ threads: 1 });
    const error = await failure(pool.submit(handler(name)));
    expect(error).toBeInstanceOf(KrellError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.stack).toContain(error.message);
    expect(error.stack).toContain(frame && `handlers/${frame}:`);
    expect(pool.stats()).toMatchObject({ failed: 1, rejected: 0, threads: { alive: 1, restarts: 0 } });
  });

  it('keeps the code of a KrellError', async () => {
    const pool = await newPool({ threads: 1 });
    const measures = handler('default', 'measures.mjs');
    expect(await pool.submit(measures).result()).toBe(8);
    expect(await failure(pool.submit(measures, true))).toMatchObject({ code: 'too-much' });
  });

  it.each([
    ['broken', 'export default () => 1 +;'],
    ['throwing', "throw new Error('not today');"],
    ['missing', undefined],
  ])('fails when its file cannot be loaded: %s', async (name, text) => {
    const pool = await newPool({ threads: 1 });
    const file = join(mkdtempSync(join(tmpdir(), 'krell-jobs-')), `${name}.mjs`);
    if (text !== undefined) writeFileSync(file, text);
    const error = await failure(pool.submit({ file }));
    expect(error.message).toMatch(/Unexpected token|not today|Cannot find module/);
    expect(await pool.submit(handler('echo'), 1).result()).toBe(1);
  });

  it('fails alone when its arguments cannot be copied', async () => {
    const pool = await newPool({ threads: 1 });
    const jobs = [1, () => 2, 3].map((args) => pool.submit(handler('echo'), args));
    expect(await failure(jobs[1]!)).toMatchObject({ code: 'arguments' });
    expect([await jobs[0]!.result(), await jobs[2]!.result()]).toEqual([1, 3]);
    await pool.idle();
    expect(pool.stats()).toMatchObject({ submitted: 3, succeeded: 2, failed: 1 });
  });

  it('finds its file loaded from the second time on', async () => {
    const pool = await newPool({ threads: 1 });
    const runs: { threadId: number; calls: number }[] = [];
    for (let i = 0; i < 3; i++) runs.push((await pool.submit(handler('where')).result()) as (typeof runs)[0]);
    expect(runs.map(({ calls }) => calls)).toEqual([1, 2, 3]);
    expect(new Set(runs.map(({ threadId }) => threadId)).size).toBe(1);
  });
});

describe('the queue', () => {
  it('runs each of thousands of jobs once, on all threads', async () => {
    const pool = await newPool();
    const words = shared();
    const jobs = Array.from({ length: 5000 }, () => pool.submit(handler('count'), { words }));
    await pool.idle();
    expect(words[0]).toBe(5000);
    expect(jobs.every(({ state }) => state === 'succeeded')).toBe(true);
    const { latencyMs, ...stats } = pool.stats();
    expect(stats).toMatchObject({ submitted: 5000, succeeded: 5000, failed: 0, cancelled: 0, rejected: 0, waiting: 0, running: 0 });
    expect(stats.throughput).toBeGreaterThan(0);
    expect(latencyMs.p99).toBeGreaterThanOrEqual(latencyMs.p50);
    expect(latencyMs.max).toBeGreaterThanOrEqual(latencyMs.avg);
    const threads = await Promise.all(Array.from({ length: 2 }, () => pool.submit(handler('where')).result()));
    expect(new Set(threads.map((run) => (run as { threadId: number }).threadId)).size).toBe(2);
  });

  it('refuses what is over its capacity, and only that', async () => {
    const pool = await newPool({ threads: 1, capacity: 20 });
    const jobs = Array.from({ length: 25 }, (_, i) => pool.submit(handler('echo'), i));
    expect(jobs.filter(({ state }) => state === 'failed').map(({ id }) => id)).toEqual([21, 22, 23, 24, 25]);
    expect(await failure(jobs[24]!)).toMatchObject({ code: 'busy', hint: expect.stringContaining('capacity') as string });
    expect(await Promise.all(jobs.slice(0, 20).map((job) => job.result()))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(pool.stats()).toMatchObject({ submitted: 25, succeeded: 20, failed: 5, rejected: 5 });
    expect(await pool.submit(handler('echo'), 'room again').result()).toBe('room again');
  });

  it('lets others do what was given to a thread that is busy with one job', async () => {
    const pool = await newPool();
    const words = shared();
    const long = pool.submit(handler('listens'));
    const short = Array.from({ length: 60 }, () => pool.submit(handler('count'), { words, ms: 1 }));
    await Promise.all(short.map((job) => job.result()));
    expect(words[0]).toBe(60);
    expect(long.state).toBe('running');
  });

  it.each([{ threads: 0 }, { threads: 1.5 }, { capacity: 0 }, { graceMs: -1 }, { heapMb: 1 }])('refuses %j', async (options) => {
    await expect(JobPool.create(options)).rejects.toMatchObject({ code: 'option' });
  });
});

describe('cancelling', () => {
  it('takes back what waits, in the queue or before its thread', async () => {
    const pool = await newPool({ threads: 1 });
    const words = shared();
    const first = pool.submit(handler('sleep'), 20);
    const jobs = Array.from({ length: 100 }, () => pool.submit(handler('count'), { words }));
    await until(() => first.state === 'running');
    expect(jobs.filter((_, i) => i % 2 === 0).every((job) => job.cancel())).toBe(true);
    expect(await failure(jobs[0]!)).toMatchObject({ code: 'cancelled' });
    await pool.idle();
    expect(words[0]).toBe(50);
    expect(pool.stats()).toMatchObject({ submitted: 101, succeeded: 51, cancelled: 50 });
    expect(jobs.slice(0, 2).map(({ state }) => state)).toEqual(['cancelled', 'succeeded']);
    expect(jobs.slice(0, 2).map((job) => job.cancel())).toEqual([false, false]);
  });

  it('ends a job that listens, and keeps its thread', async () => {
    const pool = await newPool({ threads: 1, graceMs: 5000 });
    const before = (await pool.submit(handler('where')).result()) as { threadId: number };
    const abort = new AbortController();
    const job = pool.submit(handler('listens'), undefined, { signal: abort.signal });
    await until(() => job.state === 'running');
    abort.abort();
    expect(job.state).toBe('cancelled');
    const after = (await pool.submit(handler('where')).result()) as { threadId: number };
    expect(after.threadId).toBe(before.threadId);
    expect(pool.stats().threads.restarts).toBe(0);
  });

  it('ends the thread of a job that does not, and nothing else', async () => {
    const faults: KrellError[] = [];
    const pool = await newPool({ threads: 1, graceMs: 10, onFault: (error) => faults.push(error) });
    const flag = shared();
    const job = pool.submit(handler('hang'), flag);
    const others = Array.from({ length: 40 }, (_, i) => pool.submit(handler('echo'), i));
    await until(() => flag[0] === 1);
    expect(job.cancel()).toBe(true);
    expect(await Promise.all(others.map((other) => other.result()))).toEqual(others.map((_, i) => i));
    expect(pool.stats()).toMatchObject({ succeeded: 40, cancelled: 1, failed: 0, threads: { alive: 1, total: 1, restarts: 1 } });
    expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining('did not react while it ran job 1 (hang)')]);
  });

  it('knows of signals that were aborted before', async () => {
    const pool = await newPool({ threads: 1 });
    const job = pool.submit(handler('echo'), 1, { signal: AbortSignal.abort() });
    expect(job.state).toBe('cancelled');
    expectNothingLost(pool);
  });
});

describe('a time limit', () => {
  it('ends a job that hangs with its thread; the others run', async () => {
    const pool = await newPool({ threads: 1, graceMs: 10 });
    // From now on the file is loaded, which takes its time too.
    await pool.submit(handler('echo')).result();
    const job = pool.submit(handler('hang'), undefined, { timeoutMs: 20 });
    const others = Array.from({ length: 40 }, (_, i) => pool.submit(handler('echo'), i));
    expect(await failure(job)).toMatchObject({ code: 'timeout', message: expect.stringContaining('within 20 ms') as string });
    expect(await Promise.all(others.map((other) => other.result()))).toEqual(others.map((_, i) => i));
    expect(pool.stats()).toMatchObject({ succeeded: 41, failed: 1, threads: { alive: 1, restarts: 1 } });
  });

  it('is told to a job that listens, whose thread goes on', async () => {
    const pool = await newPool({ threads: 1, graceMs: 5000 });
    expect(await failure(pool.submit(handler('listens'), undefined, { timeoutMs: 10 }))).toMatchObject({ code: 'timeout' });
    expect(await pool.submit(handler('echo'), 1).result()).toBe(1);
    expect(pool.stats().threads.restarts).toBe(0);
  });

  it('does not count the time that a job waits', async () => {
    const pool = await newPool({ threads: 1 });
    pool.submit(handler('sleep'), 100);
    expect(await pool.submit(handler('echo'), 1, { timeoutMs: 50 }).result()).toBe(1);
  });
});

describe('a thread that dies', () => {
  it.each([
    ['exit', 'exited with code: 7'],
    ['exhaust', 'memory limit'],
  ])('fails the job it ran, and no other: %s', async (name, message) => {
    const pool = await newPool({ heapMb: 24 });
    const words = shared();
    const before = Array.from({ length: 50 }, () => pool.submit(handler('count'), { words }));
    const deadly = pool.submit(handler(name));
    const after = Array.from({ length: 50 }, () => pool.submit(handler('count'), { words }));
    const error = await failure(deadly);
    expect(error.code).toBe('crash');
    expect(error.message).toContain(message);
    await Promise.all([...before, ...after].map((job) => job.result()));
    expect(words[0]).toBe(100);
    await until(() => pool.stats().threads.alive === 2);
    expect(pool.stats()).toMatchObject({ submitted: 101, succeeded: 100, failed: 1, threads: { restarts: 1 } });
  });

  it('is replaced as often as it takes', async () => {
    const pool = await newPool();
    const words = shared();
    const jobs: Job[] = [];
    for (let i = 0; i < 200; i++) {
      jobs.push(pool.submit(handler(i % 25 === 7 ? 'exit' : 'count'), { words }));
      expectNothingLost(pool);
      if (i % 10 === 0) await pause(1);
    }
    await pool.idle();
    expect(words[0]).toBe(192);
    expect(pool.stats()).toMatchObject({ submitted: 200, succeeded: 192, failed: 8, waiting: 0, running: 0, threads: { restarts: 8 } });
  });
});

describe('the guard', () => {
  it.each([
    ['opens-engine.mjs', 'opens-engine.mjs imports handlers/starts-engine.mjs, handlers/starts-engine.mjs imports control/engine.js: only'],
    ['opens-library.cjs', 'opens-library.cjs imports index.js: only'],
    ['opens-device.mjs', 'opens-device.mjs imports host/devices.js: only'],
  ])('refuses %s before it is loaded', async (file, chain) => {
    const pool = await newPool({ threads: 1 });
    const error = await failure(pool.submit(handler('default', file)));
    expect(error.code).toBe('imports');
    expect(error.message).toContain(chain);
  });
});

describe('closing', () => {
  it('cancels what is left, and does not wait for what hangs', async () => {
    const pool = await newPool({ threads: 1 });
    const flag = shared();
    const jobs = [pool.submit(handler('hang'), flag), ...Array.from({ length: 30 }, () => pool.submit(handler('echo')))];
    await until(() => flag[0] === 1);
    await pool.close();
    expect(jobs.every(({ state }) => state === 'cancelled')).toBe(true);
    const late = pool.submit(handler('echo'));
    expect(await failure(late)).toMatchObject({ code: 'closed' });
    expectNothingLost(pool);
    await pool.idle();
  });
});
