import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Rig } from '../rig.js';
import { mathProbe } from './math-probe.js';

const path = fileURLToPath(new URL('./math-probe.ts', import.meta.url));
const COUNT = 20_000;

/** What a kernel makes of values spread over a range, evenly or by ratio. */
function probe(name: string, from: number, to: number, options: { log?: boolean; y?: number } = {}): [x: number, result: number][] {
  const xs = Float32Array.from({ length: COUNT }, (_, i) =>
    options.log ? from * (to / from) ** (i / (COUNT - 1)) : from + ((to - from) * i) / (COUNT - 1),
  );
  const rig = new Rig(mathProbe, { path, inputs: ['x', 'y'], outputs: [name], maxFrames: COUNT });
  const results = rig
    .input('x', xs)
    .input('y', options.y ?? 0)
    .run(COUNT)
    .output(name);
  return [...xs].map((x, i) => [x, results[i]!]);
}
const largest = (errors: readonly number[]): number => errors.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), 0);
const relative = (pairs: [number, number][], f: (x: number) => number): number =>
  largest(pairs.filter(([x]) => f(x) !== 0).map(([x, y]) => Math.abs(y / f(x) - 1)));
const absolute = (pairs: [number, number][], f: (x: number) => number): number => largest(pairs.map(([x, y]) => Math.abs(y - f(x))));
/** Relative where the value is above 1, absolute below. */
const mixed = (pairs: [number, number][], f: (x: number) => number): number =>
  largest(pairs.map(([x, y]) => Math.abs(y - f(x)) / Math.max(1, Math.abs(f(x)))));

describe('largest errors, as stated in src/dsp/math.ts', () => {
  test('exp2', () => {
    expect(relative(probe('exp2', -125, 125), (x) => 2 ** x)).toBeLessThan(2.2e-7);
    expect(relative(probe('exp2', -1, 1), (x) => 2 ** x)).toBeLessThan(2.2e-7);
    for (const [x, y] of probe('exp2', -20, 20).filter(([x]) => Number.isInteger(x))) expect(y).toBe(2 ** x);
  });
  test('exp', () => expect(relative(probe('exp', -87, 87), Math.exp)).toBeLessThan(2.5e-7));
  test('log, log2, log10', () => {
    for (const [from, to] of [
      [1e-30, 1e30],
      [0.5, 2],
    ] as const) {
      expect(mixed(probe('log', from, to, { log: true }), Math.log)).toBeLessThan(1.5e-7);
      expect(mixed(probe('log2', from, to, { log: true }), Math.log2)).toBeLessThan(1.5e-7);
      expect(mixed(probe('log10', from, to, { log: true }), Math.log10)).toBeLessThan(2e-7);
    }
  });
  test('log of nothing is large and negative', () => expect(probe('log', -1, 0).every(([, y]) => y < -87 && y > -88)).toBe(true));
  test('sin and cos', () => {
    for (const range of [1, 10, 1000]) {
      expect(absolute(probe('sin', -range, range), Math.sin)).toBeLessThan(2e-7);
      expect(absolute(probe('cos', -range, range), Math.cos)).toBeLessThan(2e-7);
    }
    expect(relative(probe('sin', 1e-6, 0.1, { log: true }), Math.sin)).toBeLessThan(2e-7);
  });
  test('tan', () => {
    expect(relative(probe('tan', 1e-6, 0.49 * Math.PI, { log: true }), Math.tan)).toBeLessThan(4e-7);
    expect(relative(probe('tan', 0, 0.49 * Math.PI), Math.tan)).toBeLessThan(4e-7);
    const wide = probe('tan', -100, 100).filter(([x]) => Math.abs(Math.tan(x)) < 100 && Math.abs(Math.tan(x)) > 0.01);
    expect(relative(wide, Math.tan)).toBeLessThan(1e-5);
  });
  test('atan', () => {
    expect(relative(probe('atan', -5, 5), Math.atan)).toBeLessThan(3e-7);
    expect(relative(probe('atan', 1e-6, 1e6, { log: true }), Math.atan)).toBeLessThan(3e-7);
  });
  test('tanh', () => {
    expect(relative(probe('tanh', -12, 12), Math.tanh)).toBeLessThan(3e-7);
    expect(relative(probe('tanh', 1e-6, 1, { log: true }), Math.tanh)).toBeLessThan(3e-7);
  });
  test.each([0.5, 2.2, -1.5, 7])('pow, exponent %f', (y) => {
    const f = Math.fround(y);
    const errors = probe('pow', 1e-4, 1e4, { log: true, y }).map(
      ([x, result]) => Math.abs(result / x ** f - 1) / (2e-7 + 1.2e-7 * Math.abs(f * Math.log2(x))),
    );
    expect(largest(errors)).toBeLessThan(1);
  });
  test('no argument makes a number that is none', () => {
    for (const name of Object.keys(mathProbe.outputs))
      for (const [from, to] of [
        [-1e9, 1e9],
        [-300, 300],
      ] as const)
        expect(
          probe(name, from, to, { y: 1.7 }).some(([, y]) => Number.isNaN(y)),
          name,
        ).toBe(false);
  });
});
