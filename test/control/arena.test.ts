// Memory is zero when it is given out, also when it was given back a moment ago; large pieces are zeroed bit by bit.
import { expect, it } from 'vitest';
import { Arena } from '#src/control/arena.js';

const MB = 1024 * 1024;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const isZero = ({ words }: Arena, start: number, bytes: number): boolean =>
  words.subarray(start / 4, (start + bytes) / 4).every((word) => word === 0);

it('what is given back can be had again at once, and is zero', () => {
  const arena = new Arena(16 * MB);
  for (const bytes of [64, 1000, 3 * MB, 15 * MB, 15 * MB, 64]) {
    const start = arena.take(bytes, 'a test');
    expect(isZero(arena, start, bytes)).toBe(true);
    arena.words.fill(-1, start / 4, (start + bytes) / 4);
    arena.give(start);
    expect(arena.usage.used).toBe(0);
  }
});

it('a large piece is zeroed in several turns, and others that come meanwhile after it', async () => {
  const arena = new Arena(32 * MB);
  const [large, small] = [arena.take(8 * MB, 'a test'), arena.take(64, 'a test')];
  arena.words.fill(-1, large / 4, small / 4 + 16);
  arena.give(large);
  arena.give(small);
  expect(arena.words[small / 4 - 1]).toBe(-1);
  await turn();
  expect(arena.words[large / 4]).toBe(0);
  expect(arena.words[small / 4 - 1]).toBe(-1);
  for (let i = 0; i < 100 && !isZero(arena, large, 8 * MB + 64); i++) await turn();
  expect(isZero(arena, large, 8 * MB + 64)).toBe(true);
  expect(arena.take(arena.usage.budget, 'all of it')).toBe(large);
});

it('memory that is not there is refused, with all there is at hand', () => {
  const arena = new Arena(8 * MB);
  const start = arena.take(6 * MB, 'a test');
  arena.give(start);
  expect(() => arena.take(arena.usage.budget + 64, 'too much')).toThrow(/memory budget exceeded: too much needs/);
  expect(arena.take(arena.usage.budget, 'all of it')).toBe(start);
});

it('modules leave a reserve for the plan that removes them', () => {
  const arena = new Arena(8 * MB);
  const { budget } = arena.usage;
  expect(() => arena.take(budget - 64, 'module big', true)).toThrow(/module big needs 8\.\d+ MiB, 7\.5\d* MiB of 8\.\d+ MiB are free/);
  arena.take(budget - MB, 'module large', true);
  expect(() => arena.take(MB, 'module small', true)).toThrow(/5\d\d KiB of 8\.\d+ MiB are free/);
  arena.take(MB, 'a plan');
});
