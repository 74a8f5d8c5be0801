// The JavaScript back end: the reference that tests hold the WebAssembly kernels against.
// Same graph, same state, same order; every float operation rounded by Math.fround. Written to be obvious, not fast.
import { PARAM, STATE, STEP, VECTOR_MASK, VECTOR_VOICE } from '../../shared/layout.js';
import { bitsToFloat, floatToBits, nearest, truncateToInt, type Node } from '../ir.js';
import { groupsSummed, inputFrameBytes, perLane, portOrder, type KernelShape } from '../shape.js';

export type JsKernel = (step: number, offset: number, frames: number) => void;

const BINARY: Record<string, (a: string, b: string, int: boolean) => string> = {
  add: (a, b, int) => (int ? `(${a} + ${b} | 0)` : `fround(${a} + ${b})`),
  sub: (a, b, int) => (int ? `(${a} - ${b} | 0)` : `fround(${a} - ${b})`),
  mul: (a, b, int) => (int ? `imul(${a}, ${b})` : `fround(${a} * ${b})`),
  div: (a, b) => `fround(${a} / ${b})`,
  min: (a, b) => `(${b} < ${a} ? ${b} : ${a})`,
  max: (a, b) => `(${a} < ${b} ? ${b} : ${a})`,
  lt: (a, b) => `(${a} < ${b} ? 1 : 0)`,
  le: (a, b) => `(${a} <= ${b} ? 1 : 0)`,
  gt: (a, b) => `(${a} > ${b} ? 1 : 0)`,
  ge: (a, b) => `(${a} >= ${b} ? 1 : 0)`,
  eq: (a, b) => `(${a} === ${b} ? 1 : 0)`,
  ne: (a, b) => `(${a} !== ${b} ? 1 : 0)`,
  and: (a, b) => `(${a} & ${b})`,
  or: (a, b) => `(${a} | ${b})`,
  xor: (a, b) => `(${a} ^ ${b})`,
};
const UNARY: Record<string, (a: string, node: Node) => string> = {
  neg: (a) => `(-${a})`,
  abs: (a) => `abs(${a})`,
  sqrt: (a) => `fround(sqrt(${a}))`,
  floor: (a) => `floor(${a})`,
  ceil: (a) => `ceil(${a})`,
  trunc: (a) => `trunc(${a})`,
  nearest: (a) => `nearest(${a})`,
  not: (a, node) => (node.type === 'bool' ? `(${a} ? 0 : 1)` : `(~${a})`),
  shl: (a, node) => `(${a} << ${node.value})`,
  shr: (a, node) => `(${a} >> ${node.value})`,
  shru: (a, node) => `(${a} >>> ${node.value} | 0)`,
  toFloat: (a) => `fround(${a})`,
  toInt: (a) => `toInt(${a})`,
  bitsFloat: (a) => `bitsFloat(${a})`,
  floatBits: (a) => `floatBits(${a})`,
};

/** JavaScript text of one sample of one lane. Word addresses: `at(vector)` in the lane group, ports in `port`. */
function sampleText(shape: KernelShape): string {
  const { graph, layout } = shape;
  const ports = portOrder(shape);
  const lines: string[] = [];
  const names = new Map<number, string>();
  const name = (node: Node): string => {
    const known = names.get(node.id);
    if (known) return known;
    const text = `v${node.id}`;
    lines.push(`const ${text} = ${expression(node)};`);
    names.set(node.id, text);
    return text;
  };
  const element = (buffer: number, index: string): string => {
    const { offset, length } = layout.buffers[buffer]!;
    return `f[base + ${offset / 4} + (${index} & ${length - 1}) * ${layout.lanes} + lane]`;
  };
  const expression = (node: Node): string => {
    const [a = '', b = '', c = ''] = node.args.map(name);
    switch (node.op) {
      case 'const':
        return Object.is(node.value, -0) ? '-0' : String(node.value);
      case 'input':
        return inputText(node.value);
      case 'param':
        return `f[at(${layout.params[node.value]! + PARAM.VALUE})]`;
      case 'state':
        return graph.states[node.value]!.type === 'f32'
          ? `f[at(${layout.states[node.value]})]`
          : graph.states[node.value]!.type === 'bool'
            ? `(i[at(${layout.states[node.value]})] ? 1 : 0)`
            : `i[at(${layout.states[node.value]})]`;
      case 'voice':
        return `f[at(${VECTOR_VOICE})]`;
      case 'load':
        return element(node.value, a);
      case 'table': {
        const { offset, length } = shape.tables[node.value]!;
        return `f[tables + ${offset / 4} + ((${a} >>> 0) < ${length} ? ${a} : ${length - 1})]`;
      }
      case 'select':
        return `(${a} ? ${b} : ${c})`;
      default:
        return BINARY[node.op]?.(a, b, node.args[0]!.type === 'i32') ?? UNARY[node.op]!(a, node);
    }
  };
  const inputText = (index: number): string => {
    const kind = shape.inputs[index]!;
    // Where every lane has a pointer of its own, `nth` is its place among those that compute.
    const position = shape.packed && perLane(kind) ? `${ports.inputs[index]} + nth` : String(ports.inputs[index]);
    const frame = `ptr[${position}] + frame * ${inputFrameBytes(kind) / 4}`;
    if (kind === 'p') return `f[${frame} + group * stride[${position}] + lane]`;
    const groups = groupsSummed(kind);
    if (!groups) return `f[${frame}]`;
    const lane = (l: number): string =>
      Array.from({ length: groups }, (_, g) => `f[${frame} + ${g} * stride[${position}] + ${l}]`).reduce((x, y) => `fround(${x} + ${y})`);
    return `fround(fround(${lane(0)} + ${lane(2)}) + fround(${lane(1)} + ${lane(3)}))`;
  };
  for (const access of graph.accesses) {
    if (access.kind === 'load') name(access.node);
    else {
      const [index, value] = [name(access.index), name(access.value)];
      lines.push(`${access.mask ? `if (${name(access.mask)}) ` : ''}${element(access.buffer, index)} = ${value};`);
    }
  }
  graph.outputs.forEach((node, n) => {
    if (!node) return;
    const position = ports.outputs[n]!;
    const text = name(node);
    lines.push(
      `const out${n} = f[ptr[${position}] + frame * ${layout.lanes} + group * stride[${position}] + lane] = ${shape.partial ? `i[at(${VECTOR_MASK})] ? ${text} : 0` : text};`,
      `if (!Number.isFinite(out${n})) fault |= 1 << lane;`,
    );
  });
  const next = graph.liveStates.map((index) => [index, name(graph.states[index]!), graph.states[index]!.type] as const);
  for (const [index, text, type] of next)
    lines.push(`${type === 'f32' ? 'f' : 'i'}[at(${layout.states[index]})] = ${type === 'bool' ? `-${text}` : text};`);
  return lines.join('\n');
}

function rampText(shape: KernelShape): string {
  return shape.ramps
    .map((ramps, n) => {
      if (!ramps) return '';
      const at = (part: number): string => `at(${shape.layout.params[n]! + part})`;
      return `if (i[${at(PARAM.REMAINING)}] > 0) {
        f[${at(PARAM.VALUE)}] = i[${at(PARAM.REMAINING)}] === 1 ? f[${at(PARAM.TARGET)}] : fround(f[${at(PARAM.VALUE)}] + f[${at(PARAM.STEP)}]);
        i[${at(PARAM.REMAINING)}]--;
      }`;
    })
    .join('\n');
}

/** Keeps the last sample of each used output, unless some are no numbers. */
function lastText(shape: KernelShape): string {
  return portOrder(shape)
    .outputs.filter((position) => position >= 0)
    .map((position, nth) => {
      const sample = `f[ptr[${position}] + (offset + frames - 1) * ${shape.layout.lanes} + group * stride[${position}] + lane]`;
      return `if (!fault) f[at(${shape.layout.lastOutputs + nth})] = ${sample};`;
    })
    .join('\n');
}

/** JavaScript text of the whole kernel. */
function jsKernelText(shape: KernelShape): string {
  const { count } = portOrder(shape);
  const { lanes, groupBytes } = shape.layout;
  return `return (step, offset, frames) => {
  const s = step >> 2, state = i[s + ${STEP.STATE}] >> 2, tables = i[s + ${STEP.TABLES}] >> 2;
  const ptr = [], stride = [];
  let fault = 0;
  for (let n = 0; n < ${count}; n++) { ptr.push(i[s + ${STEP.PORTS} + 2 * n] >> 2); stride.push(i[s + ${STEP.PORTS} + 2 * n + 1] >> 2); }
  for (let group = 0; group < i[state + ${STATE.GROUPS}]; group++) for (let nth = 0; nth < ${shape.active.length}; nth++) {
    const lane = ${JSON.stringify(shape.active)}[nth];
    const base = state + ${STATE.HEADER_BYTES / 4} + group * ${groupBytes / 4};
    const at = (vector) => base + vector * ${lanes} + lane;
    for (let frame = offset; frame < offset + frames; frame++) {
      ${rampText(shape)}
      ${sampleText(shape)}
    }
    ${lastText(shape)}
  }
  if (fault) i[s + ${STEP.FAULT}] = fault;
  for (const lane of ${JSON.stringify(shape.packed ? shape.active : [0])}) i[state + ${STATE.RAMP_FRAMES} + lane] = Math.max(0, i[state + ${STATE.RAMP_FRAMES} + lane] - frames);
};`;
}

/** The kernel as a JavaScript function over the arena. */
export function makeJsKernel(shape: KernelShape, memory: SharedArrayBuffer | ArrayBuffer): JsKernel {
  const names = ['f', 'i', 'fround', 'imul', 'abs', 'sqrt', 'floor', 'ceil', 'trunc', 'nearest', 'toInt', 'bitsFloat', 'floatBits'];
  const { fround, imul, abs, sqrt, floor, ceil, trunc } = Math;
  const values = [
    new Float32Array(memory),
    new Int32Array(memory),
    fround,
    imul,
    abs,
    sqrt,
    floor,
    ceil,
    trunc,
    nearest,
    truncateToInt,
    bitsToFloat,
    floatToBits,
  ];
  // eslint-disable-next-line no-new-func -- our own text, from our own graph
  return new Function(...names, jsKernelText(shape))(...values) as JsKernel;
}
