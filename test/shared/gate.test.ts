// Gates: no wake-up is lost. Frames: no reader sees half a carry. Plans: none is freed under a reader.
import { describe, expect, it } from 'vitest';
import { signal, waitGate } from '#src/shared/gate.js';
import { advanceFrame, readFrame, setAdvanced, writeFrame } from '#src/shared/frame.js';
import { CONTROL, HEAP, WORKER, workerWord } from '#src/shared/layout.js';
import { holdPlan, planInUse, releasePlan, takeNextPlan } from '#src/shared/plans.js';
import { onThread } from './threads.js';

describe('a gate', () => {
  it.each([0, 500])('hands a ball between two threads 20,000 times and loses no wake-up (spin %i)', async (spin) => {
    const memory = new SharedArrayBuffer(1024);
    // Words 0 and 128 are the gates, word 64 the ball. A lost wake-up would cost the whole timeout and be counted.
    const player = (mine: number, theirs: number, me: number): string => `
      const words = new Int32Array(memory);
      let lost = 0;
      for (let n = 0; n < 20000; n++) {
        for (;;) {
          const seen = Atomics.load(words, ${mine});
          if (Atomics.load(words, 64) === ${me}) break;
          const start = performance.now();
          gate.waitGate(words, ${mine}, seen, ${spin}, 10000);
          if (performance.now() - start > 9000 && Atomics.load(words, ${mine}) === seen) lost++;
        }
        Atomics.store(words, 64, ${1 - me});
        gate.signal(words, ${theirs});
      }
      return lost;`;
    expect(await Promise.all([onThread(memory, player(0, 128, 0)), onThread(memory, player(128, 0, 1))])).toEqual([0, 0]);
  });

  it('says whether it was passed without sleeping', () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    expect([waitGate(words, 1, -1, 0, 1), waitGate(words, 1, -1, 5, 1), waitGate(words, 1, 0, 5, 1)]).toEqual([true, true, false]);
  });

  it('only counts up', () => {
    const words = new Int32Array(new SharedArrayBuffer(8));
    words[1] = 0x7fff_ffff;
    signal(words, 1);
    expect([...words]).toEqual([0, -0x8000_0000]);
  });
});

describe('a frame count', () => {
  it('is read right while another thread carries it over 2³² again and again', async () => {
    const memory = new SharedArrayBuffer(64);
    const words = new Int32Array(memory);
    const reader = onThread<string[]>(
      memory,
      `const words = new Int32Array(memory);
       Atomics.store(words, 8, 1); Atomics.notify(words, 8);
       const wrong = [];
       for (let last = 0; Atomics.load(words, 8) !== 2; ) {
         const now = frame.readFrame(words, 0);
         if (now < last) wrong.push(last + ' then ' + now);
         last = now;
       }
       return wrong.slice(0, 5);`,
    );
    while (Atomics.load(words, 8) !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
    let sum = 0;
    for (let i = 0; i < 3_000_000; i++) {
      advanceFrame(words, 0, 0x7000_0000);
      sum += 0x7000_0000;
    }
    Atomics.store(words, 8, 2);
    expect(await reader).toEqual([]);
    expect(readFrame(words, 0)).toBe(sum);
  });

  it('is read, and goes on, where a thread died over the carry', () => {
    const start = 2 ** 32 - 10;
    // High, low, high's copy: so many of the three were written.
    for (let written = 0; written <= 3; written++) {
      const words = new Int32Array(new SharedArrayBuffer(16));
      writeFrame(words, 0, start);
      const next = [1, 54, 1];
      for (const [i, word] of [1, 0, 2].slice(0, written).entries()) words[word] = next[i]!;
      const now = written < 2 ? start : start + 64;
      expect(readFrame(words, 0), `${written} written`).toBe(now);
      const again = words.slice();
      advanceFrame(words, 0, 64);
      expect(readFrame(words, 0), `${written} written`).toBe(now + 64);
      // The leader's successor knows from where.
      setAdvanced(again, 0, start | 0, 0, 64);
      expect(readFrame(again, 0), `${written} written`).toBe(start + 64);
    }
  });

  it('is set and read beyond 32 bits', () => {
    const words = new Int32Array(new SharedArrayBuffer(16));
    for (const frame of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 12345]) {
      writeFrame(words, 0, frame);
      expect(readFrame(words, 0)).toBe(frame);
    }
  });
});

describe('a plan', () => {
  const words = new Int32Array(new SharedArrayBuffer(HEAP));
  const [a, b] = [4096, 8192];

  it('is in use from its publication until the last thread has left it', () => {
    expect(planInUse(words, a)).toBe(false);
    words[CONTROL.NEXT_PLAN] = a;
    expect(planInUse(words, a)).toBe(true);
    words[CONTROL.PLAN] = takeNextPlan(words);
    expect(holdPlan(words, 3)).toBe(a);
    releasePlan(words, 3);
    words[CONTROL.NEXT_PLAN] = b;
    // The leader has named the next plan, but the old one still plays.
    expect(takeNextPlan(words)).toBe(b);
    expect([planInUse(words, a), planInUse(words, b)]).toEqual([true, true]);
    holdPlan(words, 3);
    words[CONTROL.PLAN] = b;
    expect([planInUse(words, a), planInUse(words, b)]).toEqual([true, true]);
    releasePlan(words, 3);
    expect([planInUse(words, a), planInUse(words, b)]).toEqual([false, true]);
    words[CONTROL.NEXT_PLAN] = words[CONTROL.PLAN] = 0;
    // Named by the leader and nowhere else: it is about to look whether that is still right.
    expect(words[workerWord(0, WORKER.PLAN_IN_USE)]).toBe(b);
    expect(planInUse(words, b)).toBe(true);
  });
});
