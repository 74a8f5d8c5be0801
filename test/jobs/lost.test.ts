// Nothing is lost: whatever jobs do, whoever cancels, and whenever the pool is closed, all that was submitted ends, once.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { JobPool, KrellError, type Job, type JobPoolOptions } from '#src/index.js';
import { AHEAD, FIRST } from '#src/jobs/protocol.js';
import { failure, newPool } from './pool-fixture.js';

const file = new URL('./handlers/work.mjs', import.meta.url);
/** Numbers from 0 to 1 (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.each([1, 2, 3])('at random, seed %i', (seed) => {
  it.each([1, 3])('on %i threads', async (threads) => {
    const random = randomFrom(seed * 1000 + threads);
    const pool = await newPool({ threads, graceMs: 5, capacity: 200 });
    const words = new Int32Array(new SharedArrayBuffer(4));
    const jobs: Job[] = [];
    const ends = new Map<Job, number>();
    const countEnd = (job: Job): unknown => ends.set(job, (ends.get(job) ?? 0) + 1);
    const submit = (name: string, args?: unknown, options: { timeoutMs?: number; signal?: AbortSignal } = {}): void => {
      const job = pool.submit({ file, name }, args, options);
      jobs.push(job);
      job.result().then(
        () => countEnd(job),
        () => countEnd(job),
      );
    };
    let counted = 0;
    const kinds: (() => void)[] = [
      () => submit('sleep', random() * 4),
      () => submit('sleep', random() * 8, { timeoutMs: 4 }),
      () => submit('hang', undefined, { timeoutMs: 1 + random() * 10 }),
      () => submit('listens', undefined, { timeoutMs: 1 + random() * 10 }),
      () => submit('exit'),
      () => submit('fails'),
      () => submit('echo', () => 'no function can be copied'),
      () => submit('echo', new Uint8Array(random() * 1e6)),
      () => submit('echo', 1, { signal: AbortSignal.timeout(Math.floor(random() * 5)) }),
      () => {
        for (let i = 0; i < AHEAD * 2; i++) submit('count', { words }, { timeoutMs: 10_000 });
        counted += AHEAD * 2;
      },
    ];
    for (let i = 0; i < 150; i++) {
      kinds[Math.floor(random() * kinds.length)]!();
      if (random() < 0.3) jobs[Math.floor(random() * jobs.length)]!.cancel();
      if (random() < 0.3) await (random() < 0.5 ? turn() : pause(random() * 4));
      const { submitted, succeeded, failed, cancelled, waiting, running } = pool.stats();
      expect([submitted, succeeded + failed + cancelled + waiting + running]).toEqual([jobs.length, jobs.length]);
    }
    // Closed in the middle, or left to end by itself.
    await (random() < 0.5 ? pool.close() : pool.idle());
    await turn();
    const { submitted, succeeded, failed, cancelled, waiting, running } = pool.stats();
    expect({ submitted, sum: succeeded + failed + cancelled, waiting, running }).toEqual({
      submitted: jobs.length,
      sum: jobs.length,
      waiting: 0,
      running: 0,
    });
    expect(jobs.filter((job) => ends.get(job) !== 1)).toEqual([]);
    expect(words[0]).toBeLessThanOrEqual(counted);
  });
});

it('refuses the 10,001st, and no other', async () => {
  const pool = await newPool();
  const jobs = Array.from({ length: 10_001 }, () => pool.submit({ file, name: 'echo' }, 1));
  expect(await failure(jobs[10_000]!)).toMatchObject({ code: 'busy' });
  await pool.idle();
  expect(pool.stats()).toMatchObject({ submitted: 10_001, succeeded: 10_000, failed: 1, rejected: 1 });
});

it('lets the event loop turn under any flood: a turn brings no more results than its thread had jobs', async () => {
  const pool = await newPool({ threads: 1 });
  let left = 0;
  for (let i = 0; i < 5000; i++, left++)
    void pool
      .submit({ file, name: 'echo' }, i)
      .result()
      .then(() => left--);
  const turns: number[] = [];
  while (left > 0) {
    const before = left;
    await turn();
    turns.push(before - left);
  }
  expect(Math.max(...turns)).toBeLessThanOrEqual(2 * AHEAD);
});

it('counts jobs beyond 2³¹ on a thread', async () => {
  const pool = await newPool({ threads: 1 });
  const count = 2 ** 31 - FIRST + 3 * AHEAD;
  const results = Array.from({ length: count }, (_, i) => pool.submit({ file, name: 'echo' }, i).result());
  expect(await Promise.all(results)).toEqual(results.map((_, i) => i));
});

it('carries arguments and results that take long to arrive', async () => {
  const pool = await newPool({ threads: 1 });
  const bytes = new Uint8Array(60_000_000).fill(7);
  const result = await pool.submit<Uint8Array>({ file, name: 'echo' }, bytes, { timeoutMs: 60_000 }).result();
  expect([result.length, result.at(-1)]).toEqual([bytes.length, 7]);
});

it('takes no job for one out of time whose result lies ready, however late anybody looks', async () => {
  const pool = await newPool({ threads: 1 });
  await pool.submit({ file, name: 'echo' }).result();
  const job = pool.submit({ file, name: 'sleep' }, 1, { timeoutMs: 300 });
  while (job.state !== 'running') await turn();
  // The main thread is busy.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  expect(await job.result()).toBe(1);
});

it.each([
  ['a function', (() => 42) as never, 'handler', /this is no handler; give \{ file, name \}/],
  ['no file', { file: new URL('data:text/javascript,1') }, 'handler', /no handler/],
])('fails a job that is %s, and counts it', async (_, handler, code, message) => {
  const pool = await newPool({ threads: 1 });
  const error = await failure(pool.submit(handler));
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(pool.stats()).toMatchObject({ submitted: 1, failed: 1 });
});

it('refuses a time limit that is none', async () => {
  const pool = await newPool({ threads: 1 });
  for (const timeoutMs of [0, -1, NaN])
    expect(await failure(pool.submit({ file, name: 'echo' }, 1, { timeoutMs }))).toMatchObject({ code: 'option' });
});

describe('a file that cannot be loaded', () => {
  it.each([
    ['broken.mjs', 'export const a = 1;\nexport default () => 1 +;\n', /broken\.mjs:2:25: Unexpected token ';'/],
    ['broken.cjs', '\n\nmodule.exports = (;\n', /broken\.cjs:3:19: Unexpected token ';'/],
    ['importing.mjs', "import './broken.mjs';\n", /broken\.mjs:2:25: Unexpected token ';'/],
    ['throwing.mjs', "\nthrow new Error('not today');\n", /throwing\.mjs: not today/],
  ])('is named with the place: %s', async (name, text, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'krell-lost-'));
    writeFileSync(join(folder, 'broken.mjs'), 'export const a = 1;\nexport default () => 1 +;\n');
    writeFileSync(join(folder, name), text);
    const error = await failure((await newPool({ threads: 1 })).submit({ file: join(folder, name) }));
    expect(error.code).toBe('handler');
    expect(error.message).toMatch(message);
    if (name === 'throwing.mjs') expect(error.stack).toContain('throwing.mjs:2:7');
  });
});

it('says what was thrown, even what has no text', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'krell-lost-'));
  writeFileSync(join(folder, 'odd.mjs'), 'export default () => { throw Object.assign(Object.create(null), { why: 3 }); };\n');
  const pool = await newPool({ threads: 1 });
  const error = await failure(pool.submit({ file: join(folder, 'odd.mjs') }));
  expect([error.code, pool.stats().threads.restarts]).toEqual(['job', 0]);
  expect(error.message).toContain('why: 3');
});
