// Bins of costs: where the threads put a timing, control finds it again.
import { expect, it } from 'vitest';
import { binUs } from '#src/control/faults.js';
import { costBin } from '#src/realtime/cost.js';
import { COST_BINS } from '#src/shared/layout.js';

it('puts every timing into a bin whose middle is within an eighth of it', () => {
  for (let ns = 32; ns < 2e6; ns = Math.ceil(ns * 1.01))
    expect(Math.abs(binUs(costBin(ns)) * 1000 - ns) / ns, `${ns} ns`).toBeLessThan(0.13);
});

it('has a bin for whatever comes', () => {
  const timings = [0, 1, 31, 32, 1000, 2_097_151, 2_097_152, 2e9];
  const bins = timings.map(costBin);
  expect(bins).toEqual([...bins].sort((a, b) => a - b));
  expect(bins[0]).toBe(0);
  expect(bins.at(-1)).toBe(COST_BINS - 1);
});
