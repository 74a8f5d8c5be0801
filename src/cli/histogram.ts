// Distributions for people: as bars in the terminal, as plots in a page.

export interface Distribution {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
}

export interface Histogram {
  readonly low: number;
  readonly high: number;
  /** How many samples fell into each of equal parts of the range from low to high. */
  readonly counts: readonly number[];
}

/** The share of samples that a plot shows; the slowest few would squeeze the rest. They are in the last bin. */
const SHOWN = 0.995;
const BARS = '▁▂▃▄▅▆▇█';

/** Counts samples in `bins` equal parts between the smallest and the one at SHOWN; what is larger falls into the last. */
export function histogramOf(samples: readonly number[], bins: number): Histogram {
  const sorted = [...samples].sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const high = sorted[Math.min(sorted.length - 1, Math.floor(SHOWN * sorted.length))] ?? 0;
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins || 1;
  for (const sample of sorted) counts[Math.min(bins - 1, Math.floor((sample - low) / width))]!++;
  return { low, high, counts };
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));

/** One line: `1.2 ▂█▅▁▁ 4.4 ms`, with a name before it as wide as `width`. */
export function histogramLine({ name, unit, samples }: Distribution, width: number, bins = 48): string {
  const { low, high, counts } = histogramOf(samples, bins);
  const most = Math.max(1, ...counts);
  const bars = counts.map((count) => (count === 0 ? ' ' : BARS[Math.min(BARS.length - 1, Math.floor((count / most) * BARS.length))]));
  return `${name.padEnd(width)}  ${digits(low).padStart(6)} ${bars.join('')} ${digits(high)} ${unit}`;
}

/** All of them, a line each. */
export function histogramText(distributions: readonly Distribution[]): string {
  const width = Math.max(...distributions.map(({ name }) => name.length));
  return distributions.map((distribution) => histogramLine(distribution, width)).join('\n');
}
