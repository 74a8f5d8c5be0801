// Code for the operations of a kernel graph: values into locals and onto the stack.
import { VECTOR_VOICE } from '../../shared/layout.js';
import type { Access, Node, Type } from '../ir.js';
import { lazyGroups, type LazyGroup } from '../lazy.js';
import type { KernelShape } from '../shape.js';
import { Bytes, F32, I32, OP, V128, type ValueType } from './encoder.js';
import { instruction, isShift } from './instructions.js';

/** Parameters of a kernel function. */
export const [STEP_ARG, OFFSET_ARG, FRAMES_ARG] = [0, 1, 2] as const;
const PARAMETERS = 3;

/** Nodes that have a local anyway, or need none. */
const IN_LOCALS: ReadonlySet<string> = new Set(['const', 'input', 'param', 'state']);

/** Locals of one lane group while its code is emitted. */
export interface Copy {
  readonly states: Map<number, number>;
  readonly params: Map<number, number>;
  readonly inputValues: Map<number, number>;
  /** Running pointers: of each input one, or one per lane; of each output one. −1 = another copy's serves. */
  readonly inputs: number[][];
  readonly outputs: number[];
  /** The vector of lanes that are voices, or −1. */
  readonly mask: number;
  /** Address of this lane group: a local, or −1 for the first copy. */
  readonly base: number;
  /** Locals of nodes computed already. */
  values: Map<number, number>;
  /** Inside a branch: what is computed there is unknown after it. */
  branched: boolean;
}

export class Expressions {
  protected readonly code = new Bytes();
  protected readonly locals: ValueType[] = [];
  protected readonly simd: boolean;
  protected readonly vectorBytes: number;
  protected readonly lazy: Map<number, LazyGroup>;
  /** Locals: address of the first copy's lane group, and of the tables. */
  protected readonly base: number;
  protected readonly tables: number;

  constructor(protected readonly shape: KernelShape) {
    this.simd = shape.layout.lanes === 4;
    this.vectorBytes = shape.layout.lanes * 4;
    this.lazy = lazyGroups(shape.graph, shape.graph.rare);
    this.base = this.local(I32);
    this.tables = this.local(I32);
  }

  protected local(type: ValueType): number {
    this.locals.push(type);
    return PARAMETERS + this.locals.length - 1;
  }
  protected valueType(type: Type): ValueType {
    return this.simd ? V128 : type === 'f32' ? F32 : I32;
  }

  /** Pushes the address of a copy's lane group. */
  protected groupBase(copy: Pick<Copy, 'base'>): Bytes {
    return this.code.get(copy.base < 0 ? this.base : copy.base);
  }
  /** Pushes a vector of the lane group. */
  protected loadVector(copy: Pick<Copy, 'base'>, vector: number, type: Type): Bytes {
    const code = this.simd ? OP.v128Load : type === 'f32' ? OP.f32Load : OP.i32Load;
    return this.groupBase(copy).memory(code, vector * this.vectorBytes);
  }

  /** Computes a node into a local of its own. */
  protected keep(copy: Copy, node: Node): void {
    if (copy.values.has(node.id) || IN_LOCALS.has(node.op)) return;
    this.push(copy, node);
    if (copy.values.has(node.id)) {
      // It was kept on the way.
      this.code.op(OP.drop);
      return;
    }
    const local = this.local(this.valueType(node.type));
    this.code.set(local);
    copy.values.set(node.id, local);
  }

  /** Leaves a node's value on the stack. */
  protected push(copy: Copy, node: Node): void {
    const c = this.code;
    const kept = copy.values.get(node.id);
    if (kept !== undefined) return void c.get(kept);
    switch (node.op) {
      case 'const':
        return this.#constant(node);
      case 'input':
        return void c.get(copy.inputValues.get(node.value)!);
      case 'param':
        return void c.get(copy.params.get(node.value)!);
      case 'state':
        return void c.get(copy.states.get(node.value)!);
      case 'voice':
        return void this.loadVector(copy, VECTOR_VOICE, 'f32');
      default:
    }
    this.#compute(copy, node);
    if ((this.shape.graph.uses.get(node.id) ?? 0) < 2) return;
    const local = this.local(this.valueType(node.type));
    c.tee(local);
    copy.values.set(node.id, local);
  }

  #constant(node: Node): void {
    const c = this.code;
    if (!this.simd) return void (node.type === 'f32' ? c.float(node.value) : c.int(node.value));
    c.op(OP.v128Const);
    for (let lane = 0; lane < 4; lane++) {
      if (node.type === 'f32') c.f32(node.value);
      else {
        const bits = node.type === 'bool' ? -node.value : node.value;
        c.u8(bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, bits >>> 24);
      }
    }
  }

  #compute(copy: Copy, node: Node): void {
    const c = this.code;
    const [a, b, x] = node.args as [Node, Node, Node];
    if (node.op === 'load') return this.#load(copy, node);
    if (node.op === 'table') return this.#table(copy, node);
    if (node.op === 'select') {
      const group = this.lazy.get(node.id);
      if (group && !copy.branched) return this.#branch(copy, node, group);
      const zero = (n: Node): boolean => n.op === 'const' && Object.is(n.value, 0);
      if (this.simd && zero(x)) {
        this.push(copy, b);
        this.push(copy, a);
        return void c.op(OP.v128And);
      }
      if (this.simd && zero(b)) {
        this.push(copy, x);
        this.push(copy, a);
        return void c.op(OP.v128AndNot);
      }
      this.push(copy, b);
      this.push(copy, x);
      this.push(copy, a);
      return void c.op(this.simd ? OP.v128Bitselect : OP.select);
    }
    if (!this.simd && (node.op === 'min' || node.op === 'max')) {
      const [left, right] = [this.local(F32), this.local(F32)];
      this.push(copy, b);
      c.tee(right);
      this.push(copy, a);
      c.tee(left);
      c.get(right)
        .get(left)
        .op(node.op === 'min' ? OP.f32Lt : OP.f32Gt);
      return void c.op(OP.select);
    }
    if (!this.simd && node.op === 'not' && node.type === 'i32') {
      this.push(copy, a);
      return void c.int(-1).op(OP.i32Xor);
    }
    for (const arg of node.args) this.push(copy, arg);
    if (isShift(node)) c.int(node.value);
    const code = instruction(node, this.simd);
    if (code === undefined) throw new Error(`no instruction for ${node.op}`);
    if (code) c.op(code);
  }

  /** Selects of one condition, with a branch around what the side seldom taken alone needs. */
  #branch(copy: Copy, wanted: Node, group: LazyGroup): void {
    const c = this.code;
    const { condition, then, selects, exclusive } = group;
    const [taken, other] = then ? [1, 2] : [2, 1];
    // What is computed inside counts inside only; so all that is of use outside comes first.
    this.keep(copy, condition);
    this.#keepOutside(copy, selects, taken, exclusive);
    const results = selects.map((select) => {
      const local = this.local(this.valueType(select.type));
      this.push(copy, select.args[other]!);
      c.set(local);
      return local;
    });
    this.push(copy, condition);
    if (this.simd) c.op(then ? OP.v128AnyTrue : OP.i32x4AllTrue);
    if (!then) c.op(OP.i32Eqz);
    c.block(OP.if);
    const outside = copy.values;
    copy.values = new Map(outside);
    copy.branched = true;
    selects.forEach((select, i) => {
      this.push(copy, select.args[taken]!);
      if (this.simd) {
        c.get(results[i]!);
        this.push(copy, condition);
        if (then) c.op(OP.v128Bitselect);
        else c.op(OP.v128Not).op(OP.v128Bitselect);
      }
      c.set(results[i]!);
    });
    c.end();
    copy.branched = false;
    copy.values = outside;
    selects.forEach((select, i) => copy.values.set(select.id, results[i]!));
    c.get(copy.values.get(wanted.id)!);
  }

  /** Computes what the sides behind a branch need and others need too. */
  #keepOutside(copy: Copy, selects: readonly Node[], side: number, exclusive: ReadonlySet<number>): void {
    const seen = new Set<number>();
    const visit = (node: Node): void => {
      if (seen.has(node.id)) return;
      seen.add(node.id);
      if (exclusive.has(node.id)) node.args.forEach(visit);
      else this.keep(copy, node);
    };
    for (const select of selects) visit(select.args[side]!);
  }

  // ── memory ──

  #table(copy: Copy, node: Node): void {
    const c = this.code;
    const { offset, length } = this.shape.tables[node.value]!;
    const index = this.local(this.valueType('i32'));
    this.push(copy, node.args[0]!);
    if (!this.simd) {
      // As unsigned, so that a negative index is beyond the end too.
      c.set(index)
        .get(index)
        .int(length - 1)
        .get(index)
        .int(length)
        .op(OP.i32LtU)
        .op(OP.select);
      return void c.int(2).op(OP.i32Shl).get(this.tables).op(OP.i32Add).memory(OP.f32Load, offset);
    }
    this.#constant({ ...node, type: 'i32', value: length - 1 });
    c.op(OP.i32x4MinU).int(2).op(OP.i32x4Shl).set(index);
    this.#gather(() => c.get(this.tables), index, offset);
  }

  /** Four loads, one per lane, at `base() + index lane + offset`. */
  #gather(base: () => void, index: number, offset: number): void {
    const c = this.code;
    for (let lane = 0; lane < 4; lane++) {
      if (lane > 0) c.get(index).op(OP.i32x4ExtractLane).u8(lane);
      else c.get(index).op(OP.i32x4ExtractLane).u8(0);
      base();
      c.op(OP.i32Add).memory(OP.f32Load, offset);
      if (lane === 0) c.op(OP.f32x4Splat);
      else c.op(OP.f32x4ReplaceLane).u8(lane);
    }
  }

  /** Pushes the byte address of an element in a scalar buffer, or of a vector in one that all lanes index alike. */
  #element(copy: Copy, index: Node, length: number): void {
    const c = this.code;
    this.push(copy, index);
    if (this.simd) c.op(OP.i32x4ExtractLane).u8(0);
    c.int(length - 1)
      .op(OP.i32And)
      .int(this.simd ? 4 : 2)
      .op(OP.i32Shl);
    this.groupBase(copy).op(OP.i32Add);
  }

  /** Byte offsets, per lane, of an element that differs between lanes; into a local. */
  #elements(copy: Copy, index: Node, length: number): number {
    const c = this.code;
    const local = this.local(V128);
    this.push(copy, index);
    this.#constant({ ...index, type: 'i32', value: length - 1 });
    c.op(OP.v128And).int(4).op(OP.i32x4Shl).op(OP.v128Const);
    for (let lane = 0; lane < 4; lane++) c.u8(lane * 4, 0, 0, 0);
    c.op(OP.i32x4Add).set(local);
    return local;
  }

  #load(copy: Copy, node: Node): void {
    const c = this.code;
    const { offset, length } = this.shape.layout.buffers[node.value]!;
    const index = node.args[0]!;
    if (!this.simd || this.shape.uniform(index)) {
      this.#element(copy, index, length);
      return void c.memory(this.simd ? OP.v128Load : OP.f32Load, offset);
    }
    const elements = this.#elements(copy, index, length);
    this.#gather(() => this.groupBase(copy), elements, offset);
  }

  protected store(copy: Copy, access: Access & { kind: 'store' }): void {
    const c = this.code;
    const { offset, length } = this.shape.layout.buffers[access.buffer]!;
    const { index, value, mask } = access;
    if (!this.simd || this.shape.uniform(index)) {
      const address = this.local(I32);
      this.#element(copy, index, length);
      c.tee(address);
      this.push(copy, value);
      if (mask) {
        c.get(address).memory(this.simd ? OP.v128Load : OP.f32Load, offset);
        this.push(copy, mask);
        c.op(this.simd ? OP.v128Bitselect : OP.select);
      }
      return void c.memory(this.simd ? OP.v128Store : OP.f32Store, offset);
    }
    const elements = this.#elements(copy, index, length);
    const stored = this.local(V128);
    this.push(copy, value);
    if (mask) {
      this.#gather(() => this.groupBase(copy), elements, offset);
      this.push(copy, mask);
      c.op(OP.v128Bitselect);
    }
    c.set(stored);
    for (let lane = 0; lane < 4; lane++) {
      c.get(elements).op(OP.i32x4ExtractLane).u8(lane);
      this.groupBase(copy).op(OP.i32Add);
      c.get(stored).op(OP.f32x4ExtractLane).u8(lane).memory(OP.f32Store, offset);
    }
  }
}
