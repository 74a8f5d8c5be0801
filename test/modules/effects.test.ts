import { describe, expect, test } from 'vitest';
import { delay } from '#modules/delay.js';
import { out } from '#modules/out.js';
import { reverb } from '#modules/reverb.js';
import { Rig } from '../rig.js';
import { cents, fft, mean, partialDb, peak, pitchOf, responseDb, rms } from './spectrum.js';

const RATE = 48_000;
const impulse = (frame: number): number => (frame === 0 ? 1 : 0);

describe('delay', () => {
  const wet = (params: Record<string, number>, signal: (frame: number) => number, frames = 1 << 15): Float32Array =>
    new Rig(delay, { params: { mix: 1, feedback: 0, ...params }, inputs: ['left'], maxFrames: frames })
      .input('left', signal)
      .run(frames, 64)
      .output('left');

  test.each([1, 2, 48, 4801, 12_000])('%i samples are exactly that', (samples) => {
    const output = wet({ time: samples / RATE }, impulse);
    const wanted = new Float32Array(output.length);
    wanted[samples] = 1;
    output.forEach((x, i) => {
      if (Math.abs(x - wanted[i]!) > 1e-3) throw new Error(`frame ${i} is ${x}`);
    });
    expect(output[samples]).toBeCloseTo(1, 2);
  });
  test.each([100.5, 37.27])('%f samples delay a tone by that, without loss', (samples) => {
    const f = 1000;
    const output = wet({ time: samples / RATE }, (frame) => Math.sin((2 * Math.PI * f * frame) / RATE));
    const ideal = (frame: number): number => Math.sin((2 * Math.PI * f * (frame - Math.fround(samples / RATE) * RATE)) / RATE);
    const error = rms(output.slice(4000, 28_000).map((x, i) => x - ideal(4000 + i))) / Math.SQRT1_2;
    expect(20 * Math.log10(error)).toBeLessThan(-80);
  });
  test('its time halves per volt', () => {
    const rig = new Rig(delay, { params: { mix: 1, feedback: 0, time: 0.02 }, inputs: ['left', 'time'], maxFrames: RATE });
    rig
      .input('time', 1)
      .input('left', (frame) => (frame === 24_000 ? 1 : 0))
      .run(RATE, 64);
    const output = rig.output('left');
    expect(output.indexOf(peak(output))).toBe(24_000 + 480);
  });
  test('feedback repeats, and at full tone loses no treble', () => {
    const output = wet({ time: 0.01, feedback: 0.5, tone: 20_000 }, impulse);
    for (let n = 1; n <= 4; n++) expect(output[480 * n]).toBeCloseTo(0.5 ** (n - 1), 3);
  });
  test('tone darkens the repeats', () => {
    const output = wet({ time: 0.01, feedback: 0.9, tone: 1000 }, impulse);
    const second = output.slice(900, 1380);
    expect(responseDb(second, 6000, RATE)).toBeLessThan(responseDb(second, 200, RATE) - 12);
  });
  test('at feedback 1 it holds, and does not grow', () => {
    const output = wet({ time: 0.01, feedback: 1, tone: 20_000 }, (frame) => 8 * Math.sin(frame), 4 * RATE);
    expect(peak(output)).toBeLessThan(20.1);
    const rest = wet({ time: 0.01, feedback: 1, tone: 20_000 }, (frame) => (frame < 480 ? Math.sin(frame) : 0), 4 * RATE);
    expect(rms(rest.slice(-4800))).toBeCloseTo(rms(rest.slice(480, 960)), 2);
  });
  test('a change of time makes no click', () => {
    const rig = new Rig(delay, { params: { mix: 1, feedback: 0, time: 0.02 }, inputs: ['left'], maxFrames: RATE });
    rig.input('left', (frame) => Math.sin((2 * Math.PI * 200 * frame) / RATE)).run(24_000, 64);
    rig.set('time', 0.03, 4800).run(RATE, 64, 24_000);
    const output = rig.output('left', { from: 4000 });
    const step = output.reduce((most, x, i) => (i ? Math.max(most, Math.abs(x - output[i - 1]!)) : 0), 0);
    expect(step).toBeLessThan(0.03);
  });
  test('left plays on both sides when right is unplugged', () => {
    const rig = new Rig(delay, { inputs: ['left'], params: { mix: 0.5 }, maxFrames: 100 }).input('left', 2).run(100);
    expect(rig.output('right')).toEqual(rig.output('left'));
    expect(rig.output('left')[50]).toBe(1);
  });
  test('as a string, its loop is in tune', () => {
    // What a cable from the delay's output to its input does: one sample more.
    const frames = 1 << 16;
    const f = 440;
    const rig = new Rig(delay, { params: { mix: 1, feedback: 0, time: 1 / f - 1 / RATE }, inputs: ['left'], maxFrames: frames });
    for (let frame = 0; frame < frames; frame++) {
      const back = frame === 0 ? 0 : rig.output('left', { from: frame - 1, to: frame })[0]!;
      rig.input('left', [(frame < 50 ? Math.sin(frame) : 0) + 0.999 * back], { at: frame }).run(frame + 1, 1, frame);
    }
    expect(Math.abs(cents(pitchOf(rig.output('left', { from: frames / 2 }), f * 1.0002, RATE), f))).toBeLessThan(1);
  });
});

describe('reverb', () => {
  const response = (params: Record<string, number>, seconds = 4): [Float32Array, Float32Array] => {
    const frames = seconds * RATE;
    const rig = new Rig(reverb, { params: { mix: 1, damping: 0, predelay: 0, ...params }, inputs: ['left'], maxFrames: frames });
    rig.input('left', (frame) => 100 * impulse(frame)).run(frames, 4096);
    return [rig.output('left'), rig.output('right')];
  };
  /** Schroeder's backward integral of about an octave, and the time of its fall from −15 to −75 dB. */
  function rt60(sides: readonly Float32Array[], centre: number): number {
    const energies = sides.map((side) => octave(side, centre));
    const decay = new Float64Array(sides[0]!.length);
    let sum = 0;
    for (let i = decay.length - 1; i >= 0; i--) decay[i] = sum += energies.reduce((total, energy) => total + energy[i]!, 0);
    const at = (db: number): number => decay.findIndex((x) => 10 * Math.log10(x / decay[0]!) <= db) / RATE;
    return at(-75) - at(-15);
  }
  /** Energy over time of about an octave. */
  function octave(impulseResponse: Float32Array, centre: number): Float64Array {
    const n = 2 ** Math.ceil(Math.log2(impulseResponse.length));
    const re = new Float64Array(n);
    const im = new Float64Array(n);
    re.set(impulseResponse);
    fft(re, im);
    for (let i = 0; i < n; i++) {
      const octaves = Math.log2(Math.max(1, (Math.min(i, n - i) * RATE) / n) / centre);
      const weight = Math.exp(-0.5 * (octaves / 0.3) ** 2);
      re[i] = re[i]! * weight;
      im[i] = -im[i]! * weight; // conjugate: the next transform is the inverse
    }
    fft(re, im);
    return re.map((x) => x * x);
  }

  test.each([
    [0.6, 0.3],
    [2, 0.7],
    [2, 1],
  ])('a decay of %f s at size %f is that in every octave', (decay, size) => {
    const sides = response({ decay, size });
    for (const centre of [125, 250, 500, 1000, 2000, 4000, 8000])
      expect(Math.abs(rt60(sides, centre) / decay - 1), `${centre} Hz`).toBeLessThan(0.05);
  });
  test('damping shortens treble and leaves bass', () => {
    const sides = response({ decay: 2, damping: 0.5 });
    expect(Math.abs(rt60(sides, 125) / 2 - 1)).toBeLessThan(0.1);
    expect(rt60(sides, 8000)).toBeLessThan(1);
  });
  test('echoes are dense within 80 ms', () => {
    // Abel & Huang: the part of samples beyond one deviation, relative to that of Gaussian noise.
    const [left] = response({ decay: 2, size: 0.7 });
    const density = (at: number): number => {
      const piece = left.slice(at - 480, at + 480);
      const deviation = rms(piece);
      return piece.filter((x) => Math.abs(x) > deviation).length / piece.length / 0.3173;
    };
    expect(mean([0.08, 0.09, 0.1, 0.12].map((s) => density(s * RATE)))).toBeGreaterThan(0.9);
  });
  test('left and right are different rooms of the same loudness', () => {
    const [left, right] = response({ decay: 2 });
    expect(Math.abs(mean(left.map((x, i) => x * right[i]!)) / (rms(left) * rms(right)))).toBeLessThan(0.1);
    expect(Math.abs(20 * Math.log10(rms(left) / rms(right)))).toBeLessThan(1.5);
  });
  test('a steady sound is about as loud wet as dry', () => {
    for (const decay of [0.5, 4]) {
      const frames = 6 * RATE;
      let seed = 5;
      const noise = (): number => ((seed = (Math.imul(seed, 1664525) + 1013904223) | 0), seed / 2 ** 31);
      const rig = new Rig(reverb, { params: { mix: 1, damping: 0, decay }, inputs: ['left'], maxFrames: frames })
        .input('left', noise)
        .run(frames, 4096);
      expect(Math.abs(20 * Math.log10(rms(rig.output('left', { from: 4 * RATE })) * Math.sqrt(3)))).toBeLessThan(3);
    }
  });
  test('predelay is exact, mix 0 is dry', () => {
    const onset = (predelay: number): number => response({ predelay }, 1)[0].findIndex((x) => Math.abs(x) > 1e-3);
    expect(onset(0.1) - onset(0)).toBe(4800);
    expect(response({ mix: 0 }, 1)[0][0]).toBe(100);
  });
  test('an hour-long hall stays finite and its size can be swept', () => {
    const rig = new Rig(reverb, { params: { mix: 1, decay: 60, damping: 0 }, inputs: ['left'], maxFrames: RATE });
    rig.input('left', (frame) => 5 * Math.sin(frame * 0.05));
    for (let second = 0; second < 20; second++) rig.set('size', (second * 0.37) % 1, 240).run(RATE, 4800);
    expect(peak(rig.output('left'))).toBeLessThan(100);
    expect(Math.abs(mean(rig.output('left')))).toBeLessThan(0.5);
  });
});

describe('out', () => {
  const played = (left: (frame: number) => number, params: Record<string, number> = {}, frames = 1 << 15): Rig =>
    new Rig(out, { params, inputs: ['left'], maxFrames: frames }).input('left', left).run(frames, 64);
  const tone =
    (volts: number, f = 750) =>
    (frame: number) =>
      volts * Math.sin((2 * Math.PI * f * frame) / RATE);

  test('below −1 dBFS nothing is touched', () => {
    const output = played(tone(8.8)).output('left');
    expect(partialDb(output, 750, RATE)).toBeCloseTo(20 * Math.log10(8.8), 2);
    for (const n of [2, 3, 5]) expect(partialDb(output, 750 * n, RATE)).toBeLessThan(-80);
  });
  test.each([12, 40, 1000])('%i V never pass 0 dBFS, and stay a clean tone', (volts) => {
    const output = played(tone(volts)).output('left');
    expect(peak(output)).toBeLessThanOrEqual(10);
    expect(peak(output)).toBeGreaterThan(8.9);
    const steady = output.slice(1 << 14);
    expect(partialDb(steady, 2250, RATE)).toBeLessThan(partialDb(steady, 750, RATE) - 50);
  });
  test('a limiter that is off lets peaks pass', () => expect(peak(played(tone(14), { limiter: 0 }).output('left'))).toBeGreaterThan(13.9));
  test('what is not a number is silence, what is infinite is finite', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const rig = played((frame) => (frame === 100 ? bad : Math.sin(frame)));
      for (const side of ['left', 'right']) expect(rig.output(side).every((x) => Math.abs(x) <= 10)).toBe(true);
      expect(peak(rig.output('left', { from: 24_000 }))).toBeGreaterThan(0.9);
    }
  });
  test('a constant voltage fades away', () =>
    expect(Math.abs(played(() => 5, {}, 4 * RATE).output('left', { from: 4 * RATE - 1 })[0]!)).toBeLessThan(0.01));
  test('level is in dB, and −60 is silence', () => {
    expect(partialDb(played(tone(1), { level: -12 }).output('left'), 750, RATE)).toBeCloseTo(-12, 1);
    expect(peak(played(tone(1), { level: -60 }).output('left'))).toBe(0);
  });
  test('right follows left until it has a cable of its own', () => {
    expect(played(tone(3)).output('right')).toEqual(played(tone(3)).output('left'));
    const rig = new Rig(out, { inputs: ['left', 'right'], maxFrames: 1000 }).input('left', tone(2)).input('right', 0).run(1000);
    expect(peak(rig.output('right'))).toBe(0);
  });
});
