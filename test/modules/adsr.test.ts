import { describe, expect, test } from 'vitest';
import { adsr } from '#modules/adsr.js';
import { Rig } from '../rig.js';

const RATE = 48_000;

interface Play {
  params: Record<string, number>;
  /** Gate, in volts. */
  gate: (frame: number) => number;
  retrigger?: (frame: number) => number;
  frames: number;
}
function envelope({ params, gate, retrigger, frames }: Play): Float32Array {
  const rig = new Rig(adsr, { params, inputs: retrigger ? ['gate', 'retrigger'] : ['gate'], maxFrames: frames });
  rig.input('gate', gate);
  if (retrigger) rig.input('retrigger', retrigger);
  return rig.run(frames, 64).output('env');
}
const first = (env: Float32Array, from: number, holds: (x: number) => boolean): number => env.findIndex((x, i) => i >= from && holds(x));
const largestStep = (env: Float32Array): number => env.reduce((most, x, i) => (i ? Math.max(most, Math.abs(x - env[i - 1]!)) : 0), 0);

describe('stages end on their sample', () => {
  test.each([
    [0.001, 0.01, 0.003],
    [0.05, 0.2, 0.3],
    [1.7, 2.3, 1.1],
    [9.3, 7, 12],
  ])('attack %f s, decay %f s, release %f s', (attack, decay, release) => {
    const [a, d, r] = [attack, decay, release].map((s) => Math.round(s * RATE)) as [number, number, number];
    const start = 100;
    const end = start + a + d + 50;
    const env = envelope({
      params: { attack, decay, sustain: 0.4, release },
      gate: (frame) => (frame >= start && frame < end ? 10 : 0),
      frames: end + r + 50,
    });
    expect(env[start]).toBeCloseTo(0, 5);
    expect(first(env, 0, (x) => x > 1e-5)).toBe(start + 1);
    expect(first(env, start, (x) => x > 10 - 2e-6)).toBe(start + a);
    expect(env[start + a - 1]).toBeLessThan(10 - 2e-6);
    expect(env[start + a]).toBeCloseTo(10, 5);
    expect(first(env, start + a, (x) => x < 10 - 2e-6)).toBe(start + a + 1);
    expect(first(env, start + a, (x) => x < 4 + 2e-6)).toBeGreaterThan(start + a + d - 1 - d * 1e-4);
    expect(env[start + a + d]).toBeCloseTo(4, 5);
    expect(env[end]).toBeCloseTo(4, 5);
    expect(env[end + r - 1]).toBeGreaterThan(0);
    expect(env[end + r]).toBe(0);
    expect(env[end + r + 40]).toBe(0);
  });
});

test('attack rises as a capacitor towards 12.16 V, release falls by 60 dB', () => {
  const env = envelope({
    params: { attack: 0.1, decay: 0.1, sustain: 1, release: 0.5 },
    gate: (frame) => (frame < 12_000 ? 10 : 0),
    frames: 40_000,
  });
  const top = 10 / (1 - 1000 ** -0.25);
  for (const part of [0.1, 0.5, 0.9]) {
    expect(env[4800 * part]).toBeCloseTo(top * (1 - 1000 ** (-0.25 * part)), 1);
    const ideal = (10 * (1000 ** (1 - part) - 1)) / 999;
    expect(Math.abs(20 * Math.log10(env[12_000 + 24_000 * part]! / ideal))).toBeLessThan(0.01);
  }
});

test('a retrigger starts from where the envelope stands, without a step', () => {
  const env = envelope({
    params: { attack: 0.02, decay: 0.1, sustain: 0.3, release: 0.2 },
    gate: () => 10,
    retrigger: (frame) => (frame > 5000 && frame < 5050 ? 10 : 0),
    frames: 8000,
  });
  expect(first(env, 5001, (x) => x > 10 - 2e-6)).toBe(5001 + 960);
  expect(largestStep(env)).toBeLessThan(0.03);
});

test('a gate that returns during release, and knobs that turn meanwhile, make no step', () => {
  const rig = new Rig(adsr, { params: { attack: 0.05, decay: 0.1, sustain: 0.5, release: 0.3 }, inputs: ['gate'], maxFrames: 20_000 });
  rig.input('gate', (frame) => (frame % 6000 < 3500 ? 10 : 0));
  for (let frame = 0; frame < 20_000; frame += 1000) {
    rig
      .set('sustain', (frame % 3000) / 3000, 240)
      .set('decay', 0.02 + (frame % 7000) / 7000, 240)
      .set('release', 0.01 + (frame % 5000) / 9000, 240);
    rig.run(frame + 1000, 50, frame);
  }
  expect(largestStep(rig.output('env'))).toBeLessThan(0.12);
});

test('sustain follows its knob', () => {
  const rig = new Rig(adsr, { params: { attack: 0.01, decay: 0.01, sustain: 0.5 }, inputs: ['gate'], maxFrames: 6000 }).input('gate', 10);
  rig.run(3000, 64).set('sustain', 0.8, 240).run(6000, 64, 3000);
  expect(rig.output('env')[2900]).toBeCloseTo(5, 5);
  expect(rig.output('env')[5900]).toBeCloseTo(8, 5);
});

test('a gate counts from 1 V, until 0.1 V', () => {
  const env = envelope({
    params: { attack: 0.001, release: 0.001, sustain: 1, decay: 0.001 },
    gate: (frame) => (frame < 500 ? 0.9 : frame < 1000 ? 1.1 : frame < 1500 ? 0.2 : 0.05),
    frames: 2000,
  });
  expect([env[499], env[1400], env[1900]]).toEqual([0, expect.closeTo(10, 4), 0]);
});
