// The WebAssembly back end: a kernel graph to one function `kernel(step, offset, frames)`, for one lane or four.
//
// Shape of the function: read the STEP record and the module's header; for each lane group: load its states, run the ramp
// loop for the frames in which a parameter moves, then the plain loop with everything that depends on parameters hoisted
// before it, store the states. Where it pays, two lane groups go through the plain loop at once: their independent work
// fills the latencies of each other's recursions.
import { PARAM, STATE, STEP, VECTOR_MASK } from '../../shared/layout.js';
import { countOperations, RATE, type Node, type Type } from '../ir.js';
import { groupsSummed, inputFrameBytes, perLane, portOrder, type KernelShape } from '../shape.js';
import { encodeModule, I32, OP, V128, type Bytes } from './encoder.js';
import { FRAMES_ARG, OFFSET_ARG, STEP_ARG, type Copy } from './expressions.js';
import { Results } from './results.js';

/** Kernels with more per-sample operations take one group per turn: two would not fit the registers. */
const PAIR_MAX_OPERATIONS = 100;

class Backend extends Results {
  readonly #ports;
  readonly #state = this.local(I32);
  readonly #groups = this.local(I32);
  /** Frames with and without a running ramp; frames still to do in a loop. */
  readonly #ramped = this.local(I32);
  readonly #plain = this.local(I32);
  readonly #count = this.local(I32);
  readonly #portBase: number[] = [];
  readonly #portStride: number[] = [];

  constructor(shape: KernelShape) {
    super(shape);
    this.#ports = portOrder(shape);
  }

  emit(): Uint8Array<ArrayBuffer> {
    const c = this.code;
    const canRamp = this.shape.ramps.some(Boolean);
    this.#prologue(canRamp);
    if (this.#pairs()) {
      c.get(this.#ramped).op(OP.i32Eqz).block(OP.if).block(OP.block).block(OP.loop);
      c.get(this.#groups).int(2).op(OP.i32LtU).branch(OP.brIf, 1);
      this.#turn(2, false);
      c.branch(OP.br, 0).end().end().end();
    }
    c.block(OP.block).block(OP.loop);
    c.get(this.#groups).op(OP.i32Eqz).branch(OP.brIf, 1);
    this.#turn(1, canRamp);
    c.branch(OP.br, 0).end().end();
    this.tellFaults();
    return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: this.locals, body: c }]);
  }

  /** Whether two groups at once are faster: their recursions overlap, but branches spoil it. */
  #pairs(): boolean {
    const { packed, graph } = this.shape;
    if (!this.simd || packed) return false;
    const branches = [...this.lazy.values()].some((group) => graph.rare.has(group.condition.id));
    return !branches && countOperations(graph) <= PAIR_MAX_OPERATIONS;
  }

  // ── before and after ──

  #prologue(canRamp: boolean): void {
    const c = this.code;
    const { inputs, outputs } = this.#ports;
    const read = (record: number, word: number, into: number): Bytes =>
      c
        .get(record)
        .memory(OP.i32Load, word * 4)
        .set(into);
    read(STEP_ARG, STEP.STATE, this.#state);
    read(STEP_ARG, STEP.TABLES, this.tables);
    read(this.#state, STATE.GROUPS, this.#groups);
    c.get(this.#state).int(STATE.HEADER_BYTES).op(OP.i32Add).set(this.base);
    const port = (position: number, frameBytes: number): void => {
      const [base, stride] = [this.local(I32), this.local(I32)];
      [this.#portBase[position], this.#portStride[position]] = [base, stride];
      read(STEP_ARG, STEP.PORTS + position * 2, base);
      read(STEP_ARG, STEP.PORTS + position * 2 + 1, stride);
      c.get(base).get(OFFSET_ARG).int(frameBytes).op(OP.i32Mul).op(OP.i32Add).set(base);
    };
    inputs.forEach((first, i) => {
      for (let n = 0; first >= 0 && n < this.#portsOf(i); n++) port(first + n, inputFrameBytes(this.shape.inputs[i]!));
    });
    outputs.forEach((position) => position >= 0 && port(position, this.vectorBytes));
    if (canRamp) this.#countRamps();
    c.get(FRAMES_ARG).get(this.#ramped).op(OP.i32Sub).set(this.#plain);
  }

  /** ramped = min(frames, the longest ramp); every ramp has so many frames less to go. */
  #countRamps(): void {
    const c = this.code;
    const left = this.local(I32);
    const words = (this.shape.packed ? this.shape.active : [0]).map((lane) => (STATE.RAMP_FRAMES + lane) * 4);
    /** Pushes the smaller (by `less`) of two locals. */
    const pick = (a: number, b: number, less: number): Bytes => c.get(a).get(b).get(a).get(b).op(less).op(OP.select);
    for (const at of words) {
      c.get(this.#state).memory(OP.i32Load, at).set(left);
      pick(left, this.#ramped, OP.i32GtS).set(this.#ramped);
    }
    c.get(this.#ramped).block(OP.if);
    pick(FRAMES_ARG, this.#ramped, OP.i32LtS).set(this.#ramped);
    for (const at of words) {
      c.get(this.#state).memory(OP.i32Load, at).set(left);
      c.get(this.#state).get(left);
      pick(left, this.#ramped, OP.i32LtS).op(OP.i32Sub).memory(OP.i32Store, at);
    }
    c.end();
  }

  /** Pointers that input `i` has. */
  #portsOf(i: number): number {
    return this.shape.packed && perLane(this.shape.inputs[i]!) ? this.shape.active.length : 1;
  }

  /** Ports with a buffer per lane group. */
  #groupedPorts(): number[] {
    const { inputs, outputs } = this.#ports;
    return [
      ...inputs.filter((position, i) => position >= 0 && this.shape.inputs[i] === 'p'),
      ...outputs.filter((position) => position >= 0),
    ];
  }

  #stateType(index: number): Type {
    return this.shape.graph.states[index]!.type;
  }

  /** Locals of copy number `k`, states loaded. */
  #enter(k: number): Copy {
    const c = this.code;
    const { layout, graph, inputs: kinds } = this.shape;
    const { inputs, outputs } = this.#ports;
    const base = k === 0 ? -1 : this.local(I32);
    if (k > 0)
      c.get(this.base)
        .int(layout.groupBytes * k)
        .op(OP.i32Add)
        .set(base);
    const pointer = (position: number, grouped: boolean): number => {
      if (position < 0 || (!grouped && k > 0)) return -1;
      const local = this.local(I32);
      c.get(this.#portBase[position]!);
      for (let i = 0; grouped && i < k; i++) c.get(this.#portStride[position]!).op(OP.i32Add);
      c.set(local);
      return local;
    };
    const copy: Copy = {
      states: new Map(),
      params: new Map(),
      inputValues: new Map(),
      inputs: inputs.map((first, i) =>
        first < 0 ? [] : Array.from({ length: this.#portsOf(i) }, (_, n) => pointer(first + n, kinds[i] === 'p')),
      ),
      outputs: outputs.map((position) => pointer(position, true)),
      mask: this.shape.partial ? this.local(V128) : -1,
      base,
      values: new Map(),
      branched: false,
    };
    if (copy.mask >= 0) this.loadVector(copy, VECTOR_MASK, 'f32').set(copy.mask);
    for (const index of graph.liveStates) {
      const type = this.#stateType(index);
      const local = this.local(this.valueType(type));
      copy.states.set(index, local);
      this.loadVector(copy, layout.states[index]!, type);
      // In memory a flag is 0 or −1 per lane; a scalar one is 0 or 1.
      if (type === 'bool' && !this.simd) c.int(0).op(OP.i32Ne);
      c.set(local);
    }
    return copy;
  }

  #leave(copy: Copy): void {
    const c = this.code;
    this.keepOutputs(copy);
    for (const [index, local] of copy.states) {
      const type = this.#stateType(index);
      this.storeVector(copy, this.shape.layout.states[index]!, type, () =>
        type === 'bool' && !this.simd ? c.int(0).get(local).op(OP.i32Sub) : c.get(local),
      );
    }
  }

  // ── loops ──

  /** Code for `copies` lane groups at once; moves the bases on. */
  #turn(copies: number, canRamp: boolean): void {
    const c = this.code;
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
      this.#sample(copy, group[0]!);
    });
    this.#nextFrame(group);
    c.end().end();
    for (const copy of group) this.#leave(copy);
    c.get(this.base)
      .int(this.shape.layout.groupBytes * copies)
      .op(OP.i32Add)
      .set(this.base);
    for (const position of this.#groupedPorts())
      for (let k = 0; k < copies; k++)
        c.get(this.#portBase[position]!).get(this.#portStride[position]!).op(OP.i32Add).set(this.#portBase[position]!);
    c.get(this.#groups).int(copies).op(OP.i32Sub).set(this.#groups);
  }

  /** One step of every parameter ramp, in memory; then values into locals. */
  #advanceRamps(copy: Copy): void {
    const c = this.code;
    const s = this.simd;
    const remaining = this.local(this.valueType('i32'));
    const running = this.local(this.valueType('bool'));
    this.shape.ramps.forEach((ramps, i) => {
      if (!ramps) return;
      const at = this.shape.layout.params[i]!;
      this.loadVector(copy, at + PARAM.REMAINING, 'i32').tee(remaining);
      (s ? c.int(0).op(OP.i32x4Splat).op(OP.i32x4GtS) : c.int(0).op(OP.i32GtS)).set(running);
      this.storeVector(copy, at + PARAM.VALUE, 'f32', () => {
        // running ? (remaining == 1 ? target : value + step) : value
        this.loadVector(copy, at + PARAM.TARGET, 'f32');
        this.loadVector(copy, at + PARAM.VALUE, 'f32');
        this.loadVector(copy, at + PARAM.STEP, 'f32').op(s ? OP.f32x4Add : OP.f32Add);
        c.get(remaining).int(1);
        if (s) c.op(OP.i32x4Splat).op(OP.i32x4Eq).op(OP.v128Bitselect);
        else c.op(OP.i32Eq).op(OP.select);
        this.loadVector(copy, at + PARAM.VALUE, 'f32')
          .get(running)
          .op(s ? OP.v128Bitselect : OP.select);
      });
      this.storeVector(copy, at + PARAM.REMAINING, 'i32', () =>
        c
          .get(remaining)
          .get(running)
          .op(s ? OP.i32x4Add : OP.i32Sub),
      );
    });
    this.#loadParams(copy);
  }

  #loadParams(copy: Copy): void {
    this.shape.layout.params.forEach((vector, i) => {
      let local = copy.params.get(i);
      if (local === undefined) copy.params.set(i, (local = this.local(this.valueType('f32'))));
      this.loadVector(copy, vector + PARAM.VALUE, 'f32').set(local);
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
      if (node.rate === RATE.param && node.op !== 'param') this.keep(copy, node);
      else node.args.forEach(visit);
    };
    const { outputs, states, accesses } = this.shape.graph;
    const ofAccesses = accesses.flatMap((access) => (access.kind === 'load' ? [access.node] : [access.index, access.value, access.mask]));
    for (const node of [...ofAccesses, ...outputs, ...states]) if (node) visit(node);
  }

  #sample(copy: Copy, first: Copy): void {
    const c = this.code;
    const { graph } = this.shape;
    copy.inputValues.clear();
    this.#loadInputs(copy, first);
    for (const access of graph.accesses) {
      if (access.kind === 'load') this.keep(copy, access.node);
      else this.store(copy, access);
    }
    graph.outputs.forEach((node, i) => {
      if (!node) return;
      c.get(copy.outputs[i]!);
      this.push(copy, node);
      if (copy.mask >= 0) c.get(copy.mask).op(OP.v128And);
      const value = this.local(this.valueType('f32'));
      c.tee(value).memory(this.simd ? OP.v128Store : OP.f32Store);
      this.check(copy === first ? 0 : 1, value);
    });
    // All next states before any is replaced: one may read another.
    for (const index of graph.liveStates) this.push(copy, graph.states[index]!);
    for (const index of [...graph.liveStates].reverse()) c.set(copy.states.get(index)!);
  }

  #loadInputs(copy: Copy, first: Copy): void {
    const c = this.code;
    this.shape.inputs.forEach((kind, i) => {
      if (kind === '-') return;
      if (copy !== first && kind !== 'p') return void copy.inputValues.set(i, first.inputValues.get(i)!);
      const local = this.local(this.valueType('f32'));
      const pointers = copy.inputs[i]!;
      if (kind === 'p') c.get(pointers[0]!).memory(OP.v128Load);
      else if (this.simd && !perLane(kind)) c.get(pointers[0]!).memory(OP.v128Load32Splat);
      else
        pointers.forEach((pointer, n) => {
          if (groupsSummed(kind)) this.#sumGroups(pointer, this.#portStride[this.#ports.inputs[i]! + n]!, groupsSummed(kind));
          else c.get(pointer).memory(OP.f32Load);
          if (!this.simd) return;
          if (n > 0) c.op(OP.f32x4ReplaceLane).u8(this.shape.active[n]!);
          else c.op(OP.f32x4Splat);
        });
      c.set(local);
      copy.inputValues.set(i, local);
    });
  }

  /** Sum over lane groups, then (0 + 2) + (1 + 3) over lanes. */
  #sumGroups(pointer: number, stride: number, groups: number): void {
    const c = this.code;
    const sum = this.local(V128);
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
    const c = this.code;
    const advance = (pointer: number, bytes: number): void => void (pointer >= 0 && c.get(pointer).int(bytes).op(OP.i32Add).set(pointer));
    for (const copy of group) {
      copy.inputs.forEach((pointers, i) => pointers.forEach((pointer) => advance(pointer, inputFrameBytes(this.shape.inputs[i]!))));
      copy.outputs.forEach((pointer) => advance(pointer, this.vectorBytes));
    }
    c.get(this.#count).int(1).op(OP.i32Sub).tee(this.#count).branch(OP.brIf, 0);
  }
}

/** Bytes of a module that imports `krell.memory` and exports `kernel(step, offset, frames)`. */
export const encodeKernel = (shape: KernelShape): Uint8Array<ArrayBuffer> => new Backend(shape).emit();
