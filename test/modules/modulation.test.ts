import { describe, expect, test } from 'vitest';
import { attenuverter } from '#modules/attenuverter.js';
import { lfo } from '#modules/lfo.js';
import { mixer } from '#modules/mixer.js';
import { noise } from '#modules/noise.js';
import { samplehold } from '#modules/samplehold.js';
import { vca } from '#modules/vca.js';
import { Rig } from '../rig.js';
import { mean, peak, rms, slopeDbPerOctave } from './spectrum.js';

const RATE = 48_000;

describe('vca', () => {
  const gainDb = (volts: number, params: Record<string, number> = {}): number => {
    const rig = new Rig(vca, { inputs: ['in', 'cv'], params, maxFrames: 64 });
    return 20 * Math.log10(rig.input('in', 1).input('cv', volts).run(64).output('out')[10]!);
  };
  test('linear: gain is cv / 10, held within 0 and 1', () => {
    expect(gainDb(10)).toBeCloseTo(0, 5);
    expect(gainDb(5)).toBeCloseTo(20 * Math.log10(0.5), 4);
    expect(gainDb(0)).toBe(-Infinity);
    expect(gainDb(-3)).toBe(-Infinity);
    expect(gainDb(12)).toBeCloseTo(0, 5);
  });
  test('exponential: 60 dB, and silence at 0 V', () => {
    expect(gainDb(10, { response: 1 })).toBeCloseTo(0, 4);
    expect(gainDb(0, { response: 1 })).toBe(-Infinity);
    for (const volts of [1, 2.5, 5, 7.5]) {
      const ideal = 20 * Math.log10((1000 ** (volts / 10) - 1) / 999);
      expect(Math.abs(gainDb(volts, { response: 1 }) - ideal), `${volts} V`).toBeLessThan(0.01);
    }
  });
  test('without a cable in cv, level is the gain', () => {
    const rig = new Rig(vca, { inputs: ['in'], params: { level: 0.25 }, maxFrames: 64 }).input('in', 4).run(64);
    expect(rig.output('out')[5]).toBe(1);
  });
});

describe('lfo', () => {
  const run = (params: Record<string, number>, frames = RATE): Rig =>
    new Rig(lfo, { params, inputs: ['reset'], maxFrames: frames }).input('reset', 0).run(frames, 64);

  test('waves are in phase, ±5 V and without offset', () => {
    const rig = run({ rate: 4 });
    for (const [wave, eighth] of [
      ['sine', 5 * Math.SQRT1_2],
      ['triangle', 2.5],
      ['saw', -3.75],
      ['pulse', 5],
    ] as const) {
      const out = rig.output(wave);
      expect(out[1499], wave).toBeCloseTo(eighth, 2);
      expect(Math.abs(mean(out)), wave).toBeLessThan(0.01);
      expect(peak(out), wave).toBeCloseTo(5, 2);
    }
  });
  test('a hundred cycles of 1 Hz are in time within a millisecond', () => {
    const rig = new Rig(lfo, { params: { rate: 1 }, outputs: ['pulse'], maxFrames: RATE });
    for (let second = 0; second < 100; second++) rig.run(RATE, 4800);
    const out = rig.output('pulse');
    const fall = out.findIndex((x, i) => x < 0 && (out[i - 1] ?? -5) > 0);
    expect(Math.abs(fall - RATE / 2)).toBeLessThan(48);
  });
  test('reset starts the cycle at `phase`', () => {
    const rig = new Rig(lfo, { params: { rate: 3, phase: 0.25 }, inputs: ['reset'], maxFrames: 8000 });
    rig.input('reset', (frame) => (frame >= 5000 && frame < 5048 ? 10 : 0)).run(8000, 64);
    expect(rig.output('sine')[5000]).toBeCloseTo(5, 4);
    expect(rig.output('sine')[4999]).toBeLessThan(4.9);
  });
  test('rate is an octave per volt', () => {
    const rig = new Rig(lfo, { params: { rate: 1 }, inputs: ['rate'], outputs: ['pulse'], maxFrames: RATE }).input('rate', 3).run(RATE, 64);
    const out = rig.output('pulse');
    expect(out.filter((x, i) => x > 0 && (out[i - 1] ?? -5) < 0)).toHaveLength(8);
  });
});

describe('noise', () => {
  const rig = new Rig(noise, { maxFrames: 1 << 20, seed: 7 }).run(1 << 20, 4096);
  test.each([
    ['white', 0],
    ['pink', -3.01],
    ['brown', -6.02],
  ])('%s falls by %f dB per octave', (colour, slope) => {
    expect(slopeDbPerOctave(rig.output(colour), 100, 16_000, RATE)).toBeCloseTo(slope, 0.7);
  });
  test('pink holds its slope down to 20 Hz', () => {
    expect(slopeDbPerOctave(rig.output('pink'), 20, 800, RATE, 1 << 16)).toBeCloseTo(-3.01, 0.5);
  });
  test('all are as loud as white, and none wanders off', () => {
    for (const colour of ['white', 'pink', 'brown']) {
      expect(rms(rig.output(colour)) / (5 / Math.sqrt(3)), colour).toBeCloseTo(1, 0.7);
      expect(Math.abs(mean(rig.output(colour))), colour).toBeLessThan(0.15);
    }
  });
  test('voices differ, equal seeds do not', () => {
    const two = (seed: number): Rig => new Rig(noise, { voices: 2, seed, outputs: ['white'], maxFrames: 1000 }).run(1000, 50);
    const correlation = (a: Float32Array, b: Float32Array): number => mean(a.map((x, i) => x * b[i]!)) / (rms(a) * rms(b));
    const voices = [0, 1].map((voice) => two(3).output('white', { voice })) as [Float32Array, Float32Array];
    expect(Math.abs(correlation(...voices))).toBeLessThan(0.15);
    expect(two(3).output('white')).toEqual(voices[0]);
    expect(two(4).output('white')).not.toEqual(voices[0]);
  });
});

describe('utilities', () => {
  test('mixer adds what is plugged, by its levels', () => {
    const rig = new Rig(mixer, { inputs: ['in1', 'in3', 'in8'], params: { level1: 0.5, level3: 1, level8: 0.25 }, maxFrames: 64 });
    rig.input('in1', 2).input('in3', 3).input('in8', -4).run(64);
    expect(rig.output('out')[9]).toBe(1 + 3 - 1);
  });
  test('attenuverter turns over and shifts', () => {
    const rig = new Rig(attenuverter, { inputs: ['in'], params: { amount: -0.5, offset: 2 }, maxFrames: 64 }).input('in', 3).run(64);
    expect(rig.output('out')[9]).toBe(0.5);
    expect(new Rig(attenuverter, { params: { offset: -7 }, maxFrames: 64 }).run(64).output('out')[9]).toBe(-7);
  });
  test('sample and hold takes the voltage of the frame in which the trigger rises', () => {
    const rig = new Rig(samplehold, { inputs: ['in', 'trigger'], maxFrames: 400 });
    rig
      .input('in', (frame) => frame / 100)
      .input('trigger', (frame) => (frame % 100 >= 50 ? 10 : 0))
      .run(400, 64);
    const out = rig.output('out');
    expect([out[49], out[50], out[149], out[150], out[399]].map((x) => Math.fround(x!))).toEqual([0, 0.5, 0.5, 1.5, 3.5].map(Math.fround));
  });
  test('sample and hold without a cable takes noise', () => {
    const rig = new Rig(samplehold, { inputs: ['trigger'], maxFrames: 6400 });
    const out = rig
      .input('trigger', (frame) => (frame % 64 >= 32 ? 10 : 0))
      .run(6400)
      .output('out');
    expect(new Set(out).size).toBeGreaterThan(95);
    expect(peak(out)).toBeLessThanOrEqual(5);
    expect(peak(out)).toBeGreaterThan(4);
  });
});
