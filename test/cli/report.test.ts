// How measurements are shown.
import { describe, expect, it } from 'vitest';
import { histogramLine, histogramOf } from '#src/cli/histogram.js';
import { reportMarkdown, reportPage } from '#src/cli/report-page.js';

const distribution = { name: 'a & b', unit: 'ms', samples: [1, 1, 1, 2, 3] };

describe('a histogram', () => {
  it('counts every sample once', () => {
    const samples = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
    const { low, high, counts } = histogramOf(samples, 10);
    expect([low, high]).toEqual([0, 995]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10);
  });

  it('puts all of one value into one bin, and takes none for none', () => {
    expect(histogramOf([4, 4, 4], 3).counts).toEqual([3, 0, 0]);
    expect(histogramOf([], 2).counts).toEqual([0, 0]);
  });

  it('is one line of bars', () => {
    expect(histogramLine(distribution, 8, 4)).toBe('a & b          1 █ ▃▃ 3 ms');
  });
});

describe('a report', () => {
  const report = {
    title: 'T <1>',
    rows: [
      { what: 'x|y', ms: 1 },
      { what: 'z', extra: 2 },
    ],
    notes: ['n'],
    distributions: [distribution],
  };

  it('is a page that escapes what it is given', () => {
    const page = reportPage([report]);
    expect(page).toContain('<h1>T &#60;1&#62;</h1>');
    expect(page).toContain('a &#38; b, 5 times');
    expect(page.match(/<rect /g)).toHaveLength(3);
    expect(page).not.toMatch(/NaN|undefined|<script/);
  });

  it('is a Markdown table', () => {
    expect(reportMarkdown(report).split('\n')).toEqual([
      '## T <1>',
      '',
      '| what | ms | extra |',
      '| --- | --- | --- |',
      '| x\\|y | 1 |  |',
      '| z |  | 2 |',
      '',
      'n  ',
      '',
    ]);
  });
});
