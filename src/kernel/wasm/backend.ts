// The WebAssembly back end: a kernel graph to one function `kernel(step, offset, frames)`, for one lane or four.
//
// Shape of the function: read the STEP record and the module's header; for each lane group: load its states, run the ramp
// loop for the frames in which a parameter moves, then the plain loop with everything that depends on parameters hoisted
// before it, store the states. Four-lane kernels take two groups per turn while nothing ramps, for their independent work
// fills the latencies of each other's recursions.
import { PARAM, STATE, STEP, VECTOR_MASK, VECTOR_VOICE } from '../../shared/layout.js';
import { countOperations, RATE, type Access, type Node, type Type } from '../ir.js';
import { lazyGroups, type LazyGroup } from '../lazy.js';
import { groupsSummed, inputFrameBytes, portOrder, type KernelShape } from '../shape.js';
import { Bytes, encodeModule, F32, I32, OP, V128, type ValueType } from './encoder.js';
import { instruction, isShift } from './instructions.js';

/** Kernels with more per-sample operations take one group per turn: two would not fit the registers. */
const PAIR_MAX_OPERATIONS = 100;

/** Nodes that have a local anyway, or need none. */
const IN_LOCALS: ReadonlySet<string> = new Set(['const', 'input', 'param', 'state']);

const [STEP_ARG, OFFSET_ARG, FRAMES_ARG] = [0, 1, 2] as const;

/** Locals and code of one lane group while it is emitted. */
interface Copy {
  readonly states: Map<number, number>;
  /** Running pointer of each port. */
  readonly inputs: number[];
  readonly outputs: number[];
  readonly params: Map<number, number>;
  readonly inputValues: Map<number, number>;
  readonly mask: number;
  /** Bytes from the turn's base to this group: a local, or −1 for the first copy. */
  readonly base: number;
  values: Map<number, number>;
  /** Inside a branch: what is computed there is unknown after it. */
  branched: boolean;
}

class Backend {
  readonly #code = new Bytes();
  readonly #locals: ValueType[] = [];
  readonly #simd: boolean;
  readonly #vectorBytes: number;
  readonly #ports;
  readonly #state: number;
  readonly #base: number;
  readonly #groups: number;
  readonly #ramped: number;
  readonly #plain: number;
  readonly #count: number;
  readonly #tables: number;
  readonly #portBase: number[] = [];
  readonly #portStride: number[] = [];
  readonly #lazy: Map<number, LazyGroup>;

  constructor(readonly shape: KernelShape) {
    this.#simd = shape.layout.lanes === 4;
    this.#vectorBytes = shape.layout.lanes * 4;
    this.#ports = portOrder(shape);
    this.#lazy = lazyGroups(shape.graph, shape.graph.rare);
    [this.#state, this.#base, this.#groups, this.#ramped, this.#plain, this.#count, this.#tables] = Array.from({ length: 7 }, () =>
      this.#local(I32),
    ) as [number, number, number, number, number, number, number];
  }

  #local(type: ValueType): number {
    this.#locals.push(type);
    return 3 + this.#locals.length - 1;
  }
  #valueType(type: Type): ValueType {
    return this.#simd ? V128 : type === 'f32' ? F32 : I32;
  }

  emit(): Uint8Array<ArrayBuffer> {
    const c = this.#code;
    const canRamp = this.shape.ramps.some(Boolean);
    this.#prologue(canRamp);
    if (this.#simd && this.#pairs()) {
      // Pairs of groups while there are two and nothing ramps.
      c.get(this.#ramped).op(OP.i32Eqz).block(OP.if).block(OP.block).block(OP.loop);
      c.get(this.#groups).int(2).op(OP.i32LtU).branch(OP.brIf, 1);
      this.#turn(2, false);
      c.branch(OP.br, 0).end().end().end();
    }
    c.block(OP.block).block(OP.loop);
    c.get(this.#groups).op(OP.i32Eqz).branch(OP.brIf, 1);
    this.#turn(1, canRamp);
    c.branch(OP.br, 0).end().end();
    return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: this.#locals, body: c }]);
  }

  /** Whether two groups at once are faster: their recursions overlap, but branches spoil it. */
  #pairs(): boolean {
    const branches = [...this.#lazy.values()].some((group) => this.shape.graph.rare.has(group.condition.id));
    return !branches && countOperations(this.shape.graph) <= PAIR_MAX_OPERATIONS;
  }

  #prologue(canRamp: boolean): void {
    const c = this.#code;
    const { inputs, outputs } = this.#ports;
    c.get(STEP_ARG)
      .memory(OP.i32Load, STEP.STATE * 4)
      .set(this.#state);
    c.get(STEP_ARG)
      .memory(OP.i32Load, STEP.TABLES * 4)
      .set(this.#tables);
    c.get(this.#state)
      .memory(OP.i32Load, STATE.GROUPS * 4)
      .set(this.#groups);
    c.get(this.#state).int(STATE.HEADER_BYTES).op(OP.i32Add).set(this.#base);
    const port = (position: number, frameBytes: number): void => {
      const at = (STEP.PORTS + position * 2) * 4;
      this.#portBase[position] = this.#local(I32);
      this.#portStride[position] = this.#local(I32);
      c.get(STEP_ARG).memory(OP.i32Load, at).get(OFFSET_ARG).int(frameBytes).op(OP.i32Mul).op(OP.i32Add).set(this.#portBase[position]!);
      c.get(STEP_ARG)
        .memory(OP.i32Load, at + 4)
        .set(this.#portStride[position]!);
    };
    inputs.forEach((position, i) => position >= 0 && port(position, inputFrameBytes(this.shape.inputs[i]!)));
    outputs.forEach((position) => position >= 0 && port(position, this.#vectorBytes));
    if (canRamp) {
      c.get(FRAMES_ARG)
        .get(this.#state)
        .memory(OP.i32Load, STATE.RAMP_FRAMES * 4)
        .tee(this.#ramped);
      c.get(FRAMES_ARG).get(this.#ramped).op(OP.i32LtU).op(OP.select).set(this.#ramped);
      c.get(this.#state)
        .get(this.#state)
        .memory(OP.i32Load, STATE.RAMP_FRAMES * 4)
        .get(this.#ramped)
        .op(OP.i32Sub);
      c.memory(OP.i32Store, STATE.RAMP_FRAMES * 4);
    }
    c.get(FRAMES_ARG).get(this.#ramped).op(OP.i32Sub).set(this.#plain);
  }

  /** Code for `copies` lane groups at once; moves the bases on. */
  #turn(copies: number, canRamp: boolean): void {
    const c = this.#code;
    const group = Array.from({ length: copies }, (_, k) => this.#enter(k));
    if (canRamp) {
      c.get(this.#ramped).block(OP.if).get(this.#ramped).set(this.#count).block(OP.loop);
      for (const copy of group) {
        copy.values = new Map();
        this.#advanceRamps(copy);
        this.#sample(copy, group[0]!);
      }
      this.#nextFrame(group);
      c.end().end();
    }
    c.get(this.#plain).block(OP.if).get(this.#plain).set(this.#count);
    for (const copy of group) this.#hoist(copy);
    const hoisted = group.map((copy) => copy.values);
    c.block(OP.loop);
    group.forEach((copy, k) => {
      copy.values = new Map(hoisted[k]);
      copy.inputValues.clear();
      this.#sample(copy, group[0]!);
    });
    this.#nextFrame(group);
    c.end().end();
    for (const copy of group) this.#leave(copy);
    c.get(this.#base)
      .int(this.shape.layout.groupBytes * copies)
      .op(OP.i32Add)
      .set(this.#base);
    for (const position of this.#groupedPorts()) {
      for (let k = 0; k < copies; k++)
        c.get(this.#portBase[position]!).get(this.#portStride[position]!).op(OP.i32Add).set(this.#portBase[position]!);
    }
    c.get(this.#groups).int(copies).op(OP.i32Sub).set(this.#groups);
  }

  /** Ports with a buffer per lane group. */
  #groupedPorts(): number[] {
    const { inputs, outputs } = this.#ports;
    return [
      ...inputs.filter((position, i) => position >= 0 && this.shape.inputs[i] === 'p'),
      ...outputs.filter((position) => position >= 0),
    ];
  }

  /** Pushes the address of copy's lane group. */
  #groupBase(copy: Pick<Copy, 'base'>): Bytes {
    return this.#code.get(copy.base < 0 ? this.#base : copy.base);
  }
  #loadVector(copy: Pick<Copy, 'base'>, vector: number, type: Type): Bytes {
    const code = this.#simd ? OP.v128Load : type === 'f32' ? OP.f32Load : OP.i32Load;
    return this.#groupBase(copy).memory(code, vector * this.#vectorBytes);
  }
  /** Stores the value that `push` leaves on the stack. */
  #storeVector(copy: Pick<Copy, 'base'>, vector: number, type: Type, push: () => void): void {
    this.#groupBase(copy);
    push();
    this.#code.memory(this.#simd ? OP.v128Store : type === 'f32' ? OP.f32Store : OP.i32Store, vector * this.#vectorBytes);
  }

  #stateType(index: number): Type {
    return this.shape.graph.states[index]!.type;
  }

  #enter(k: number): Copy {
    const c = this.#code;
    const { layout, graph } = this.shape;
    const { inputs, outputs } = this.#ports;
    const base = k === 0 ? -1 : this.#local(I32);
    if (k > 0)
      c.get(this.#base)
        .int(layout.groupBytes * k)
        .op(OP.i32Add)
        .set(base);
    const pointer = (position: number, grouped: boolean): number => {
      if (position < 0 || (!grouped && k > 0)) return -1;
      const local = this.#local(I32);
      c.get(this.#portBase[position]!);
      for (let i = 0; grouped && i < k; i++) c.get(this.#portStride[position]!).op(OP.i32Add);
      c.set(local);
      return local;
    };
    const copy: Copy = {
      states: new Map(),
      inputs: inputs.map((position, i) => pointer(position, this.shape.inputs[i] === 'p')),
      outputs: outputs.map((position) => pointer(position, true)),
      params: new Map(),
      inputValues: new Map(),
      mask: this.shape.partial ? this.#local(V128) : -1,
      base,
      values: new Map(),
      branched: false,
    };
    if (copy.mask >= 0) this.#loadVector(copy, VECTOR_MASK, 'f32').set(copy.mask);
    for (const index of graph.liveStates) {
      const type = this.#stateType(index);
      const local = this.#local(this.#valueType(type));
      copy.states.set(index, local);
      this.#loadVector(copy, layout.states[index]!, type);
      // In memory a flag is 0 or −1 per lane; a scalar one is 0 or 1.
      if (type === 'bool' && !this.#simd) c.int(0).op(OP.i32Ne);
      c.set(local);
    }
    return copy;
  }

  #leave(copy: Copy): void {
    const c = this.#code;
    for (const [index, local] of copy.states) {
      const type = this.#stateType(index);
      this.#storeVector(copy, this.shape.layout.states[index]!, type, () =>
        type === 'bool' && !this.#simd ? c.int(0).get(local).op(OP.i32Sub) : c.get(local),
      );
    }
  }

  /** One step of every parameter ramp, in memory; then values into locals. */
  #advanceRamps(copy: Copy): void {
    const c = this.#code;
    const s = this.#simd;
    copy.inputValues.clear();
    const remaining = this.#local(this.#valueType('i32'));
    const active = this.#local(this.#valueType('bool'));
    this.shape.ramps.forEach((ramps, i) => {
      if (!ramps) return;
      const at = this.shape.layout.params[i]!;
      this.#loadVector(copy, at + PARAM.REMAINING, 'i32').tee(remaining);
      (s ? c.int(0).op(OP.i32x4Splat).op(OP.i32x4GtS) : c.int(0).op(OP.i32GtS)).set(active);
      this.#storeVector(copy, at + PARAM.VALUE, 'f32', () => {
        // active ? (remaining == 1 ? target : value + step) : value
        this.#loadVector(copy, at + PARAM.TARGET, 'f32');
        this.#loadVector(copy, at + PARAM.VALUE, 'f32');
        this.#loadVector(copy, at + PARAM.STEP, 'f32').op(s ? OP.f32x4Add : OP.f32Add);
        c.get(remaining);
        if (s) c.int(1).op(OP.i32x4Splat).op(OP.i32x4Eq).op(OP.v128Bitselect);
        else c.int(1).op(OP.i32Eq).op(OP.select);
        this.#loadVector(copy, at + PARAM.VALUE, 'f32')
          .get(active)
          .op(s ? OP.v128Bitselect : OP.select);
      });
      this.#storeVector(copy, at + PARAM.REMAINING, 'i32', () =>
        c
          .get(remaining)
          .get(active)
          .op(s ? OP.i32x4Add : OP.i32Sub),
      );
    });
    this.#loadParams(copy);
  }

  #loadParams(copy: Copy): void {
    this.shape.layout.params.forEach((vector, i) => {
      let local = copy.params.get(i);
      if (local === undefined) copy.params.set(i, (local = this.#local(this.#valueType('f32'))));
      this.#loadVector(copy, vector + PARAM.VALUE, 'f32').set(local);
    });
  }

  /** Before the plain loop: what depends on parameters only. */
  #hoist(copy: Copy): void {
    this.#loadParams(copy);
    copy.values = new Map();
    const seen = new Set<number>();
    const visit = (node: Node): void => {
      if (seen.has(node.id)) return;
      seen.add(node.id);
      if (node.rate === RATE.param && node.op !== 'param') this.#keep(copy, node);
      else node.args.forEach(visit);
    };
    this.#roots().forEach(visit);
  }

  #roots(): Node[] {
    const { outputs, states, accesses } = this.shape.graph;
    const nodes = accesses.flatMap((access) => (access.kind === 'load' ? [access.node] : [access.index, access.value, access.mask]));
    return [...nodes, ...outputs, ...states].filter((node) => node !== undefined);
  }

  /** Computes a node into a local of its own. */
  #keep(copy: Copy, node: Node): void {
    if (copy.values.has(node.id) || IN_LOCALS.has(node.op)) return;
    this.#push(copy, node);
    if (copy.values.has(node.id)) {
      // It was kept on the way.
      this.#code.op(OP.drop);
      return;
    }
    const local = this.#local(this.#valueType(node.type));
    this.#code.set(local);
    copy.values.set(node.id, local);
  }

  #sample(copy: Copy, first: Copy): void {
    const c = this.#code;
    const { graph, layout } = this.shape;
    this.#loadInputs(copy, first);
    for (const access of graph.accesses) {
      if (access.kind === 'load') this.#keep(copy, access.node);
      else this.#store(copy, access);
    }
    graph.outputs.forEach((node, i) => {
      if (!node) return;
      c.get(copy.outputs[i]!);
      this.#push(copy, node);
      if (copy.mask >= 0) c.get(copy.mask).op(OP.v128And);
      c.memory(layout.lanes === 4 ? OP.v128Store : OP.f32Store);
    });
    // All next states before any is replaced: one may read another.
    for (const index of graph.liveStates) this.#push(copy, graph.states[index]!);
    for (const index of [...graph.liveStates].reverse()) c.set(copy.states.get(index)!);
  }

  #loadInputs(copy: Copy, first: Copy): void {
    const c = this.#code;
    this.shape.inputs.forEach((kind, i) => {
      if (kind === '-' || copy.inputValues.has(i)) return;
      const shared = first.inputValues.get(i);
      if (copy !== first && kind !== 'p' && shared !== undefined) {
        copy.inputValues.set(i, shared);
        return;
      }
      const local = this.#local(this.#valueType('f32'));
      const pointer = copy.inputs[i]!;
      if (kind === 'p') c.get(pointer).memory(OP.v128Load);
      else if (this.#simd) c.get(pointer).memory(OP.v128Load32Splat);
      else if (groupsSummed(kind)) this.#sumGroups(pointer, this.#portStride[this.#ports.inputs[i]!]!, groupsSummed(kind));
      else c.get(pointer).memory(OP.f32Load);
      c.set(local);
      copy.inputValues.set(i, local);
    });
  }

  /** Sum over lane groups, then (0 + 2) + (1 + 3) over lanes. */
  #sumGroups(pointer: number, stride: number, groups: number): void {
    const c = this.#code;
    const sum = this.#local(V128);
    c.get(pointer).memory(OP.v128Load);
    for (let g = 1; g < groups; g++) {
      c.get(pointer);
      for (let i = 0; i < g; i++) c.get(stride).op(OP.i32Add);
      c.memory(OP.v128Load).op(OP.f32x4Add);
    }
    c.set(sum);
    const lane = (n: number): Bytes => c.get(sum).op(OP.f32x4ExtractLane).u8(n);
    lane(0);
    lane(2).op(OP.f32Add);
    lane(1);
    lane(3).op(OP.f32Add).op(OP.f32Add);
  }

  #nextFrame(group: readonly Copy[]): void {
    const c = this.#code;
    for (const copy of group) {
      copy.inputs.forEach(
        (pointer, i) => pointer >= 0 && c.get(pointer).int(inputFrameBytes(this.shape.inputs[i]!)).op(OP.i32Add).set(pointer),
      );
      copy.outputs.forEach((pointer) => pointer >= 0 && c.get(pointer).int(this.#vectorBytes).op(OP.i32Add).set(pointer));
    }
    c.get(this.#count).int(1).op(OP.i32Sub).tee(this.#count).branch(OP.brIf, 0);
  }

  /** Leaves a node's value on the stack. */
  #push(copy: Copy, node: Node): void {
    const c = this.#code;
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
        return void this.#loadVector(copy, VECTOR_VOICE, 'f32');
      default:
    }
    this.#compute(copy, node);
    if ((this.shape.graph.uses.get(node.id) ?? 0) < 2) return;
    const local = this.#local(this.#valueType(node.type));
    c.tee(local);
    copy.values.set(node.id, local);
  }

  #constant(node: Node): void {
    const c = this.#code;
    if (!this.#simd) return void (node.type === 'f32' ? c.float(node.value) : c.int(node.value));
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
    const c = this.#code;
    const [a, b, x] = node.args as [Node, Node, Node];
    if (node.op === 'load') return this.#load(copy, node);
    if (node.op === 'table') return this.#table(copy, node);
    if (node.op === 'select') {
      const group = this.#lazy.get(node.id);
      if (group && !copy.branched) return this.#branch(copy, node, group);
      const zero = (n: Node): boolean => n.op === 'const' && Object.is(n.value, 0);
      if (this.#simd && zero(x)) {
        this.#push(copy, b);
        this.#push(copy, a);
        return void c.op(OP.v128And);
      }
      if (this.#simd && zero(b)) {
        this.#push(copy, x);
        this.#push(copy, a);
        return void c.op(OP.v128AndNot);
      }
      this.#push(copy, b);
      this.#push(copy, x);
      this.#push(copy, a);
      return void c.op(this.#simd ? OP.v128Bitselect : OP.select);
    }
    if (!this.#simd && (node.op === 'min' || node.op === 'max')) {
      const [left, right] = [this.#local(F32), this.#local(F32)];
      this.#push(copy, b);
      c.tee(right);
      this.#push(copy, a);
      c.tee(left);
      c.get(right)
        .get(left)
        .op(node.op === 'min' ? OP.f32Lt : OP.f32Gt);
      return void c.op(OP.select);
    }
    if (!this.#simd && node.op === 'not' && node.type === 'i32') {
      this.#push(copy, a);
      return void c.int(-1).op(OP.i32Xor);
    }
    for (const arg of node.args) this.#push(copy, arg);
    if (isShift(node)) c.int(node.value);
    const code = instruction(node, this.#simd);
    if (code === undefined) throw new Error(`no instruction for ${node.op}`);
    if (code) c.op(code);
  }

  /** Selects of one condition, with a branch around what the side seldom taken alone needs. */
  #branch(copy: Copy, wanted: Node, group: LazyGroup): void {
    const c = this.#code;
    const { condition, then, selects, exclusive } = group;
    const [taken, other] = then ? [1, 2] : [2, 1];
    // What is computed inside counts inside only; so all that is of use outside comes first.
    this.#keep(copy, condition);
    this.#keepOutside(copy, selects, taken, exclusive);
    const results = selects.map((select) => {
      const local = this.#local(this.#valueType(select.type));
      this.#push(copy, select.args[other]!);
      c.set(local);
      return local;
    });
    this.#push(copy, condition);
    if (this.#simd) c.op(then ? OP.v128AnyTrue : OP.i32x4AllTrue);
    if (!then) c.op(OP.i32Eqz);
    c.block(OP.if);
    const outside = copy.values;
    copy.values = new Map(outside);
    copy.branched = true;
    selects.forEach((select, i) => {
      this.#push(copy, select.args[taken]!);
      if (this.#simd) {
        c.get(results[i]!);
        this.#push(copy, condition);
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
      else this.#keep(copy, node);
    };
    for (const select of selects) visit(select.args[side]!);
  }

  // ── memory ──

  #table(copy: Copy, node: Node): void {
    const c = this.#code;
    const { offset, length } = this.shape.tables[node.value]!;
    const index = this.#local(this.#valueType('i32'));
    this.#push(copy, node.args[0]!);
    if (!this.#simd) {
      // As unsigned, so that a negative index is beyond the end too.
      c.set(index)
        .get(index)
        .int(length - 1)
        .get(index)
        .int(length)
        .op(OP.i32LtU)
        .op(OP.select);
      return void c.int(2).op(OP.i32Shl).get(this.#tables).op(OP.i32Add).memory(OP.f32Load, offset);
    }
    this.#constant({ ...node, type: 'i32', value: length - 1 });
    c.op(OP.i32x4MinU).int(2).op(OP.i32x4Shl).set(index);
    this.#gather(() => c.get(this.#tables), index, offset);
  }

  /** Four loads, one per lane, at `base() + index lane + offset`. */
  #gather(base: () => void, index: number, offset: number): void {
    const c = this.#code;
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
    const c = this.#code;
    this.#push(copy, index);
    if (this.#simd) c.op(OP.i32x4ExtractLane).u8(0);
    c.int(length - 1)
      .op(OP.i32And)
      .int(this.#simd ? 4 : 2)
      .op(OP.i32Shl);
    this.#groupBase(copy).op(OP.i32Add);
  }

  /** Byte offsets, per lane, of an element that differs between lanes; into a local. */
  #elements(copy: Copy, index: Node, length: number): number {
    const c = this.#code;
    const local = this.#local(V128);
    this.#push(copy, index);
    this.#constant({ ...index, type: 'i32', value: length - 1 });
    c.op(OP.v128And).int(4).op(OP.i32x4Shl).op(OP.v128Const);
    for (let lane = 0; lane < 4; lane++) c.u8(lane * 4, 0, 0, 0);
    c.op(OP.i32x4Add).set(local);
    return local;
  }

  #load(copy: Copy, node: Node): void {
    const c = this.#code;
    const { offset, length } = this.shape.layout.buffers[node.value]!;
    const index = node.args[0]!;
    if (!this.#simd || this.shape.uniform(index)) {
      this.#element(copy, index, length);
      return void c.memory(this.#simd ? OP.v128Load : OP.f32Load, offset);
    }
    const elements = this.#elements(copy, index, length);
    this.#gather(() => this.#groupBase(copy), elements, offset);
  }

  #store(copy: Copy, access: Access & { kind: 'store' }): void {
    const c = this.#code;
    const { offset, length } = this.shape.layout.buffers[access.buffer]!;
    const { index, value, mask } = access;
    if (!this.#simd || this.shape.uniform(index)) {
      const address = this.#local(I32);
      this.#element(copy, index, length);
      c.tee(address);
      this.#push(copy, value);
      if (mask) {
        c.get(address).memory(this.#simd ? OP.v128Load : OP.f32Load, offset);
        this.#push(copy, mask);
        c.op(this.#simd ? OP.v128Bitselect : OP.select);
      }
      return void c.memory(this.#simd ? OP.v128Store : OP.f32Store, offset);
    }
    const elements = this.#elements(copy, index, length);
    const stored = this.#local(V128);
    this.#push(copy, value);
    if (mask) {
      this.#gather(() => this.#groupBase(copy), elements, offset);
      this.#push(copy, mask);
      c.op(OP.v128Bitselect);
    }
    c.set(stored);
    for (let lane = 0; lane < 4; lane++) {
      c.get(elements).op(OP.i32x4ExtractLane).u8(lane);
      this.#groupBase(copy).op(OP.i32Add);
      c.get(stored).op(OP.f32x4ExtractLane).u8(lane).memory(OP.f32Store, offset);
    }
  }
}

/** Bytes of a module that imports `krell.memory` and exports `kernel(step, offset, frames)`. */
export const encodeKernel = (shape: KernelShape): Uint8Array<ArrayBuffer> => new Backend(shape).emit();
