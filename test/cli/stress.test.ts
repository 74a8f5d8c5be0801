// The stress grade: what it is made of, and that a short one comes out whole.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CRITERIA, marksOf, type Marks } from '#src/cli/stress/grade.js';
import { krell } from './krell.js';

const BEST = Object.fromEntries(Object.entries(CRITERIA).map(([key, { limits }]) => [key, limits[0]])) as Marks;

describe('the grade', () => {
  it('is A at the limits of A', () => {
    expect(marksOf(BEST).grade).toBe('A');
  });

  it('is the worst mark', () => {
    expect(marksOf({ ...BEST, create: 2.01 }).grade).toBe('B');
    expect(marksOf({ ...BEST, create: 2.01, underruns: 200 }).grade).toBe('D');
    expect(marksOf({ ...BEST, throughput: 19_999 }).grade).toBe('B');
    expect(marksOf({ ...BEST, throughput: 0 }).grade).toBe('F');
  });

  it('has no mercy for a lost job, nor for what is no number', () => {
    expect(marksOf({ ...BEST, lost: 1 }).grade).toBe('F');
    expect(marksOf({ ...BEST, create: NaN }).grade).toBe('F');
  });
});

describe('docs/jobs.md', () => {
  it('has the limits', () => {
    const text = readFileSync(new URL('../../docs/jobs.md', import.meta.url), 'utf8');
    for (const { what, unit, limits, ...criterion } of Object.values(CRITERIA)) {
      const sign = 'more' in criterion ? '≥' : '≤';
      const cells = limits.map((limit) => (limit === 0 ? '0' : `${sign} ${limit}`));
      const name = what.endsWith('per second') || unit === '' ? what : `${what}, ${unit}`;
      expect(text).toContain(`| ${[name, ...cells].join(' | ')} |`);
    }
  });
});

describe('krell stress', () => {
  it('reports every job and every thread', async () => {
    const { stdout } = await krell(['stress', '--seconds', '1', '--json']);
    const report = JSON.parse(stdout) as Record<string, never> & { jobs: Record<string, number>; workers: Record<string, number> };
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['grade', 'workers', 'jobs', 'throughput', 'latencyMs', 'createMs', 'memoryPer100Tasks', 'underruns']),
    );
    const { submitted, received, succeeded, failed, lost, rejected } = report.jobs as Record<string, number>;
    expect(submitted).toBeGreaterThan(250);
    expect({ received, failed, lost, rejected }).toEqual({ received: submitted, failed: 0, lost: 0, rejected: 0 });
    expect(succeeded).toBe(submitted);
    expect(report.workers['alive']).toBe(report.workers['total']);
    expect(report['createMs']).toMatchObject({ count: expect.any(Number) as number });
    expect(report['throughput']).toBeGreaterThan(0);
  });

  it('refuses a wrong length', async () => {
    const { code, stderr } = await krell(['stress', '--seconds', '0']);
    expect(code).toBe(2);
    expect(stderr).toContain('--seconds');
  });
});
