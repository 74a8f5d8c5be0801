// The grade of a stress test: the worst of its marks.

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';
const GRADES: readonly Grade[] = ['A', 'B', 'C', 'D', 'F'];

/** What is marked: the worst value for A, B, C and D; beyond that F. */
export interface Criterion {
  readonly what: string;
  readonly unit: string;
  readonly limits: readonly [a: number, b: number, c: number, d: number];
  /** Whether more is better. */
  readonly more?: true;
}

/** A is what Krell sets out to be; B is about what the systems it descends from reached in their own tests (B by their count). */
export const CRITERIA = {
  lost: { what: 'jobs without a result', unit: '', limits: [0, 0, 0, 0] },
  rejected: { what: 'jobs refused', unit: '', limits: [0, 0, 10, 1000] },
  failed: { what: 'jobs failed', unit: '', limits: [0, 0, 0, 10] },
  dead: { what: 'threads not alive in the end', unit: '', limits: [0, 0, 0, 1] },
  throughput: { what: 'jobs per second', unit: '/s', limits: [20_000, 5000, 1284, 500], more: true },
  latency: { what: 'job latency, p99', unit: 'ms', limits: [1000, 2830, 5000, 10_000] },
  create: { what: 'module creation, p99', unit: 'ms', limits: [2, 10, 50, 200] },
  memory: { what: 'memory growth per 100 jobs', unit: 'MB', limits: [0.05, 0.66, 2, 10] },
  underruns: { what: 'underruns', unit: '', limits: [0, 2, 20, 200] },
} as const satisfies Record<string, Criterion>;

export type Marks = { readonly [K in keyof typeof CRITERIA]: number };

function markOf({ limits, more }: Criterion, value: number): Grade {
  const place = limits.findIndex((limit) => (more ? value >= limit : value <= limit));
  return GRADES[place < 0 ? limits.length : place]!;
}

export interface Marked extends Criterion {
  readonly value: number;
  readonly grade: Grade;
}

/** Marks every criterion. A value that is no number is an F. */
export function marksOf(values: Marks): { grade: Grade; marks: Marked[] } {
  const marks = Object.entries(CRITERIA as Record<string, Criterion>).map(([key, criterion]) => {
    const value = values[key as keyof Marks];
    return { ...criterion, value, grade: markOf(criterion, value) };
  });
  const worst = Math.max(...marks.map(({ grade }) => GRADES.indexOf(grade)));
  return { grade: GRADES[worst]!, marks };
}
