// What hands move: gates, triggers, values and pads.
import { describe, expect, test } from 'vitest';
import { gate } from '#modules/gate.js';
import { trigger } from '#modules/trigger.js';
import { value } from '#modules/value.js';
import { xy } from '#modules/xy.js';
import { Rig } from '../rig.js';
import { falls, rises } from './keyboard.js';

test('a gate is 0 or 10 V, voice by voice', () => {
  const rig = new Rig(gate, { voices: 3, params: { gate: [1, 0, 1] }, maxFrames: 200 }).run(100);
  expect([0, 1, 2].map((voice) => rig.output('out', { voice })[50])).toEqual([10, 0, 10]);
  rig.set('gate', 0).run(200, 100, 100);
  expect(rig.output('out', { voice: 0 }).indexOf(0)).toBe(100);
});

describe('trigger', () => {
  const counted = (counts: [frame: number, count: number][], sampleRate = 48_000): Float32Array => {
    const rig = new Rig(trigger, { maxFrames: 4000, sampleRate });
    let frame = 0;
    for (const [at, count] of counts) {
      rig.run(at, 64, frame).set('count', count);
      frame = at;
    }
    return rig.run(4000, 64, frame).output('out');
  };
  test('is 1 ms at any sample rate', () => {
    for (const sampleRate of [44_100, 48_000, 96_000]) {
      const out = counted([[100, 1]], sampleRate);
      expect(rises(out)).toEqual([100]);
      expect(falls(out)).toEqual([100 + Math.round(sampleRate / 1000)]);
    }
  });
  test('begins anew, after a sample’s rest, when the next comes before its end', () => {
    for (const gap of [1, 2, 24, 48]) {
      const out = counted([
        [100, 1],
        [100 + gap, 2],
      ]);
      expect([rises(out), falls(out)], `gap ${gap}`).toEqual([
        [100, 101 + gap],
        [100 + gap, 149 + gap],
      ]);
    }
    expect(
      rises(
        counted([
          [100, 1],
          [149, 2],
        ]),
      ),
    ).toEqual([100, 149]);
  });
  test('as many as came at once are given', () => {
    expect(rises(counted([[100, 64]]))).toHaveLength(64);
    expect(rises(counted([[100, 65]]))).toHaveLength(1);
  });
  test('a patch that begins with a count begins with that many', () => {
    expect(rises(new Rig(trigger, { params: { count: 2 }, maxFrames: 200 }).run(200).output('out'))).toEqual([0, 2]);
  });
});

describe.each([
  ['value', value, 'value', 'out', (volts: number): number => volts, 48_000],
  ['xy', xy, 'y', 'y', (volts: number): number => volts / 10, 48_000],
] as const)('%s', (_, definition, param, output, toParam, frames) => {
  const step = (smooth: number): Float32Array =>
    new Rig(definition, { params: { [param]: toParam(2), smooth }, maxFrames: frames })
      .run(1000, 64)
      .set(param, toParam(7))
      .run(frames, 64, 1000)
      .output(output);
  test('stands at its value from the first sample on', () => {
    for (const smooth of [0, 0.1, 10]) expect(step(smooth)[0]).toBe(2);
  });
  test('jumps when it is not smoothed', () => {
    const out = step(0);
    expect([out[999], out[1000]]).toEqual([2, 7]);
  });
  test('has come 63 % of the way after its time, and arrives exactly', () => {
    const out = step(0.05);
    expect(out[1000 + 2400]).toBeCloseTo(2 + 5 * (1 - 1 / Math.E), 2);
    expect(out.at(-1)).toBe(7);
    expect(out.every((volts, i) => i === 0 || volts >= out[i - 1]!)).toBe(true);
  });
});

test('xy is 0..10 V, or ±5 V around the middle', () => {
  const at = (params: Record<string, number>): number[] => {
    const rig = new Rig(xy, { params, maxFrames: 10 }).run(10);
    return [rig.output('x')[5]!, rig.output('y')[5]!];
  };
  expect(at({ x: 0, y: 1 })).toEqual([0, 10]);
  expect(at({ x: 0, y: 1, bipolar: 1 })).toEqual([-5, 5]);
  expect(at({ bipolar: 1 })).toEqual([0, 0]);
});
