// The typed intermediate form of a kernel: a graph of pure operations for one sample of one voice.
//
// Nodes are hash-consed (equal operations are one node) and folded when built. There are no branches: an `if` has become
// `select`s. What is not pure is listed beside the graph: the next value of each state variable, and the buffer accesses in order.
// Every back end computes each node with the same single IEEE 754 binary32 or int32 operation, so all agree in every bit.

export type Type = 'f32' | 'i32' | 'bool';

/** When a value can change. */
export const RATE = { constant: 0, param: 1, sample: 2 } as const;

/** Operations on floats, then on ints, then on flags. `min(a,b)` is `b<a ? b : a`, `max(a,b)` is `a<b ? b : a`. */
export type Op =
  | 'const' // value
  | 'input' // value = index
  | 'param' // value = index
  | 'state' // value = index; its value when the sample begins
  | 'voice'
  | 'load' // value = buffer index; args: index
  | 'table' // value = table index; args: index
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'min'
  | 'max'
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'nearest'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'eq'
  | 'ne'
  | 'select' // args: condition, then, else
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'shl'
  | 'shr'
  | 'shru' // value = constant shift
  | 'toFloat'
  | 'toInt' // truncates, saturates, NaN → 0
  | 'bitsFloat'
  | 'floatBits';

export interface Node {
  readonly id: number;
  readonly op: Op;
  readonly type: Type;
  readonly args: readonly Node[];
  /** Constant, index or shift, by `op`. */
  readonly value: number;
  readonly rate: number;
}

/** A buffer access. Accesses run in list order; a store happens where `mask` is true. */
export type Access =
  | { readonly kind: 'load'; readonly buffer: number; readonly node: Node }
  | { readonly kind: 'store'; readonly buffer: number; readonly index: Node; readonly value: Node; readonly mask: Node | undefined };

/** What a kernel does in one sample. Outputs and states are indexed as in the module's spec (then hidden states). */
export interface KernelGraph {
  readonly outputs: readonly (Node | undefined)[];
  readonly states: readonly (Node | undefined)[];
  readonly accesses: readonly Access[];
  /** Ids of conditions that are seldom true. */
  readonly rare: ReadonlySet<number>;
}

const { fround } = Math;
const bits = new DataView(new ArrayBuffer(4));
export const floatToBits = (x: number): number => (bits.setFloat32(0, x), bits.getInt32(0));
export const bitsToFloat = (x: number): number => (bits.setInt32(0, x), bits.getFloat32(0));

/** Truncation as `i32.trunc_sat_f32_s`. */
export const truncateToInt = (x: number): number => (Number.isNaN(x) ? 0 : Math.max(-2147483648, Math.min(2147483647, Math.trunc(x))));

/** Round to nearest, ties to even. */
export function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The value of an operation on constants; flags are 0 and 1. `value` as in `Node`. */
function evaluate(op: Op, type: Type, argType: Type, x: readonly number[], value: number): number | undefined {
  const [a = 0, b = 0, c = 0] = x;
  const int = argType === 'i32';
  switch (op) {
    case 'add':
      return int ? (a + b) | 0 : fround(a + b);
    case 'sub':
      return int ? (a - b) | 0 : fround(a - b);
    case 'mul':
      return int ? Math.imul(a, b) : fround(a * b);
    case 'div':
      return fround(a / b);
    case 'min':
      return b < a ? b : a;
    case 'max':
      return a < b ? b : a;
    case 'neg':
      return -a;
    case 'abs':
      return Math.abs(a);
    case 'sqrt':
      return fround(Math.sqrt(a));
    case 'floor':
      return Math.floor(a);
    case 'ceil':
      return Math.ceil(a);
    case 'trunc':
      return Math.trunc(a);
    case 'nearest':
      return nearest(a);
    case 'lt':
      return Number(a < b);
    case 'le':
      return Number(a <= b);
    case 'gt':
      return Number(a > b);
    case 'ge':
      return Number(a >= b);
    case 'eq':
      return Number(a === b);
    case 'ne':
      return Number(a !== b);
    case 'select':
      return a ? b : c;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'not':
      return type === 'bool' ? Number(!a) : ~a;
    case 'shl':
      return a << value;
    case 'shr':
      return a >> value;
    case 'shru':
      return (a >>> value) | 0;
    case 'toFloat':
      return fround(a);
    case 'toInt':
      return truncateToInt(a);
    case 'bitsFloat':
      return bitsToFloat(a);
    case 'floatBits':
      return floatToBits(a);
    default:
      return undefined;
  }
}

const SOURCES: ReadonlySet<Op> = new Set(['input', 'state', 'load']);

/** Makes nodes; the only way to. */
export class Graph {
  /** Ids of conditions that are seldom true. */
  readonly rare = new Set<number>();
  readonly #known = new Map<string, Node>();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  #make(op: Op, type: Type, args: readonly Node[], value: number, tag = ''): Node {
    let key = `${op},${type},${Object.is(value, -0) ? '-0' : value},${tag}`;
    let rate: number = op === 'param' || op === 'voice' ? RATE.param : SOURCES.has(op) ? RATE.sample : RATE.constant;
    for (const arg of args) {
      key += `,${arg.id}`;
      if (arg.rate > rate) rate = arg.rate;
    }
    let node = this.#known.get(key);
    if (!node) {
      if (op === 'table') rate = Math.max(rate, RATE.param);
      node = { id: this.#count++, op, type, args, value, rate };
      this.#known.set(key, node);
    }
    return node;
  }

  constant(type: Type, value: number): Node {
    return this.#make('const', type, [], type === 'f32' ? fround(value) : type === 'i32' ? value | 0 : Number(value !== 0));
  }
  float(value: number): Node {
    return this.constant('f32', value);
  }
  int(value: number): Node {
    return this.constant('i32', value);
  }
  flag(value: boolean): Node {
    return this.constant('bool', Number(value));
  }
  source(op: 'input' | 'param' | 'state' | 'voice', type: Type, index = 0): Node {
    return this.#make(op, type, [], index);
  }
  /** Reads a buffer. `version` tells apart reads with a store between them. */
  load(buffer: number, index: Node, version: number): Node {
    return this.#make('load', 'f32', [index], buffer, `v${version}`);
  }
  table(table: number, index: Node): Node {
    return this.#make('table', 'f32', [index], table);
  }

  /** An operation whose result has `type`. `value` is the amount of a shift. */
  op(op: Op, type: Type, args: readonly Node[], value = 0): Node {
    if (args.every((arg) => arg.op === 'const')) {
      const folded = evaluate(
        op,
        type,
        args[0]!.type,
        args.map((arg) => arg.value),
        value,
      );
      if (folded !== undefined) return this.constant(type, folded);
    }
    return this.#simplify(op, type, args) ?? this.#make(op, type, args, value);
  }

  /** Identities. They may change the sign of a zero and what NaN or Inf times 0 gives, in all back ends alike. */
  #simplify(op: Op, type: Type, args: readonly Node[]): Node | undefined {
    const [a, b, c] = args;
    const is = (node: Node | undefined, value: number): boolean => node?.op === 'const' && node.value === value;
    switch (op) {
      case 'add':
        return is(a, 0) ? b : is(b, 0) ? a : undefined;
      case 'sub':
        return is(b, 0) ? a : is(a, 0) && type === 'f32' ? this.op('neg', 'f32', [b!]) : undefined;
      case 'mul':
        return is(a, 1) || is(b, 0) ? b : is(b, 1) || is(a, 0) ? a : undefined;
      case 'div': {
        if (is(b, 1) || is(a, 0)) return a;
        // Exact only for powers of two.
        const exact = b?.op === 'const' && Number.isInteger(Math.log2(Math.abs(b.value)));
        return exact ? this.op('mul', 'f32', [a!, this.float(1 / b.value)]) : undefined;
      }
      case 'neg':
      case 'not':
        return a!.op === op ? a!.args[0] : undefined;
      case 'and':
        if (type === 'bool') return is(a, 0) || is(b, 1) || a === b ? a : is(b, 0) || is(a, 1) ? b : undefined;
        return is(a, 0) || is(b, -1) || a === b ? a : is(b, 0) || is(a, -1) ? b : undefined;
      case 'or':
        if (type === 'bool') return is(a, 1) || is(b, 0) || a === b ? a : is(b, 1) || is(a, 0) ? b : undefined;
        return is(b, 0) || a === b ? a : is(a, 0) ? b : undefined;
      case 'select': {
        if (a!.op === 'const') return a!.value ? b : c;
        if (b === c) return b;
        if (a!.op === 'not') return this.op('select', type, [a!.args[0]!, c!, b!]);
        if (type === 'bool') {
          if (is(b, 1)) return this.op('or', 'bool', [a!, c!]);
          if (is(b, 0)) return this.op('and', 'bool', [this.op('not', 'bool', [a!]), c!]);
          if (is(c, 0)) return this.op('and', 'bool', [a!, b!]);
          if (is(c, 1)) return this.op('or', 'bool', [this.op('not', 'bool', [a!]), b!]);
          return undefined;
        }
        if (type !== 'f32' || a!.args[0]?.type !== 'f32') return undefined;
        const [p, q] = a!.args;
        if (a!.op === 'lt' && p === b && q === c) return this.op('min', 'f32', [q!, p!]);
        if (a!.op === 'gt' && q === b && p === c) return this.op('min', 'f32', [p!, q!]);
        if (a!.op === 'lt' && q === b && p === c) return this.op('max', 'f32', [p!, q!]);
        if (a!.op === 'gt' && p === b && q === c) return this.op('max', 'f32', [q!, p!]);
        return undefined;
      }
      default:
        return undefined;
    }
  }
}

/** The part of a kernel that its used outputs need. */
export interface LiveGraph extends KernelGraph {
  /** Indices of states whose value matters. */
  readonly liveStates: readonly number[];
  /** How often each live node is used, by node id. */
  readonly uses: ReadonlyMap<number, number>;
}

/** Drops all that neither a used output nor one of the first `sharedStates` states depends on, directly or through state and buffers. */
export function prune(graph: KernelGraph, usedOutputs: readonly boolean[], sharedStates: number): LiveGraph {
  const uses = new Map<number, number>();
  const liveStates = new Set<number>();
  const liveBuffers = new Set<number>();
  const pending: Node[] = [];
  const use = (node: Node): void => {
    const count = uses.get(node.id) ?? 0;
    uses.set(node.id, count + 1);
    if (count === 0) pending.push(node);
  };
  const outputs = graph.outputs.map((node, i) => (usedOutputs[i] ? node : undefined));
  for (const node of outputs) if (node) use(node);
  for (let state = 0; state < sharedStates; state++) {
    const next = graph.states[state];
    // What `process` leaves alone needs no code.
    if (!next || (next.op === 'state' && next.value === state)) continue;
    liveStates.add(state);
    use(next);
  }
  for (let node = pending.pop(); node; node = pending.pop()) {
    node.args.forEach(use);
    if (node.op === 'state' && !liveStates.has(node.value)) {
      liveStates.add(node.value);
      const next = graph.states[node.value];
      if (next) use(next);
    }
    if (node.op === 'load' && !liveBuffers.has(node.value)) {
      liveBuffers.add(node.value);
      for (const access of graph.accesses)
        if (access.kind === 'store' && access.buffer === node.value)
          for (const arg of [access.index, access.value, access.mask]) if (arg) use(arg);
    }
  }
  const accesses = graph.accesses.filter((access) => (access.kind === 'load' ? uses.has(access.node.id) : liveBuffers.has(access.buffer)));
  return {
    outputs,
    rare: graph.rare,
    states: graph.states.map((node, i) => (liveStates.has(i) ? node : undefined)),
    accesses,
    liveStates: [...liveStates].sort((a, b) => a - b),
    uses,
  };
}

/** All live nodes, arguments before what uses them. */
export function liveNodes(graph: LiveGraph): Node[] {
  const found = new Map<number, Node>();
  const pending: Node[] = [];
  const reach = (node: Node | undefined): void => {
    if (!node || found.has(node.id)) return;
    found.set(node.id, node);
    pending.push(node);
  };
  graph.outputs.forEach(reach);
  graph.states.forEach(reach);
  for (const access of graph.accesses)
    for (const node of access.kind === 'load' ? [access.node] : [access.index, access.value, access.mask]) reach(node);
  for (let node = pending.pop(); node; node = pending.pop()) node.args.forEach(reach);
  return [...found.values()].sort((a, b) => a.id - b.id);
}

const NO_OPERATION: ReadonlySet<Op> = new Set(['const', 'input', 'param', 'state', 'voice', 'bitsFloat', 'floatBits']);

/** Operations done for every sample. */
export const countOperations = (graph: LiveGraph): number =>
  liveNodes(graph).filter((node) => node.rate === RATE.sample && !NO_OPERATION.has(node.op)).length;

/**
 * Nodes whose value is the same in all voices of a module: buffers indexed by them are read and written whole vectors at a time.
 * Optimistic: states are assumed uniform until their next value is seen not to be.
 */
export function uniformNodes(graph: KernelGraph, voiceFreeStates: readonly boolean[]): (node: Node) => boolean {
  const uniformStates = voiceFreeStates.map((free, i) => free && graph.states[i] !== undefined);
  let known = new Map<number, boolean>();
  const uniform = (node: Node): boolean => {
    const before = known.get(node.id);
    if (before !== undefined) return before;
    let result: boolean;
    if (node.op === 'state') result = uniformStates[node.value] ?? false;
    else if (node.op === 'input' || node.op === 'param' || node.op === 'voice' || node.op === 'load') result = false;
    else result = node.args.every(uniform);
    known.set(node.id, result);
    return result;
  };
  for (let changed = true; changed;) {
    changed = false;
    known = new Map();
    graph.states.forEach((node, i) => {
      if (uniformStates[i] && node && !uniform(node)) {
        uniformStates[i] = false;
        changed = true;
      }
    });
  }
  known = new Map();
  return uniform;
}
