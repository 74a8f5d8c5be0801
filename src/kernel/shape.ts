// What a back end is given: the live graph of a kernel and how it meets the arena.
import type { LiveGraph } from './ir.js';
import type { StateLayout } from './layout.js';

/**
 * How an input is fed:
 * `-` not at all; `m` by a channel of its own, 4 bytes a frame; `f` by one channel of an interleaved buffer, 16 bytes a frame;
 * `p` by as many lanes as the kernel has; `1`..`4` by the sum of that many lane groups.
 * Where the lanes are modules of their own, `m` and `f` are one channel for all of them, `g` and `h` are the same kinds with
 * a channel for each lane, and sums are taken for each lane.
 */
export type InputKind = '-' | 'm' | 'f' | 'p' | 'g' | 'h' | '1' | '2' | '3' | '4';
export const groupsSummed = (kind: InputKind): number => (kind >= '1' && kind <= '4' ? Number(kind) : 0);

/** Whether every lane of such an input has a pointer of its own. */
export const perLane = (kind: InputKind): boolean => kind === 'g' || kind === 'h' || groupsSummed(kind) > 0;

export interface KernelShape {
  readonly graph: LiveGraph;
  readonly layout: StateLayout;
  /** By input, in the spec's order. */
  readonly inputs: readonly InputKind[];
  /** By output: whether anything uses it. */
  readonly outputs: readonly boolean[];
  /** The lanes that compute; the others keep their state. */
  readonly active: readonly number[];
  /** The lanes are modules of their own. */
  readonly packed: boolean;
  /** The last lane group has lanes that are no voices; outputs are masked. */
  readonly partial: boolean;
  /** By parameter: whether it can ramp. */
  readonly ramps: readonly boolean[];
  /** Where each table begins, in bytes, and its length in elements. */
  readonly tables: readonly { readonly offset: number; readonly length: number }[];
  /** Whether a node has the same value in all voices. */
  readonly uniform: (node: LiveGraph['outputs'][number] & object) => boolean;
}

/** Position of each plugged input's first port and of each used output among the ports of a STEP record; −1 = absent. */
export function portOrder(shape: Pick<KernelShape, 'inputs' | 'outputs' | 'active' | 'packed'>): {
  inputs: number[];
  outputs: number[];
  count: number;
} {
  let count = 0;
  const take = (ports: number): number => (count += ports) - ports;
  const inputs = shape.inputs.map((kind) => (kind === '-' ? -1 : take(shape.packed && perLane(kind) ? shape.active.length : 1)));
  const outputs = shape.outputs.map((used) => (used ? take(1) : -1));
  return { inputs, outputs, count };
}

/** Bytes from one frame to the next in an input's buffer. */
export const inputFrameBytes = (kind: InputKind): number => (kind === 'm' || kind === 'g' ? 4 : 16);
