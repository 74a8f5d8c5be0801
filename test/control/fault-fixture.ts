// What tests of faults share: kernels that go wrong, a sine beside them that must not notice, and ways to look.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { Engine, type EngineOptions } from '#src/control/engine.js';
import type { FaultEvent } from '#src/control/events.js';
import { planted } from '#src/control/kernels.js';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';
import { PARAM, SLOT, SLOTS_W, STATE, VECTOR_PARAMS } from '#src/shared/layout.js';
import { readFloatWav } from './wav.js';

export const folder = mkdtempSync(join(tmpdir(), 'krell-faults-'));
export const engines: Engine[] = [];
afterEach(async () => {
  planted.clear();
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

export const OPTIONS: EngineOptions = { workers: 2, realtime: false, seed: 1 };
export const UNREACHABLE = 0x00;

/** A kernel that never comes back, and one that traps. */
export const kernelOf = (body: (code: Bytes) => void): Uint8Array<ArrayBuffer> => {
  const code = new Bytes();
  body(code);
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [], body: code }]);
};
export const ENDLESS = kernelOf((code) => code.block(OP.loop).branch(OP.br, 0).end());
export const TRAP = kernelOf((code) => code.u8(UNREACHABLE));
/** Takes about `turns` nanoseconds. */
export const SLOW = (turns: number): Uint8Array<ArrayBuffer> =>
  kernelOf((code) => code.int(turns).set(2).block(OP.loop).get(2).int(1).op(OP.i32Sub).tee(2).branch(OP.brIf, 0).end());

/** A sine on the left; on the right, a module under test through a filter. */
export const patch = (module: object, modules: object = {}, cables: { from: string; to: string }[] = []): never =>
  ({
    format: 'krell-patch',
    formatVersion: 1,
    title: 'test',
    modules: { vco: { type: 'vco', params: { freq: 200 } }, out: { type: 'out', params: { limiter: false } }, ...modules, bad: module },
    cables: [{ from: 'vco.sine', to: 'out.left' }, ...cables],
  }) as never;

export interface Run {
  readonly engine: Engine;
  readonly faults: FaultEvent[];
}

export async function load(source: never, options: EngineOptions = {}): Promise<Run> {
  const engine = await Engine.create({ ...OPTIONS, ...options });
  engines.push(engine);
  const faults: FaultEvent[] = [];
  engine.on('fault', (event) => faults.push(event));
  await engine.loadPatch(source);
  return { engine, faults };
}

export const after = async (engine: Engine, frames: number): Promise<void> => {
  const end = engine.frame + frames;
  while (engine.frame < end) await sleep(1);
};
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(2);
};

/** Plays `frames` into a file as fast as they come, `during` meanwhile. @returns left and right */
export async function record({ engine }: Run, frames: number, during: () => Promise<void> = async () => {}): Promise<Float32Array[]> {
  const path = join(folder, `${Math.random()}.wav`);
  await engine.start({ driver: 'file', file: { path, frames, bits: '32f' } });
  await during();
  await engine.ended;
  await engine.stop();
  return readFloatWav(path);
}

let quiet: Promise<Float32Array> | undefined;
/** The sine when nothing goes wrong. */
export const sine = (frames: number): Promise<Float32Array> =>
  (quiet ??= load(patch({ type: 'noise' })).then(async (run) => (await record(run, SINE_FRAMES))[0]!)).then((all) =>
    all.subarray(0, frames),
  );
export const SINE_FRAMES = 48_000 * 60;

export const firstDifference = (a: Float32Array, b: Float32Array): number => a.findIndex((value, i) => !Object.is(value, b[i]));

/** Sets a word of the state of the module that was made as number `nth`, in one lane. */
export function poke(engine: Engine, nth: number, lane: number, vector: (params: number) => number, value: number): void {
  const { words, floats } = engine.arena;
  const state = words[SLOTS_W + nth * SLOT.WORDS + SLOT.STATE]! / 4;
  const at = vector(words[state + STATE.PARAMS]!) * words[state + STATE.LANES]! + lane;
  floats[state + STATE.HEADER_BYTES / 4 + at] = value;
}
export const firstState = (params: number): number => VECTOR_PARAMS + params * PARAM.VECTORS;
export const firstParam = (): number => VECTOR_PARAMS;

export const VOICES = 40;
export const CHOIR = Object.fromEntries(
  Array.from({ length: VOICES }, (_, i) => [
    [`v${i}`, { type: 'vco', voices: 16, params: { freq: 100 + i } }],
    [`f${i}`, { type: 'vcf', voices: 16 }],
  ]).flat(),
);
export const CHOIR_CABLES = Array.from({ length: VOICES }, (_, i) => [
  { from: `v${i}.saw`, to: `f${i}.in` },
  { from: `f${i}.low`, to: 'out.right', gain: 0.01 },
]).flat();
export const choir = (): never => patch({ type: 'noise' }, CHOIR, CHOIR_CABLES);
