// What a back end is given: the live graph of a kernel and how it meets the arena.
import type { LiveGraph } from './ir.js';
import type { StateLayout } from './layout.js';

/**
 * How an input is fed: `-` not at all; `m` by one channel; `p` by as many lanes as the module has; into a monophonic module:
 * `f` by the first voice of a polyphonic cable, `1`..`4` by the sum of that many lane groups.
 */
export type InputKind = '-' | 'm' | 'p' | 'f' | '1' | '2' | '3' | '4';
export const groupsSummed = (kind: InputKind): number => (kind >= '1' && kind <= '4' ? Number(kind) : 0);

export interface KernelShape {
  readonly graph: LiveGraph;
  readonly layout: StateLayout;
  /** By input, in the spec's order. */
  readonly inputs: readonly InputKind[];
  /** By output: whether anything uses it. */
  readonly outputs: readonly boolean[];
  /** The last lane group has lanes that are no voices; outputs are masked. */
  readonly partial: boolean;
  /** By parameter: whether it can ramp. */
  readonly ramps: readonly boolean[];
  /** Where each table begins, in bytes, and its length in elements. */
  readonly tables: readonly { readonly offset: number; readonly length: number }[];
  /** Whether a node has the same value in all voices. */
  readonly uniform: (node: LiveGraph['outputs'][number] & object) => boolean;
}

/** Position of each plugged input and used output among the ports of a STEP record; −1 = absent. */
export function portOrder(shape: Pick<KernelShape, 'inputs' | 'outputs'>): { inputs: number[]; outputs: number[]; count: number } {
  let count = 0;
  const inputs = shape.inputs.map((kind) => (kind === '-' ? -1 : count++));
  const outputs = shape.outputs.map((used) => (used ? count++ : -1));
  return { inputs, outputs, count };
}

/** Bytes from one frame to the next in an input's buffer. */
export const inputFrameBytes = (kind: InputKind): number => (kind === 'm' ? 4 : 16);
