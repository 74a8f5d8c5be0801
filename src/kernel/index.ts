// The kernel compiler: a module and a situation in, code for every back end out.
import { playsNotes, type ModuleDefinition } from '../module.js';
import { NOTE } from '../shared/layout.js';
import { prune, uniformNodes } from './ir.js';
import { lanesFor, scalarStates, stateLayout, type Lanes, type StateLayout } from './layout.js';
import { lower } from './lower.js';
import type { InputKind, KernelShape } from './shape.js';
import { modulePath } from './source.js';

export { KernelError } from './source.js';
export { makeJsKernel } from './js/backend.js';
export { lanesFor, packable, stateBytes, stateLayout, scalarStates, type Lanes, type StateLayout } from './layout.js';
export { portOrder, type InputKind, type KernelShape } from './shape.js';

/** One situation of a module in a plan. */
export interface KernelVariant {
  readonly sampleRate: number;
  readonly voices: number;
  /** Set where lanes are monophonic modules of their own: the lanes that compute. */
  readonly packed?: readonly number[] | undefined;
  /** By input, in the spec's order. */
  readonly inputs: readonly InputKind[];
  /** By output: whether anything uses it. */
  readonly outputs: readonly boolean[];
}

/** Equal for variants that have the same code. */
export const variantKey = (type: string, v: KernelVariant): string =>
  `${type} ${v.packed ? `p${v.packed.join('')}` : v.voices === 1 ? 1 : v.voices % 4 ? '4-' : 4} ${v.inputs.join('')} ${v.outputs.map(Number).join('')} ${v.sampleRate}`;

/** Byte offset of each of a module's tables, 16-byte aligned, and the size of all. */
export function tableLayout(definition: ModuleDefinition): { tables: { offset: number; length: number }[]; bytes: number } {
  let bytes = 0;
  const tables = Object.values(definition.tables).map((table) => {
    const offset = bytes;
    bytes += Math.ceil(table.length / 4) * 16;
    return { offset, length: table.length };
  });
  return { tables, bytes };
}

/**
 * Reads, types and simplifies a module for one situation.
 * @param path source file; `modules/<type>.ts` unless given
 * @throws KernelError
 */
export function kernelShape(definition: ModuleDefinition, variant: KernelVariant, path = modulePath(definition.type)): KernelShape {
  const { packed } = variant;
  const lanes: Lanes = packed ? 4 : lanesFor(variant.voices);
  const layout: StateLayout = stateLayout(definition, lanes, variant.sampleRate);
  // What the events of notes write and read, voice by voice.
  const sharedStates = playsNotes(definition) ? NOTE.COUNT : 0;
  const graph = prune(
    lower(definition, path, { sampleRate: variant.sampleRate, plugged: variant.inputs.map((kind) => kind !== '-') }),
    variant.outputs,
    sharedStates,
  );
  const scalarCount = scalarStates(definition).length;
  return {
    graph,
    layout,
    inputs: variant.inputs,
    outputs: variant.outputs,
    active: packed ?? Array.from({ length: lanes }, (_, lane) => lane),
    packed: packed !== undefined,
    partial: !packed && lanes === 4 && variant.voices % 4 !== 0,
    ramps: Object.values(definition.params).map((param) => param.kind === 'number' && param.ramp > 0),
    tables: tableLayout(definition).tables,
    // The random generator is seeded per voice; all else begins alike.
    uniform: uniformNodes(
      graph,
      layout.states.map((_, i) => !packed && i >= sharedStates && i < scalarCount),
    ),
  };
}
