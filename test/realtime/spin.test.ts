import { describe, expect, it } from 'vitest';
import { Spin } from '#src/realtime/spin.js';

const after = (most: number, outcomes: readonly boolean[]): number => {
  const spin = new Spin(most);
  for (const hasPaid of outcomes) spin.learn(hasPaid);
  return spin.turns;
};

describe('spinning', () => {
  it.each([
    ['begins with the most', 2000, [], 2000],
    ['halves what does not pay', 2000, [false, false], 500],
    ['doubles what pays', 2000, [false, false, true], 1000],
    ['never exceeds the most', 2000, [true, true], 2000],
    ['never gives up altogether', 2000, Array<boolean>(20).fill(false), 62],
    ['recovers', 2000, [...Array<boolean>(20).fill(false), ...Array<boolean>(6).fill(true)], 2000],
    ['may be forbidden', 0, [true, false, true], 0],
  ])('%s', (_, most, outcomes, turns) => {
    expect(after(most, outcomes)).toBe(turns);
  });
});
