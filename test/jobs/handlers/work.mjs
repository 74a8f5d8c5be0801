// Handlers that do what jobs do, well and badly.
import { threadId } from 'node:worker_threads';

let calls = 0;

export const echo = (args) => args;
export const length = (args) => args.length;
export const named = (_, { name }) => name;
export const where = () => ({ threadId, calls: ++calls });
export default (args) => `default ${args}`;

export const sleep = async (ms) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
/** Ends as soon as it is told to. */
export const listens = (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
/** Raises a flag of shared memory, then never returns. */
export function hang(flag) {
  if (flag) Atomics.store(flag, 0, 1);
  for (;;);
}
/** Counts itself in shared memory, slowly. */
export function count({ words, ms = 0 }) {
  Atomics.add(words, 0, 1);
  const end = performance.now() + ms;
  while (performance.now() < end);
}
export function exit() {
  process.exit(7);
}
export function exhaust() {
  const kept = [];
  for (;;) kept.push(new Array(100_000).fill(Math.random()));
}
export function fails() {
  throw new RangeError('out of strings');
}
export async function failsLater() {
  await sleep(1);
  throw new TypeError('out of hammers');
}
export const throwsText = () => Promise.reject('just text');
export const unclonable = () => () => {};
export const notAFunction = 42;
