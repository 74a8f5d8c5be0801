// Engines and small patches for tests: every engine that a test makes is stopped when the test is over.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { Engine, type EngineOptions } from '#src/index.js';
import { CONTROL } from '#src/shared/layout.js';
import { signal } from '#src/shared/gate.js';
import { readFloatWav } from './wav.js';

/** For files; gone when all tests are over. */
export const folder = mkdtempSync(join(tmpdir(), 'krell-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

export async function create(options: EngineOptions = {}): Promise<Engine> {
  const engine = await Engine.create({ workers: 1, realtime: false, ...options });
  engines.push(engine);
  return engine;
}

export const patch = (modules: object, cables: readonly (readonly [string, string, number?])[] = [], more: object = {}): never =>
  ({
    format: 'krell-patch',
    formatVersion: 1,
    title: 'test',
    modules,
    cables: cables.map(([from, to, gain]) => ({ from, to, ...(gain === undefined ? {} : { gain }) })),
    ...more,
  }) as never;

export const OUT = { out: { type: 'out', params: { limiter: false } } };
/** Two voltages, each on a channel of its own. */
export const TWO = { a: { type: 'attenuverter' }, b: { type: 'attenuverter' }, ...OUT };
export const TWO_CABLES: [string, string][] = [
  ['a.out', 'out.left'],
  ['b.out', 'out.right'],
];

/** Plays `frames` into a file as fast as they come, `during` meanwhile. @returns left and right */
export async function record(
  engine: Engine,
  frames: number,
  during: () => Promise<void> = async () => {},
): Promise<[Float32Array, Float32Array]> {
  const path = join(folder, `${Math.random()}.wav`);
  await engine.start({ driver: 'file', file: { path, frames, bits: '32f' } });
  await during();
  await engine.ended;
  await engine.stop();
  return readFloatWav(path) as [Float32Array, Float32Array];
}

export const most = (signal: Float32Array): number => signal.reduce((top, value) => Math.max(top, value), -Infinity);
/** Largest step between neighbours. */
export const largestStep = (signal: Float32Array): number =>
  signal.reduce((top, value, i) => (i > 0 ? Math.max(top, Math.abs(value - signal[i - 1]!)) : 0), 0);

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export async function until(done: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !done();) {
    if (Date.now() > end) throw new Error('it did not happen');
    await turn();
  }
}
export const usage = (engine: Engine): number => engine.stats().memory.used;
/** `fulfilled`, or why not. */
export const outcomes = async (all: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(all)).map((result) => (result.status === 'fulfilled' ? result.status : String(result.reason)));

/** While an engine plays into a file: computes no block, so that nothing leaves the command ring. @returns what lets it go on */
export async function hold({ arena: { words } }: Engine): Promise<() => void> {
  const depth = words[CONTROL.RING_DEPTH]!;
  const sleeps = Atomics.load(words, CONTROL.LEADER_SLEEPS);
  Atomics.store(words, CONTROL.RING_DEPTH, 0);
  await until(() => Atomics.load(words, CONTROL.LEADER_SLEEPS) !== sleeps);
  return () => {
    Atomics.store(words, CONTROL.RING_DEPTH, depth);
    signal(words, CONTROL.TICK);
  };
}
