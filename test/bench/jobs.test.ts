// The bench of the job pool runs, loses nothing, and its report makes sense.
import { expect, it } from 'vitest';
import * as jobs from '#bench/jobs.js';

it('measures bursts of jobs beside Piscina’s own, and round trips through shared rings', async () => {
  const { rows, notes, distributions } = await jobs.run({ quick: true });
  const [pool, peer] = rows;
  expect(pool).toMatchObject({ transport: 'job pool', lost: 0, rejected: 0 });
  expect(pool!['submitted']).toBe(pool!['received']);
  expect(Number(pool!['submitted'])).toBeGreaterThanOrEqual(25_000);
  expect(peer).toMatchObject({ transport: 'Piscina’s run', lost: 0 });
  for (const row of rows)
    for (const column of ['jobs/s', 'avg ms', 'p50 ms', 'p99 ms']) expect(Number(row[column]), column).toBeGreaterThan(0);
  expect(Number.isFinite(pool!['MB/100 jobs'])).toBe(true);
  expect(distributions!.map(({ name, samples }) => [name, samples.length])).toEqual([
    ['round trip, spinning', 1000],
    ['round trip, sleeping', 1000],
  ]);
  expect(notes.at(-1)).toMatch(/Node\.js/);
});
