import { describe, expect, test } from 'vitest';
import { vcf } from '#modules/vcf.js';
import { Rig, type RigOptions } from '../rig.js';
import { cents, partialDb, peak, pitchOf, responseDb } from './spectrum.js';

const RATE = 48_000;

function impulseResponse(output: string, params: Record<string, number>, options: RigOptions = {}, length = 1 << 16): Float64Array {
  const rig = new Rig(vcf, { params, inputs: ['in'], outputs: [output], maxFrames: length, ...options });
  // Small, so that what limits resonance stays out of it.
  rig.input('in', (frame) => (frame === 0 ? 0.01 : 0)).run(length, 64);
  const response = rig.output(output);
  return Float64Array.from(response, (x) => (x - response.at(-1)!) * 100);
}

/** |H| of the analogue prototype at the frequency that the bilinear transform, matched at the cutoff, maps to `f`. */
function idealDb(output: string, f: number, cutoff: number, resonance: number): number {
  const w = Math.tan((Math.PI * f) / RATE) / Math.tan((Math.PI * cutoff) / RATE);
  const k = 2 - 2.004 * resonance;
  const numerator = { low: 1, band: w, high: w * w, notch: Math.abs(1 - w * w) }[output]!;
  return 20 * Math.log10(numerator / Math.hypot(1 - w * w, k * w));
}

describe('response', () => {
  test.each([
    [50, 0.2],
    [1000, 0],
    [1000, 0.9],
    [1000, 0.98],
    [12_000, 0.5],
    [19_000, 0.5],
  ])('at %i Hz, resonance %f, it is that of the prototype', (cutoff, resonance) => {
    for (const output of ['low', 'band', 'high', 'notch']) {
      const response = impulseResponse(output, { cutoff, resonance });
      for (const f of [20, 45, 100, 300, 900, 1100, 3000, 8000, 15_000, 21_000]) {
        const ideal = idealDb(output, f, cutoff, resonance);
        if (ideal > -70) expect(Math.abs(responseDb(response, f, RATE) - ideal), `${output} at ${f} Hz`).toBeLessThan(0.02);
      }
    }
  });

  test('a cutoff input is an octave per volt', () => {
    const rig = new Rig(vcf, { params: { cutoff: 500 }, inputs: ['in', 'cutoff'], outputs: ['low'], maxFrames: 1 << 15 });
    rig
      .input('cutoff', 1.5)
      .input('in', (frame) => (frame === 0 ? 0.01 : 0))
      .run(1 << 15, 64);
    const response = Float64Array.from(rig.output('low'), (x) => x * 100);
    expect(Math.abs(responseDb(response, 2000, RATE) - idealDb('low', 2000, 500 * 2 ** 1.5, 0.2))).toBeLessThan(0.02);
  });
});

describe('whistle', () => {
  test.each([110, 1000, 9000])('at resonance 1 it whistles at %i Hz, in tune and not too loud', (cutoff) => {
    const length = 5 * RATE;
    const rig = new Rig(vcf, { params: { cutoff, resonance: 1 }, inputs: ['in'], outputs: ['band'], maxFrames: length });
    rig.input('in', (frame) => (frame === 0 ? 5 : 0)).run(length, 64);
    const late = rig.output('band', { from: length - (1 << 15) });
    expect(peak(late)).toBeGreaterThan(2);
    expect(peak(late)).toBeLessThan(20);
    expect(Math.abs(cents(pitchOf(late, cutoff * 1.0005, RATE), cutoff))).toBeLessThan(1);
  });
});

describe('drive', () => {
  const driven = (drive: number, volts: number): Float32Array => {
    const rig = new Rig(vcf, { params: { cutoff: 20_000, resonance: 0, drive }, inputs: ['in'], outputs: ['low'], maxFrames: 1 << 15 });
    return rig
      .input('in', (frame) => volts * Math.sin((2 * Math.PI * 750 * frame) / RATE))
      .run(1 << 15, 64)
      .output('low');
  };
  test('0 dB is clean', () => expect(partialDb(driven(0, 5), 2250, RATE)).toBeLessThan(-80));
  test('24 dB bends and stays within 9 V', () => {
    expect(partialDb(driven(24, 5), 2250, RATE)).toBeGreaterThan(-10);
    expect(peak(driven(24, 5))).toBeLessThan(9);
  });
});

test('cutoff jumping from end to end at every sample stays bounded', () => {
  const length = 1 << 16;
  const rig = new Rig(vcf, { params: { resonance: 0.99 }, inputs: ['in', 'cutoff'], maxFrames: length });
  let seed = 1;
  const random = (): number => ((seed = (Math.imul(seed, 1664525) + 1013904223) | 0), seed / 2 ** 31);
  rig
    .input('cutoff', () => 10 * random())
    .input('in', () => 5 * random())
    .run(length, 64);
  for (const output of ['low', 'band', 'high', 'notch']) expect(peak(rig.output(output)), output).toBeLessThan(200);
});

test('a decaying filter never holds denormal numbers', () => {
  const length = 20 * RATE;
  const rig = new Rig(vcf, { params: { cutoff: 800, resonance: 0.3 }, inputs: ['in'], maxFrames: length });
  rig.input('in', (frame) => (frame < 100 ? 5 : 0)).run(length, 4800);
  for (const output of ['low', 'band', 'high', 'notch'])
    for (const x of rig.output(output, { from: length - 4800 })) if (x !== 0) expect(Math.abs(x), output).toBeGreaterThan(1.2e-38);
  const floats = new Float32Array(rig.state().buffer);
  for (const x of floats.slice(16)) if (x !== 0 && Math.abs(x) < 1e-20) expect(Math.abs(x)).toBeGreaterThan(1.2e-38);
});
