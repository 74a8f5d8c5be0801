import { describe, expect, test } from 'vitest';
import { clock } from '#modules/clock.js';
import { quantizer } from '#modules/quantizer.js';
import { sequencer } from '#modules/sequencer.js';
import { Rig } from '../rig.js';

const RATE = 48_000;
const choiceOf = (definition: typeof clock, param: string, label: string): number => {
  const spec = definition.params[param]!;
  return spec.kind === 'enum' ? spec.values.indexOf(label) : NaN;
};
/** Frames at which a gate rises. */
const rises = (out: Float32Array): number[] => [...out.keys()].filter((i) => out[i]! > 1 && (i === 0 || out[i - 1]! <= 1));
const falls = (out: Float32Array): number[] => [...out.keys()].filter((i) => i > 0 && out[i]! <= 1 && out[i - 1]! > 1);

describe('clock', () => {
  const ticks = (params: Record<string, number>, seconds = 4): Float32Array => {
    const frames = seconds * RATE;
    return new Rig(clock, { params, maxFrames: frames }).run(frames, 64).output('out');
  };

  test('pulses at the tempo, high for half the period', () => {
    const out = ticks({ tempo: 120 });
    expect(rises(out)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => n * 24_000));
    expect(falls(out)[3]).toBe(3 * 24_000 + 12_000);
  });
  test.each([
    ['1/1', 96_000],
    ['1/8', 12_000],
    ['1/8T', 8000],
    ['1/8D', 18_000],
    ['1/16', 6000],
    ['1/32', 3000],
  ])('%s at 120 is %i frames', (division, period) => {
    const out = ticks({ tempo: 120, division: choiceOf(clock, 'division', division) }, 5);
    expect(rises(out).slice(0, 3)).toEqual([0, period, 2 * period]);
  });
  test.each([
    [3600, 127.3],
    [300, 93.7],
    [300, 61.001],
    [300, 240.5],
  ])('%i s at %f BPM end on their sample', (seconds, tempo) => {
    // Sixteenths, a second at a time; every pulse is where it should be.
    const period = (60 / (Math.fround(tempo) * 4)) * RATE;
    const rig = new Rig(clock, { params: { tempo, division: choiceOf(clock, 'division', '1/16') }, maxFrames: RATE });
    let count = 0;
    let high = false;
    for (let second = 0; second < seconds; second++) {
      rig.run(RATE, RATE);
      const samples = rig.output('out');
      for (let i = 0; i < RATE; i++) {
        const now = samples[i]! > 1;
        if (now && !high) {
          const frame = second * RATE + i;
          if (Math.abs(frame - Math.ceil(count * period - 1e-6)) > 1) throw new Error(`pulse ${count} at ${frame}, not ${count * period}`);
          count++;
        }
        high = now;
      }
    }
    expect(count).toBe(Math.ceil((seconds * RATE) / period));
  });
  test('swing delays every other pulse', () => {
    const out = ticks({ tempo: 120, swing: 2 / 3 });
    expect(rises(out).slice(0, 4)).toEqual([0, 32_000, 48_000, 80_000]);
    expect(rises(ticks({ tempo: 120, swing: 1 })).slice(0, 4)).toEqual([0, 36_000, 48_000, 84_000]);
  });
  test('stands still while run is low; reset begins again', () => {
    const rig = new Rig(clock, { inputs: ['run', 'reset'], params: { tempo: 120 }, maxFrames: 4 * RATE });
    rig
      .input('run', (frame) => (frame >= 30_000 && frame < 50_000 ? 0 : 10))
      .input('reset', (frame) => (frame >= 100_000 && frame < 100_048 ? 10 : 0));
    const out = rig.run(4 * RATE, 64).output('out');
    expect(out.slice(30_000, 50_000).every((x) => x === 0)).toBe(true);
    // 24000, resumed at 50000 with 18000 to go, and again from the reset on.
    expect(rises(out)).toEqual(
      [0, 24_000, 50_000, 68_000, 92_000, ...[0, 1, 2, 3].map((n) => 100_000 + n * 24_000)].filter(
        (f, i, all) => all.indexOf(f) === i && !(f === 100_000 && out[99_999]! > 1),
      ),
    );
  });
});

describe('sequencer', () => {
  const CLOCK = 1000;
  const run = (params: Record<string, number>, options: { reset?: (frame: number) => number; frames?: number } = {}): Rig => {
    const { reset, frames = 12_000 } = options;
    const rig = new Rig(sequencer, {
      inputs: reset ? ['clock', 'reset'] : ['clock'],
      params: { ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`step${i + 1}`, (i + 1) / 4])), ...params },
      maxFrames: frames,
    });
    rig.input('clock', (frame) => (frame >= CLOCK && frame % CLOCK < 480 ? 10 : 0));
    if (reset) rig.input('reset', reset);
    return rig.run(frames, 64);
  };
  const steps = (rig: Rig, frames: number[]): number[] => frames.map((frame) => rig.output('pitch')[frame]! * 4);

  test('the first clock plays step 1, the last step goes back to it', () => {
    const rig = run({ length: 3 });
    expect(steps(rig, [1000, 2500, 3999, 4000, 5000, 6000, 7000])).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect(
      rig
        .output('gate')
        .slice(0, 1000)
        .every((x) => x === 0),
    ).toBe(true);
    expect(rises(rig.output('gate'))[0]).toBe(1000);
  });
  test('gates last their part of the clock, steps without a gate none', () => {
    const gate = run({ length: 4, gate3: 0, gateLength: 0.25 }).output('gate');
    expect(rises(gate).slice(0, 4)).toEqual([1000, 2000, 4000, 5000]);
    // The first lasts as long as the clock: how long a step will be is not known yet.
    expect(falls(gate).slice(0, 3)).toEqual([1480, 2250, 4250]);
  });
  test('at gate length 1, gates join', () => {
    expect(falls(run({ length: 4, gateLength: 1 }).output('gate'))).toEqual([1480]);
  });
  test('all sixteen steps are played', () => {
    const rig = run({}, { frames: 18_000 });
    expect(
      steps(
        rig,
        Array.from({ length: 17 }, (_, i) => 1500 + i * 1000),
      ),
    ).toEqual([...Array.from({ length: 16 }, (_, i) => i + 1), 1]);
  });
  test.each([
    ['before', -300],
    ['with', 0],
    ['just after', 20],
  ])('a reset %s a clock makes that clock play step 1', (_, offset) => {
    const at = 4000 + offset;
    const rig = run({}, { reset: (frame) => (frame >= at && frame < at + 48 ? 10 : 0) });
    expect(steps(rig, [3500, 4500, 5500])).toEqual([3, 1, 2]);
  });
});

describe('quantizer', () => {
  const notes = (scale: string, root: string, semitones: readonly number[]): number[] => {
    const params = { scale: choiceOf(quantizer, 'scale', scale), root: choiceOf(quantizer, 'root', root) };
    const rig = new Rig(quantizer, { inputs: ['in'], params, maxFrames: semitones.length });
    const out = rig
      .input(
        'in',
        semitones.map((x) => x / 12),
      )
      .run(semitones.length)
      .output('out');
    return [...out].map((x) => Math.round(x * 12 * 1e4) / 1e4);
  };

  test('goes to the nearest note, in every octave', () => {
    expect(notes('major', 'C', [0.2, 0.9, 1.1, 3.2, 4.4, 5.6, 11.7, -1.2, -24.3, 37.9])).toEqual([0, 0, 2, 4, 4, 5, 12, -1, -24, 38]);
    expect(notes('chromatic', 'C', [0.4, 0.61, -0.61, 7])).toEqual([0, 1, -1, 7]);
    expect(notes('octaves', 'C', [5.8, 6.2, -7])).toEqual([0, 12, -12]);
    expect(notes('pentatonicMinor', 'C', [1.4, 1.7, 8.4, 8.7, 11.2])).toEqual([0, 3, 7, 10, 12]);
  });
  test('the root moves the scale', () => {
    expect(notes('major', 'D', [0.9, 3.2, 6.1, 13])).toEqual([1, 4, 6, 13]);
    expect(notes('octaves', 'A', [0, 4, -9])).toEqual([-3, 9, -3]);
  });
  test('noise at a border does not chatter', () => {
    const out = notes(
      'chromatic',
      'C',
      Array.from({ length: 1000 }, (_, i) => 0.5 + 0.09 * Math.sin(i * 1.7)),
    );
    expect(new Set(out.slice(1)).size).toBe(1);
  });
  test('a new note makes a trigger of 1 ms, the same note none', () => {
    const rig = new Rig(quantizer, { inputs: ['in'], maxFrames: 4800 });
    const trigger = rig
      .input('in', (frame) => (frame < 1000 ? 0.01 : frame < 3000 ? 0.4 : 0.42))
      .run(4800, 64)
      .output('trigger');
    expect(rises(trigger)).toEqual([1000]);
    expect(falls(trigger)).toEqual([1048]);
  });
});
