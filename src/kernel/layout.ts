// Where a module's state lies in the arena: the same for every kernel of the module, whatever is plugged.
import type { BufferState, ModuleDefinition, StateSpec } from '../module.js';
import { PARAM, STATE, VECTOR_PARAMS } from '../shared/layout.js';
import type { Type } from './ir.js';

/** Lanes of a kernel: a monophonic module runs alone, voices run four to a register. */
export type Lanes = 1 | 4;
export const lanesFor = (voices: number): Lanes => (voices === 1 ? 1 : 4);

/**
 * Whether monophonic modules of a type may share a state, a lane each, and so a kernel call. Not those with long memories, which
 * would be reserved for empty lanes; among these are all that play notes, whose voices must have a state of their own.
 */
export const packable = (definition: ModuleDefinition): boolean =>
  definition.role !== 'output' &&
  !Object.values(definition.state).some(
    (spec) => typeof spec === 'object' && spec.kind === 'buffer' && !((spec.length ?? Infinity) <= MAX_PACKED_BUFFER),
  );
const MAX_PACKED_BUFFER = 64;

/** Hidden state of `Math.random`: xoshiro128+ by Blackman and Vigna, https://prng.di.unimi.it/xoshiro128plus.c */
export const RANDOM_STATES = 4;

/** States that are plain values, in spec order (buffers are numbered apart). */
export const scalarStates = (definition: ModuleDefinition): [string, StateSpec][] =>
  Object.entries(definition.state).filter(([, spec]) => !(typeof spec === 'object' && spec.kind === 'buffer'));
export const stateType = (spec: StateSpec): Type => (typeof spec === 'number' ? 'f32' : typeof spec === 'boolean' ? 'bool' : 'i32');

/** Elements of a buffer per voice: a power of two that holds `seconds` and what an interpolating reader needs. */
export function bufferLength(spec: BufferState, sampleRate: number): number {
  const wanted = spec.length ?? Math.ceil(spec.seconds! * sampleRate) + 4;
  return 2 ** Math.ceil(Math.log2(Math.max(1, wanted)));
}

/** Offsets in a lane group. */
export interface StateLayout {
  readonly lanes: Lanes;
  /** Vector number of each parameter's first vector. */
  readonly params: readonly number[];
  /** Vector number of each scalar state, hidden ones last. */
  readonly states: readonly number[];
  /** Vector number of what keeps the last sample of the first used output; of the others behind it. */
  readonly lastOutputs: number;
  /** Byte offset and length in elements of each buffer. */
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly groupBytes: number;
}

const align = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

export function stateLayout(definition: ModuleDefinition, lanes: Lanes, sampleRate: number): StateLayout {
  const params = Object.keys(definition.params).map((_, i) => VECTOR_PARAMS + i * PARAM.VECTORS);
  const firstState = VECTOR_PARAMS + params.length * PARAM.VECTORS;
  const stateCount = scalarStates(definition).length + RANDOM_STATES;
  const states = Array.from({ length: stateCount }, (_, i) => firstState + i);
  const lastOutputs = firstState + stateCount;
  let offset = align((lastOutputs + Object.keys(definition.outputs).length) * lanes * 4, 64);
  const buffers = Object.values(definition.state).flatMap((spec) => {
    if (typeof spec !== 'object' || spec.kind !== 'buffer') return [];
    const placed = { offset, length: bufferLength(spec, sampleRate) };
    offset = align(offset + placed.length * lanes * 4, 64);
    return [placed];
  });
  return { lanes, params, states, lastOutputs, buffers, groupBytes: offset };
}

/** Bytes of the whole state of a module with `voices` voices, and of the first values of its scalar states. */
export const stateBytes = (layout: StateLayout, voices: number): number =>
  STATE.HEADER_BYTES + (layout.groupBytes + layout.states.length * layout.lanes * 4) * Math.ceil(voices / layout.lanes);
