// `Math.*` and the few functions the compiler knows itself. The rest of `Math` is inlined from src/dsp/math.ts.
import type { Graph, Node, Op } from './ir.js';
import { literal, TypeProblem, wrap, type Rules, type Value } from './values.js';

/** What an intrinsic may ask of the front end. */
export interface Calls {
  readonly graph: Graph;
  readonly rules: Rules;
  callMathFunction(name: string, args: readonly Value[]): Value;
  random(): Value;
}

export const MATH_CONSTANTS: Readonly<Record<string, number>> = {
  PI: Math.PI,
  E: Math.E,
  LN2: Math.LN2,
  LN10: Math.LN10,
  LOG2E: Math.LOG2E,
  LOG10E: Math.LOG10E,
  SQRT2: Math.SQRT2,
  SQRT1_2: Math.SQRT1_2,
};

/** Single instructions on floats. */
const DIRECT: Readonly<Record<string, Op>> = { abs: 'abs', sqrt: 'sqrt', floor: 'floor', ceil: 'ceil', trunc: 'trunc' };
/** Functions of src/dsp/math.ts, and how many arguments each takes. */
const INLINED: Readonly<Record<string, number>> = { sin: 1, cos: 1, tan: 1, exp: 1, log: 1, log2: 1, log10: 1, tanh: 1, atan: 1 };
const MORE = ['round', 'min', 'max', 'sign', 'pow', 'random', 'imul', 'fround'];

const isInt = (value: Value): boolean => value.kind === 'node' && value.node.type === 'i32';

/** `Math.name(…args)`. @throws TypeProblem */
export function callMath(calls: Calls, name: string, args: readonly Value[]): Value {
  const { graph, rules } = calls;
  const float = (i: number): Node => {
    const arg = args[i];
    if (!arg) throw new TypeProblem(`Math.${name} needs more arguments`);
    return rules.float(arg);
  };
  // With literals only, the double-precision result.
  const known = args.flatMap((arg) => (arg.kind === 'number' ? [arg.value] : []));
  if (args.length > 0 && known.length === args.length && (name in DIRECT || name in INLINED || MORE.includes(name)))
    return literal((Math as unknown as Record<string, (...x: number[]) => number>)[name]!(...known));
  if (name === 'fround') return wrap(float(0));
  if (DIRECT[name]) {
    if (isInt(args[0]!) && name !== 'abs' && name !== 'sqrt') return args[0]!;
    return wrap(graph.op(DIRECT[name], 'f32', [float(0)]));
  }
  if (INLINED[name]) return calls.callMathFunction(name, [wrap(float(0))]);
  switch (name) {
    case 'round':
      return wrap(graph.op('floor', 'f32', [graph.op('add', 'f32', [float(0), graph.float(0.5)])]));
    case 'sign': {
      const x = float(0);
      const negative = graph.op('select', 'f32', [graph.op('lt', 'bool', [x, graph.float(0)]), graph.float(-1), graph.float(0)]);
      return wrap(graph.op('select', 'f32', [graph.op('gt', 'bool', [x, graph.float(0)]), graph.float(1), negative]));
    }
    case 'min':
    case 'max':
      if (args.length < 2) throw new TypeProblem(`Math.${name} needs two arguments or more`);
      return args.slice(1).reduce((a, b) => {
        if (rules.common(a, b) !== 'i32') return wrap(graph.op(name, 'f32', [rules.float(a), rules.float(b)]));
        const [x, y] = [rules.int(a), rules.int(b)];
        return wrap(graph.op('select', 'i32', [graph.op(name === 'min' ? 'lt' : 'gt', 'bool', [x, y]), x, y]));
      }, args[0]!);
    case 'imul':
      return wrap(graph.op('mul', 'i32', [rules.int(args[0]!), rules.int(args[1]!)]));
    case 'pow': {
      const [base, exponent] = args;
      if (base?.kind === 'number' && base.value === 2) return calls.callMathFunction('exp2', [wrap(float(1))]);
      if (exponent?.kind === 'number') {
        const x = float(0);
        const square = graph.op('mul', 'f32', [x, x]);
        if (exponent.value === 1) return wrap(x);
        if (exponent.value === 2) return wrap(square);
        if (exponent.value === 3) return wrap(graph.op('mul', 'f32', [square, x]));
        if (exponent.value === 4) return wrap(graph.op('mul', 'f32', [square, square]));
        if (exponent.value === 0.5) return wrap(graph.op('sqrt', 'f32', [x]));
      }
      return calls.callMathFunction('pow', [wrap(float(0)), wrap(float(1))]);
    }
    case 'random':
      return calls.random();
    default:
      throw new TypeProblem(
        `Math.${name} is not in the kernel language`,
        `it has ${[...Object.keys(DIRECT), ...Object.keys(INLINED), ...MORE].sort().join(', ')}`,
      );
  }
}

/** Functions exported by src/dsp/bits.ts that the compiler knows by name. */
export const INTRINSICS: Readonly<Record<string, (calls: Calls, args: readonly Value[]) => Value>> = {
  floatBits: ({ graph, rules }, [x]) => wrap(graph.op('floatBits', 'i32', [rules.float(x!)])),
  bitsFloat: ({ graph, rules }, [x]) => wrap(graph.op('bitsFloat', 'f32', [rules.int(x!)])),
  /** `ordinal(param.x)`: the place of an enum parameter's value among its labels. */
  ordinal: ({ graph }, [choice]) => {
    if (choice?.kind !== 'enum') throw new TypeProblem('`ordinal` takes an enum parameter');
    return wrap(graph.op('toInt', 'i32', [choice.node]));
  },
  /** `rarely(flag)`: the flag, with word that it is seldom true. */
  rarely: ({ graph, rules }, [flag]) => {
    const node = rules.flag(flag!);
    graph.rare.add(node.id);
    return wrap(node);
  },
  /** `pick(index, a, b, …)`: the argument at `index`, clamped; a balanced tree of selects. */
  pick: ({ graph, rules }, [index, ...choices]) => {
    const i = rules.int(index!);
    const tree = (from: number, to: number): Value => {
      if (to - from === 1) return choices[from]!;
      const middle = (from + to) >> 1;
      return rules.select(graph.op('lt', 'bool', [i, graph.int(middle)]), tree(from, middle), tree(middle, to));
    };
    if (choices.length === 0) throw new TypeProblem('pick needs something to pick from');
    return tree(0, choices.length);
  },
};
