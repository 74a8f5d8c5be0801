// The standard battery: what every module must pass, made from its spec alone (HABITS 13).
import { describe, expect, it } from 'vitest';
import { modules } from '#modules/index.js';
import { cables } from '#src/dsp/cables.js';
import { PACKAGE_ROOT } from '#src/kernel/source.js';
import type { ModuleDefinition, ParamSpec } from '#src/module.js';
import { packable } from '#src/kernel/index.js';
import { STATE } from '#src/shared/layout.js';
import { Rig, type RigOptions } from './rig.js';

const FRAMES = 1500;
const SEED = Number(process.env['SEED'] ?? 20_260_801);

/** mulberry32: a small seeded generator for test signals. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const extreme = (spec: ParamSpec, end: 'min' | 'max'): number =>
  spec.kind === 'number' || spec.kind === 'integer' ? spec[end] : end === 'min' ? 0 : spec.kind === 'enum' ? spec.values.length - 1 : 1;

function between(spec: ParamSpec, x: number): number {
  const [min, max] = [extreme(spec, 'min'), extreme(spec, 'max')];
  if (spec.kind !== 'number') return min + Math.floor(x * (max - min + 0.999));
  return spec.curve === 'log' ? min * (max / min) ** x : min + x * (max - min);
}

/** A test signal in the range of a port's kind: gates switch, pitch walks, audio is a mix of noise and silence. */
function signal(kind: string, next: () => number): Float32Array {
  const out = new Float32Array(FRAMES);
  let held = 0;
  for (let i = 0; i < FRAMES; i++) {
    if (kind === 'gate' || kind === 'trigger') {
      if (next() < 0.02) held = held > 0 ? 0 : 10;
    } else if (kind === 'voct') {
      if (next() < 0.01) held = next() * 6 - 3;
    } else held = i < FRAMES / 2 ? next() * 10 - 5 : kind === 'audio' ? 0 : held;
    out[i] = held;
  }
  return out;
}

const pathOf = ({ type }: ModuleDefinition): string => `${PACKAGE_ROOT}/${type === 'cables' ? 'src/dsp' : 'modules'}/${type}.ts`;

interface Case extends RigOptions {
  readonly voices: number;
  readonly seed: number;
}

/** A rig with everything plugged (or nothing), random parameters and signals; the same for the same case. */
function prepared(definition: ModuleDefinition, options: Case & { plugged: boolean }): Rig {
  const next = random(SEED + options.seed);
  const params = Object.fromEntries(
    Object.entries(definition.params).map(([name, spec]) => [name, Array.from({ length: options.voices }, () => between(spec, next()))]),
  );
  const kind = options.voices > 1 ? 'p' : 'm';
  const inputs = options.plugged ? Object.fromEntries(Object.keys(definition.inputs).map((name) => [name, kind] as const)) : {};
  const rig = new Rig(definition, { ...options, params, inputs, maxFrames: FRAMES, path: pathOf(definition) });
  if (options.plugged)
    for (const [name, spec] of Object.entries(definition.inputs))
      for (let voice = 0; voice < options.voices; voice++) rig.input(name, signal(spec.kind, next), { voice });
  return rig;
}

/** Plays a case with a parameter change on the way, in blocks of `block`; all outputs of all voices. */
function play(definition: ModuleDefinition, options: Case & { plugged: boolean }, block = FRAMES): Float32Array[] {
  const rig = prepared(definition, options);
  const next = random(SEED + options.seed + 1);
  rig.run(FRAMES / 3, block);
  for (const [name, spec] of Object.entries(definition.params))
    rig.set(name, between(spec, next()), spec.kind === 'number' ? Math.round(spec.ramp * 48_000) : 0);
  rig.run(FRAMES, block, FRAMES / 3);
  return Object.keys(definition.outputs).flatMap((name) =>
    Array.from({ length: options.voices }, (_, voice) => rig.output(name, { voice })),
  );
}

/** Where two sets of signals first differ in any bit, or undefined. Zeros of either sign are equal. */
function firstDifference(a: readonly Float32Array[], b: readonly Float32Array[]): string | undefined {
  for (const [n, signalA] of a.entries())
    for (let i = 0; i < signalA.length; i++)
      if (signalA[i] !== b[n]![i] && !(Number.isNaN(signalA[i]) && Number.isNaN(b[n]![i])))
        return `output ${n}, frame ${i}: ${signalA[i]} and ${b[n]![i]}`;
  return undefined;
}

describe.each([...modules, cables].map((definition) => [definition.type, definition] as const))('%s', (_type, definition) => {
  describe.each([true, false])('plugged: %s', (plugged) => {
    it('is the same in JavaScript, scalar and SIMD, in every bit', () => {
      for (const voices of [1, 3, 4, 9]) {
        const reference = play(definition, { voices, seed: voices, plugged, backEnd: 'js' });
        expect(
          firstDifference(reference, play(definition, { voices, seed: voices, plugged })),
          `${voices} voices, SEED=${SEED}`,
        ).toBeUndefined();
      }
    });

    it('is the same for any split into blocks', () => {
      for (const voices of [1, 6]) {
        const whole = play(definition, { voices, seed: 11, plugged });
        for (const block of [1, 7, 64, 500])
          expect(
            firstDifference(whole, play(definition, { voices, seed: 11, plugged }, block)),
            `${voices} voices, block ${block}, SEED=${SEED}`,
          ).toBeUndefined();
      }
    });

    it('stays finite at both ends of every parameter', () => {
      for (const end of ['min', 'max'] as const) {
        const rig = prepared(definition, { voices: 4, seed: 13, plugged });
        for (const [name, spec] of Object.entries(definition.params)) rig.set(name, extreme(spec, end));
        rig.run(FRAMES);
        for (const name of Object.keys(definition.outputs)) expect(rig.output(name).every(Number.isFinite), `${name} at ${end}`).toBe(true);
      }
    });
  });

  if (packable(definition))
    it('is the same alone and as a lane among other modules', () => {
      const signals = Object.entries(definition.inputs).map(
        ([name, spec], i) => [name, [0, 1, 2, 3].map((lane) => signal(spec.kind, random(SEED + 100 * lane + i)))] as const,
      );
      const values = Object.entries(definition.params).map(
        ([name, spec], i) => [name, spec, [0, 1, 2, 3].map((lane) => between(spec, random(SEED + 31 * lane + i)()))] as const,
      );
      const run = (rig: Rig): Rig => {
        rig.run(500, 64);
        for (const [name, spec, all] of values) rig.set(name, all[3]!, spec.kind === 'number' ? 100 : 0);
        return rig.run(FRAMES, 64, 500);
      };
      const alone = [0, 1, 2, 3].map((lane) => {
        const rig = new Rig(definition, {
          inputs: Object.keys(definition.inputs),
          params: Object.fromEntries(values.map(([name, , all]) => [name, all[lane]!])),
          maxFrames: FRAMES,
          path: pathOf(definition),
        });
        for (const [name, lanes] of signals) rig.input(name, lanes[lane]!);
        return run(rig);
      });
      for (const packed of [[0, 1, 2, 3], [0, 2], [3]])
        for (const kind of ['g', 'h'] as const)
          for (const backEnd of ['wasm', 'js'] as const) {
            const inputs = Object.fromEntries(Object.keys(definition.inputs).map((name) => [name, kind]));
            const rig = new Rig(definition, {
              packed,
              backEnd,
              inputs,
              params: Object.fromEntries(values.map(([name, , all]) => [name, all])),
              maxFrames: FRAMES,
              path: pathOf(definition),
            });
            for (const [name, lanes] of signals) for (const lane of packed) rig.input(name, lanes[lane]!, { voice: lane });
            run(rig);
            for (const name of Object.keys(definition.outputs))
              for (const lane of packed)
                expect(
                  firstDifference([alone[lane]!.output(name)], [rig.output(name, { voice: lane })]),
                  `${name}, lane ${lane} of ${packed}, ${kind}, ${backEnd}`,
                ).toBeUndefined();
          }
    });

  it('falls silent without denormal numbers', () => {
    // Signals, then nothing, or a constant, for long enough that what decays has decayed.
    const frames = 48_000 * 4;
    for (const rest of [0, 0.1]) {
      const next = random(SEED);
      const inputs = Object.keys(definition.inputs);
      const rig = new Rig(definition, { inputs, maxFrames: frames, path: pathOf(definition) });
      for (const [name, spec] of Object.entries(definition.inputs)) rig.input(name, rest).input(name, signal(spec.kind, next));
      rig.run(frames, 256);
      const { layout } = rig.shape;
      const floats = new Float32Array(rig.state().buffer);
      const kinds = Object.values(definition.state).filter((spec) => typeof spec !== 'object' || spec.kind !== 'buffer');
      const header = STATE.HEADER_BYTES / 4;
      const values = kinds.flatMap((spec, i) => (typeof spec === 'number' ? [floats[header + layout.states[i]!]!] : []));
      for (const { offset, length } of layout.buffers)
        values.push(...floats.subarray(header + offset / 4, header + offset / 4 + Math.min(length, 8192)));
      const denormal = values.filter((value) => value !== 0 && Math.abs(value) < 2 ** -126);
      expect(denormal, `after ${rest} V`).toEqual([]);
    }
  });

  it('starts the same whenever it is made', () => {
    const options = { voices: 2, seed: 17, plugged: true };
    expect(Buffer.compare(prepared(definition, options).state(), prepared(definition, options).state())).toBe(0);
    expect(firstDifference(play(definition, options), play(definition, options))).toBeUndefined();
  });
});
