// What a bench answers with, and the few statistics that all of them need.
import { availableParallelism, cpus } from 'node:os';

export interface Report {
  readonly title: string;
  readonly rows: Record<string, string | number>[];
  readonly notes: string[];
  /** What the rows sum up, to be drawn. */
  readonly distributions?: readonly Distribution[];
}

/** All measurements of one thing. */
export interface Distribution {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

export interface BenchOptions {
  /** A few seconds and rough numbers: enough to see that it works. */
  readonly quick: boolean;
}

/** The value below which `share` (0..1) of the samples lie; of few samples, the nearest one. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median distance from the median: how far to trust it. */
export const deviation = (samples: readonly number[]): number => {
  const middle = median(samples);
  return median(samples.map((sample) => Math.abs(sample - middle)));
};

/** What a distribution comes to. Jitter: how far the slowest hundredth is from the median. */
export function distributionRow({ name, unit, samples }: Distribution): Record<string, string | number> {
  const at = (share: number): number => rounded(quantile(samples, share));
  const [p50, p99] = [quantile(samples, 0.5), quantile(samples, 0.99)];
  return {
    what: name,
    unit,
    count: samples.length,
    min: at(0),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    'p99.9': at(0.999),
    max: at(1),
    jitter: rounded(p99 - p50),
  };
}

/** `digits` significant ones. */
export const rounded = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** Where and when: numbers of one machine say nothing of another. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
  `Node.js ${process.versions.node} on ${process.platform} ${process.arch}, ${new Date().toISOString().slice(0, 10)}`;

/** For reports with stalls. */
export const STALLS_NOTE =
  'Stalls: the audio host itself, with nothing to compute, was woken a period late or more: the machine’s doing, usual on virtual ones, where even a C program with locked memory and real-time priority sees gaps of 40 to 70 ms.';
