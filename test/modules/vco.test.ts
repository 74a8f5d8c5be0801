import { describe, expect, test } from 'vitest';
import { vco } from '#modules/vco.js';
import { Rig } from '../rig.js';
import { aliasDb, cents, mean, partialDb, peak, pitchOf } from './spectrum.js';

const RATE = 48_000;
const LENGTH = 1 << 16;

function tone(wave: string, freq: number, options: { params?: Record<string, number>; sync?: number } = {}): Float32Array {
  const { params = {}, sync } = options;
  const rig = new Rig(vco, {
    params: { freq, ...params },
    inputs: sync === undefined ? [] : ['sync'],
    outputs: [wave],
    maxFrames: LENGTH + 4096,
  });
  if (sync !== undefined) rig.input('sync', (frame) => 5 * Math.sin((2 * Math.PI * sync * frame) / RATE));
  return rig.run(LENGTH + 4096, 64).output(wave, { from: 4096 });
}

describe('alias below 16 kHz', () => {
  test.each([
    ['saw', 997, -72],
    ['saw', 4999, -62],
    ['pulse', 997, -72],
    ['pulse', 4999, -60],
    ['triangle', 997, -90],
    ['triangle', 4999, -76],
    ['sine', 997, -120],
    ['sine', 4999, -120],
  ])('%s at %i Hz is below %i dB', (wave, freq, limit) => {
    expect(aliasDb(tone(wave, freq), freq, RATE)).toBeLessThan(limit);
  });

  test.each([
    ['saw', -58],
    ['pulse', -58],
    ['triangle', -60],
    ['sine', -54],
  ])('a synced %s, 2 kHz by 3.3, is below %i dB', (wave, limit) => {
    const master = 1999;
    expect(aliasDb(tone(wave, master * 3.3, { sync: master }), master, RATE)).toBeLessThan(limit);
  });
});

describe('partials', () => {
  test('those of the saw are those of a saw, within 0.5 dB to 12 kHz and 1.5 dB to 15 kHz', () => {
    const saw = tone('saw', 997);
    for (let n = 1; n <= 15; n++) {
      const ideal = 20 * Math.log10(10 / (Math.PI * n));
      expect(Math.abs(partialDb(saw, 997 * n, RATE) - ideal), `partial ${n}`).toBeLessThan(n <= 12 ? 0.5 : 1.5);
    }
  });

  test('a quarter pulse lacks its fourth partial', () => {
    const pulse = tone('pulse', 500, { params: { pulseWidth: 0.25 } });
    expect(partialDb(pulse, 2000, RATE)).toBeLessThan(partialDb(pulse, 1500, RATE) - 60);
    expect(mean(pulse)).toBeCloseTo(-2.5, 2);
  });

  test('all waves are in phase and at their level', () => {
    const rig = new Rig(vco, { params: { freq: 100 }, maxFrames: 4800 }).run(4800, 64);
    for (const wave of ['sine', 'triangle', 'saw', 'pulse']) {
      const out = rig.output(wave);
      expect(peak(out), wave).toBeGreaterThan(4.9);
      expect(peak(out), wave).toBeLessThan(5.7);
      expect(out[60], wave).toBeGreaterThan(1.2); // an eighth of a cycle in
      expect(Math.abs(mean(out)), wave).toBeLessThan(0.02);
    }
  });
});

describe('pitch', () => {
  test.each([20, 440, 7040])('%i Hz is in tune', (freq) => {
    expect(Math.abs(cents(pitchOf(tone('sine', freq), freq * 1.0001, RATE), freq))).toBeLessThan(0.01);
  });

  test.each([-3, -0.7, 0.31, 1, 4.5])('%f V is in tune', (volts) => {
    const rig = new Rig(vco, { inputs: ['pitch'], outputs: ['sine'], maxFrames: LENGTH }).input('pitch', volts).run(LENGTH, 64);
    const wanted = 261.6256 * 2 ** volts;
    expect(Math.abs(cents(pitchOf(rig.output('sine'), wanted * 1.0001, RATE), wanted))).toBeLessThan(0.02);
  });

  test('linear FM leaves the carrier where it is, through zero', () => {
    const rig = new Rig(vco, { inputs: ['fm'], outputs: ['sine'], params: { freq: 1000, fmAmount: 1 }, maxFrames: LENGTH });
    rig.input('fm', (frame) => 3 * Math.sin((2 * Math.PI * 1000 * frame) / RATE)).run(LENGTH, 64);
    expect(aliasDb(rig.output('sine'), 1000, RATE)).toBeLessThan(-80);
    expect(partialDb(rig.output('sine'), 2000, RATE)).toBeGreaterThan(-12);
  });
});

test('voices have their own frequencies', () => {
  const freq = [100, 200, 300, 400, 500];
  const rig = new Rig(vco, { voices: 5, params: { freq }, outputs: ['sine'], maxFrames: LENGTH }).run(LENGTH, 64);
  freq.forEach((f, voice) => expect(Math.abs(cents(pitchOf(rig.output('sine', { voice }), f * 1.0001, RATE), f))).toBeLessThan(0.05));
});
