// `/<id>/<event>`: notes, triggers and pads, and the time at which things happen.
import { describe, expect, it } from 'vitest';
import { COMMAND_ADD, COMMAND_NOTE, CONTROL, PENDING_MAX } from '#src/shared/layout.js';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { f32, float, KEYS, RATE, fourModules, tag, TestClient } from './rig.js';

describe('notes and triggers', () => {
  it.each<[string, Parameters<typeof encodeMessage>[1], [pitch: number, velocity: number, key: number, frames: number]]>([
    ['a number', [60, float(0.5)], [0, 0.5, 6000, 0]],
    ['between two keys', [float(69.25), float(1)], [9.25 / 12, 1, 6925, 0]],
    ['a name', ['c4', float(0.5)], [0, 0.5, 6000, 0]],
    ['a sharp', ['F#3', float(0.5)], [-0.5, 0.5, 5400, 0]],
    ['a flat', ['eb5', float(0.5)], [15 / 12, 0.5, 7500, 0]],
    ['a velocity of 127', [72, 127], [1, 1, 7200, 0]],
    ['a small one', [72, 2], [1, f32(2 / 127), 7200, 0]],
    ['an int 1', [72, 1], [1, 1, 7200, 0]],
    ['its end', [72, 0], [1, 0, 7200, 0]],
    ['a duration', [60, float(0.5), float(0.25)], [0, 0.5, 6000, 12_000]],
  ])('%s', (_, args, [pitch, velocity, key, frames]) => {
    const d = fourModules();
    d.send('/keys/note', ...args!);
    expect(d.arena.commands()).toEqual([
      expect.objectContaining({ kind: COMMAND_NOTE, slot: KEYS, value: f32(pitch), paramAsFloat: velocity, voice: key, ramp: frames }),
    ]);
  });

  it.each<[string, Parameters<typeof encodeMessage>[1]]>([
    ['no velocity', [60]],
    ['a name that is none', ['h4', 1]],
    ['a pitch nobody hears', [float(1e9), 1]],
    ['NaN', [NaN, 1]],
    ['a velocity below 0', [60, -1]],
    ['a duration below 0', [60, 1, -1]],
    ['a day', [60, 1, 86_400]],
    ['too much', [60, 1, 1, 1]],
  ])('refuses %s', (_, args) => {
    const d = fourModules();
    d.send('/keys/note', ...args!);
    expect(d.arena.commands()).toEqual([]);
    expect(d.client.heard).toEqual([['/fail', '/keys/note', expect.stringMatching(/takes pitch/)]]);
  });

  it('ends one note, or all', () => {
    const d = fourModules();
    d.send('/keys/off', 'c4');
    d.send('/keys/off');
    d.send('/vcf/off');
    expect(d.arena.commands().map(({ kind, voice, paramAsFloat }) => [kind, voice, paramAsFloat])).toEqual([
      [COMMAND_NOTE, 6000, 0],
      [COMMAND_NOTE, -1, 0],
    ]);
  });

  it('counts triggers, but not the release of a button', () => {
    const d = fourModules();
    d.send('/keys/trig');
    for (const value of [1, float(0.2), true, 'now', 0, false, float(0)]) d.send('/keys/trig', value);
    const triggers = d.arena.commands();
    expect(triggers).toHaveLength(5);
    for (const command of triggers) expect(command).toMatchObject({ kind: COMMAND_ADD, param: 2, voice: -1, value: 1, ramp: 0 });
  });

  it('sets several parameters at one moment, or none', () => {
    const d = fourModules();
    d.sendAt(1, '/keys/xy', float(0.25), float(2));
    d.send('/keys/xy', float(0.25), NaN);
    d.send('/keys/xy', 1);
    expect(d.arena.commands().map(({ param, value, frame }) => [param, value, frame])).toEqual([
      [0, 0.25, RATE],
      [1, 1, RATE],
    ]);
    expect(d.client.heard.map(([what, address]) => [what, address])).toEqual([
      ['/clamped', '/keys/y'],
      ['/fail', '/keys/y'],
      ['/fail', '/keys/xy'],
    ]);
  });
});

describe('time', () => {
  it('puts events on the frame of their bundle, nested ones never before it', () => {
    const d = fourModules();
    const at = (seconds: number, ...elements: Uint8Array[]): Uint8Array => encodeBundle(tag(seconds), elements);
    const set = (value: number): Uint8Array => encodeMessage('/vcf/cutoff', [value]);
    const packet = at(2, set(101), at(1, set(102)), at(3, set(103), encodeBundle(1n, [set(104)])), set(105));
    d.dispatcher.receive(packet, d.client);
    d.dispatcher.receive(encodeBundle(1n, [set(106), at(1.5, set(107))]), d.client);
    expect(d.arena.commands().map(({ value, frame }) => [value, frame])).toEqual([
      [101, 2 * RATE],
      [102, 2 * RATE],
      [103, 3 * RATE],
      [104, 3 * RATE],
      [105, 2 * RATE],
      [106, -1],
      [107, 1.5 * RATE],
    ]);
  });

  it('keeps frames above 2³²', () => {
    const d = fourModules();
    const frame = 2 ** 32 + 12_345;
    d.arena.frame = frame - 100;
    d.sendAt(frame / RATE, '/vcf/cutoff', 100);
    expect(d.arena.commands()).toEqual([expect.objectContaining({ frame })]);
  });

  it('applies late ones at once, and says how late', () => {
    const d = fourModules();
    d.arena.frame = RATE;
    d.sendAt(0.9, '/vcf/cutoff', 100);
    d.sendAt(1, '/vcf/cutoff', 101);
    expect(d.arena.commands().map(({ value, frame }) => [value, frame])).toEqual([
      [100, -1],
      [101, RATE],
    ]);
    expect(d.client.heard).toEqual([['/late', '/vcf/cutoff', 100]]);
    expect(d.counter(CONTROL.OSC_LATE)).toBe(1);
  });

  it('tells of what one client sends late though another is always late', () => {
    const d = fourModules();
    const other = new TestClient(2);
    d.arena.frame = RATE;
    for (let i = 0; i < 30; i++) d.sendAt(0, '/vcf/cutoff', 100);
    d.dispatcher.receive(encodeBundle(tag(0.5), [encodeMessage('/pad/cutoff', [100])]), other);
    expect(other.heard).toEqual([['/late', '/pad/cutoff', 500]]);
  });

  it('tells of late commands too', () => {
    const d = fourModules();
    d.arena.frame = RATE;
    d.sendAt(0.5, '/engine/patch/clear');
    expect(d.client.heard).toEqual([['/late', '/engine/patch/clear', 500]]);
    expect(d.asked).toEqual([{ address: '/engine/patch/clear', at: undefined }]);
    expect(d.counter(CONTROL.OSC_LATE)).toBe(1);
  });

  it('tells of 20 late ones a second, and how many it did not tell of', () => {
    const d = fourModules();
    const other = new TestClient(2);
    d.replies.register(other, other);
    d.arena.frame = RATE;
    for (let i = 0; i < 30; i++) d.sendAt(0, '/vcf/cutoff', 100);
    expect(d.client.takeHeard()).toHaveLength(20);
    d.now = 1000;
    d.sendAt(0, '/vcf/cutoff', 100);
    expect(d.client.heard).toEqual([['/late', '/vcf/cutoff', 1000, 10]]);
    expect(other.heard).toHaveLength(21);
  });

  it('refuses what is too far ahead, and too much', () => {
    const d = fourModules();
    d.sendAt(3600, '/vcf/cutoff', 100);
    d.sendAt(3601, '/vcf/cutoff', 100);
    expect(d.client.takeHeard()).toEqual([['/fail', '/vcf/cutoff', expect.stringMatching(/3600 seconds ahead/)]]);
    d.arena.words[CONTROL.PENDING] = PENDING_MAX * 0.75;
    d.sendAt(1, '/vcf/cutoff', 100);
    d.send('/vcf/cutoff', 101);
    expect(d.client.heard).toEqual([['/fail', '/vcf/cutoff', 'too many scheduled']]);
    expect(d.arena.commands().map(({ value }) => value)).toEqual([100, 101]);
  });

  it('holds commands for control until their time, not those of its own', () => {
    const d = fourModules();
    d.sendAt(1, '/engine/patch/clear');
    d.send('/engine/patch/clear');
    d.sendAt(1, '/engine/version');
    const unix = 101 + 2 ** 32 - 2_208_988_800;
    expect(d.asked).toEqual([
      { address: '/engine/patch/clear', at: unix * 1000 },
      { address: '/engine/patch/clear', at: undefined },
      { address: '/engine/version', at: undefined },
    ]);
  });
});
