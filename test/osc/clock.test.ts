import { describe, expect, it } from 'vitest';
import { CONTROL, RUN_IDLE } from '#src/shared/layout.js';
import { writeStamp } from '#src/shared/stamp.js';
import { EngineClock, NOW } from '#src/osc/clock.js';
import { timetagFromUnix } from '#src/osc/codec.js';
import { TimeLoop } from '#src/osc/loop.js';
import { generator } from './random.js';
import { RATE, TestSpace } from './rig.js';

/** The words of the time tag of a Unix time: whole seconds and nanoseconds. */
const words = (seconds: number, nanoseconds = 0): [number, number] => [seconds + 2_208_988_800, Math.round((nanoseconds * 2 ** 32) / 1e9)];

describe('the loop', () => {
  /** Feeds pairs of a device that runs at `rate`, every 20 ms and some, each off by up to `noise` seconds. */
  function run(
    loop: TimeLoop,
    rate: number,
    seconds: number,
    noise: number,
    below: (n: number) => number,
    each?: (time: number) => void,
  ): void {
    for (let time = 0; time < seconds; time += 0.02 + below(1000) * 1e-6) {
      loop.add(time, rate * (time + (below(1e6) / 1e6 - 0.5) * 2 * noise));
      each?.(time);
    }
  }

  it('settles on a device whose clock is not ours', () => {
    const { below } = generator();
    const loop = new TimeLoop(RATE);
    const rate = RATE * 1.0002;
    run(loop, rate, 120, 0, below);
    expect(Math.abs(loop.frameAt(120) - rate * 120)).toBeLessThan(0.05);
    expect(loop.rate).toBeCloseTo(rate, 2);
    expect(loop.timeAt(loop.frameAt(119.5))).toBeCloseTo(119.5, 9);
  });

  it('moves smoothly on stamps that jitter: less than a tenth of a sample at a time', () => {
    const { below } = generator();
    const loop = new TimeLoop(RATE);
    let last = 0;
    let [jump, off] = [0, 0];
    run(loop, RATE, 120, 0.0002, below, (time) => {
      const error = loop.frameAt(time) - RATE * time;
      if (time > 60) {
        jump = Math.max(jump, Math.abs(error - last));
        off = Math.max(off, Math.abs(error));
      }
      last = error;
    });
    expect(jump).toBeLessThan(0.1);
    expect(off).toBeLessThan(2);
    expect(jump).toBeGreaterThan(0);
  });

  it('does not believe a few pairs that are far off, but many', () => {
    const loop = new TimeLoop(RATE);
    let time = 0;
    const feed = (count: number, offset: number): void => {
      for (let i = 0; i < count; i++, time += 0.02) loop.add(time, RATE * (time + offset));
    };
    feed(500, 0);
    feed(7, 0.06);
    expect(loop.frameAt(time)).toBeCloseTo(RATE * time, 6);
    feed(1, 0);
    feed(8, 0.06);
    expect(loop.frameAt(time)).toBeCloseTo(RATE * (time + 0.06), 6);
    feed(8, -1);
    expect(loop.frameAt(time)).toBeCloseTo(RATE * (time - 1), 6);
  });
});

describe('the clock', () => {
  const UNIX = 1_800_000_000;
  const AHEAD = 256 + 128;
  function playing(): { arena: TestSpace; clock: EngineClock; at: (seconds: number) => void } {
    const arena = new TestSpace();
    arena.words[CONTROL.PERIOD_FRAMES] = 128;
    let now = UNIX;
    const clock = new EngineClock(arena.words, () => now);
    return { arena, clock, at: (seconds) => (now = UNIX + seconds) };
  }
  /** The host takes frames from `from` to `to` seconds, with a stamp a poll. */
  function play({ arena, clock, at }: ReturnType<typeof playing>, from: number, to: number): void {
    for (let i = Math.round(from * 50); i <= to * 50; i++) {
      at(i / 50);
      arena.words[CONTROL.TAKEN_LO] = (i * RATE) / 50;
      writeStamp(arena.words, UNIX + Math.floor(i / 50), Math.round(((i / 50) % 1) * 1e9), CONTROL.TAKEN_LO);
      arena.frame = (i * RATE) / 50 + AHEAD;
      clock.poll();
    }
  }

  it('takes immediately for now', () => {
    const { clock } = playing();
    expect([clock.frameOf(0, 1), clock.frameOf(0, 0)]).toEqual([NOW, NOW]);
    expect(clock.frameOf(0, 2)).not.toBe(NOW);
  });

  it('gives the frame that is about to be computed then, to the sample', () => {
    const p = playing();
    play(p, 0, 20);
    for (const samples of [0, 1, 2, 479, 480, 48_000 * 60])
      expect(p.clock.frameOf(...words(UNIX + 20 + Math.floor(samples / RATE), ((samples % RATE) / RATE) * 1e9))).toBe(
        20 * RATE + AHEAD + samples,
      );
  });

  it('tells its map', () => {
    const p = playing();
    play(p, 0, 20);
    const { frame, timetag, rate } = p.clock.now();
    expect(frame).toBe(20 * RATE + AHEAD);
    expect(rate).toBeCloseTo(RATE, 3);
    expect(Number(timetag - timetagFromUnix(UNIX + 20)) / 2 ** 32).toBeCloseTo(0, 5);
    expect(p.clock.frameOf(Number(timetag >> 32n), Number(timetag & 0xffff_ffffn))).toBe(frame);
  });

  it('does not look twice at a stamp, nor at one that is being written', () => {
    const p = playing();
    play(p, 0, 10);
    // A millisecond off: believed a little, and once.
    p.arena.words[CONTROL.TAKEN_LO]! += 0.02 * RATE + 48;
    writeStamp(p.arena.words, UNIX + 10, 20_000_000, CONTROL.TAKEN_LO);
    const before = p.clock.frameOf(...words(UNIX + 11));
    for (let i = 0; i < 20; i++) p.clock.poll();
    const after = p.clock.frameOf(...words(UNIX + 11));
    expect(after).toBeGreaterThanOrEqual(before);
    expect(after - before).toBeLessThan(3);
    p.arena.words[CONTROL.STAMP_FRAME_LO] = 0;
    Atomics.add(p.arena.words, CONTROL.STAMP_SEQ, 1);
    for (let i = 0; i < 20; i++) p.clock.poll();
    expect(p.clock.frameOf(...words(UNIX + 11))).toBe(after);
  });

  it('stands at the frame of an engine that does not play', () => {
    const p = playing();
    p.arena.words[CONTROL.RUN] = RUN_IDLE;
    p.arena.frame = 5000;
    p.at(100);
    p.clock.poll();
    expect(p.clock.frameOf(...words(UNIX + 101))).toBe(5000 + RATE);
  });

  it('follows the frame being computed until there are stamps', () => {
    const p = playing();
    for (let i = 0; i <= 500; i++) {
      p.at(i / 50);
      p.arena.frame = 1000 + (i * RATE) / 50;
      p.clock.poll();
    }
    expect(Math.abs(p.clock.frameOf(...words(UNIX + 10)) - 1000 - 10 * RATE)).toBeLessThanOrEqual(1);
  });
});
