// The first state of a module: header, voices, parameters, seeds. Written by control before any plan names it.
import { playsNotes, type ModuleDefinition, type ParamSpec } from '../module.js';
import { MUTED_REVIVE, PARAM, STATE, VECTOR_MASK, VECTOR_VOICE } from '../shared/layout.js';
import { RANDOM_STATES, scalarStates, type StateLayout } from './layout.js';

/** A parameter's default as the number a kernel sees: an enum's index, a toggle's 0 or 1. */
export const defaultValue = (spec: ParamSpec): number => (spec.kind === 'enum' ? spec.values.indexOf(spec.default) : Number(spec.default));

/** 32-bit hash of a text (FNV-1a), mixed with a seed. */
export function hashSeed(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** SplitMix32: the next of a sequence of well-mixed words, for seeding. */
export function splitMix(state: number): { state: number; word: number } {
  const next = (state + 0x9e3779b9) | 0;
  let z = next ^ (next >>> 16);
  z = Math.imul(z, 0x21f0aaad);
  z ^= z >>> 15;
  z = Math.imul(z, 0x735a2d97);
  return { state: next, word: z ^ (z >>> 15) };
}

export interface InitialState {
  readonly voices: number;
  /** Of a monophonic module that shares its state: the lane that is its own. */
  readonly lane?: number | undefined;
  /** By parameter in spec order: one value for all voices, or one each. */
  readonly params: readonly (readonly number[])[];
  /** Seeds this module's random numbers; every voice gets its own. */
  readonly seed: number;
}

/** Writes a module's first state at byte address `address`; the memory there must be zero, unless it is but a lane of it. */
export function writeState(
  memory: SharedArrayBuffer | ArrayBuffer,
  address: number,
  definition: ModuleDefinition,
  layout: StateLayout,
  initial: InitialState,
): void {
  const floats = new Float32Array(memory);
  const ints = new Int32Array(memory);
  const { lanes, groupBytes } = layout;
  const groups = Math.ceil(initial.voices / lanes);
  const header = address / 4;
  const packed = initial.lane !== undefined;
  ints[header + STATE.PACKED] = Number(packed);
  ints[header + STATE.LANES] = lanes;
  ints[header + STATE.GROUPS] = groups;
  ints[header + STATE.GROUP_BYTES] = groupBytes;
  ints[header + STATE.VOICES] = packed ? lanes : initial.voices;
  ints[header + STATE.PARAMS] = layout.params.length;
  ints[header + STATE.KEYS] = playsNotes(definition) ? layout.buffers[0]!.offset : 0;
  ints[header + STATE.SCALARS] = layout.states.length;
  ints[header + STATE.OUTPUTS] = Object.keys(definition.outputs).length;
  ints[header + STATE.RAMP_FRAMES + (initial.lane ?? 0)] = 0;
  // The module that had the lane before may have been bypassed.
  if (packed) Atomics.and(ints, header + STATE.MUTED, ~((1 | (1 << MUTED_REVIVE)) << initial.lane));
  const scalars = scalarStates(definition);
  for (let voice = 0; voice < (packed ? 1 : groups * lanes); voice++) {
    const base = (address + STATE.HEADER_BYTES + Math.floor(voice / lanes) * groupBytes) / 4;
    const lane = initial.lane ?? voice % lanes;
    const at = (vector: number): number => base + vector * lanes + lane;
    ints[at(VECTOR_MASK)] = voice < initial.voices ? -1 : 0;
    floats[at(VECTOR_VOICE)] = voice;
    for (const { offset, length } of packed ? layout.buffers : [])
      for (let i = 0; i < length; i++) floats[base + offset / 4 + i * lanes + lane] = 0;
    layout.params.forEach((vector, i) => {
      const values = initial.params[i]!;
      // Lanes that are no voices get the last voice's value: any legal one will do.
      const value = values[Math.min(voice, values.length - 1)]!;
      floats[at(vector + PARAM.VALUE)] = value;
      floats[at(vector + PARAM.TARGET)] = value;
    });
    scalars.forEach(([, spec], i) => {
      const index = at(layout.states[i]!);
      if (typeof spec === 'number') floats[index] = spec;
      else if (typeof spec === 'boolean') ints[index] = spec ? -1 : 0;
      else if (spec.kind === 'int') ints[index] = spec.initial;
    });
    let state = hashSeed(String(voice), initial.seed);
    for (let i = 0; i < RANDOM_STATES; i++) {
      const next = splitMix(state);
      state = next.state;
      ints[at(layout.states[scalars.length + i]!)] = next.word;
    }
    for (let output = 0; output < ints[header + STATE.OUTPUTS]!; output++) ints[at(layout.lastOutputs + output)] = 0;
    // Kept for the case that the voice must begin anew.
    const group = Math.floor(voice / lanes);
    const first = header + (STATE.HEADER_BYTES + groups * groupBytes) / 4 + group * layout.states.length * lanes + lane;
    layout.states.forEach((vector, i) => (ints[first + i * lanes] = ints[at(vector)]!));
  }
}
