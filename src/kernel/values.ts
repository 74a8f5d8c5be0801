// What an expression of the kernel language can be while it is compiled, and the rules by which types meet.
import type { Graph, Node, Op, Type } from './ir.js';

export type Value =
  | { readonly kind: 'node'; readonly node: Node }
  /** A number the compiler knows (double precision); takes the type of what it meets. */
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'label'; readonly text: string }
  | { readonly kind: 'enum'; readonly node: Node; readonly labels: readonly string[] }
  | { readonly kind: 'buffer'; readonly index: number; readonly length: number }
  | { readonly kind: 'table'; readonly index: number; readonly length: number }
  | { readonly kind: 'namespace'; readonly name: string };

export const literal = (value: number): Value => ({ kind: 'number', value });
export const wrap = (node: Node): Value => ({ kind: 'node', node });

/** Thrown by the rules here; the front end adds the place. */
export class TypeProblem extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

const NAMES: Record<Value['kind'], string> = {
  node: 'a value',
  number: 'a number',
  label: 'a string',
  enum: 'an enum parameter',
  buffer: 'a buffer',
  table: 'a table',
  namespace: 'a group of values',
};
const unexpected = (value: Value, wanted: string): TypeProblem =>
  new TypeProblem(
    `${NAMES[value.kind]} stands where ${wanted} is needed`,
    value.kind === 'enum' ? `compare it with one of its labels: ${value.labels.map((l) => `'${l}'`).join(', ')}` : undefined,
  );

const isInt = (value: Value): boolean => value.kind === 'node' && value.node.type === 'i32';
const isFlag = (value: Value): boolean => value.kind === 'node' && value.node.type === 'bool';

/** Conversions and operators over one graph. */
export class Rules {
  constructor(readonly graph: Graph) {}

  float(value: Value): Node {
    if (value.kind === 'number') return this.graph.float(value.value);
    if (value.kind !== 'node') throw unexpected(value, 'a number');
    const { node } = value;
    if (node.type === 'f32') return node;
    if (node.type === 'i32') return this.graph.op('toFloat', 'f32', [node]);
    throw new TypeProblem('a flag stands where a number is needed', 'write `flag ? 1 : 0`');
  }

  int(value: Value): Node {
    if (value.kind === 'number') return this.graph.int(value.value);
    if (isInt(value)) return (value as { node: Node }).node;
    return this.graph.op('toInt', 'i32', [this.float(value)]);
  }

  flag(value: Value): Node {
    if (isFlag(value)) return (value as { node: Node }).node;
    throw value.kind === 'node' || value.kind === 'number'
      ? new TypeProblem('a number stands where a condition is needed', 'compare it: `x > 0`, `x !== 0`')
      : unexpected(value, 'a condition');
  }

  as(type: Type, value: Value): Node {
    return type === 'f32' ? this.float(value) : type === 'i32' ? this.int(value) : this.flag(value);
  }

  /** The type two values meet in: flags with flags, int with int or a whole literal, else float. */
  common(a: Value, b: Value): Type {
    if (isFlag(a) && isFlag(b)) return 'bool';
    const fits = (v: Value): boolean => isInt(v) || (v.kind === 'number' && Number.isInteger(v.value));
    return (isInt(a) || isInt(b)) && fits(a) && fits(b) ? 'i32' : 'f32';
  }

  select(condition: Node, a: Value, b: Value): Value {
    if (condition.op === 'const') return condition.value ? a : b;
    if (a.kind === 'number' && b.kind === 'number' && Object.is(a.value, b.value)) return a;
    if (a.kind === b.kind && (a.kind === 'buffer' || a.kind === 'table') && a.index === (b as typeof a).index) return a;
    const type = this.common(a, b);
    return wrap(this.graph.op('select', type, [condition, this.as(type, a), this.as(type, b)]));
  }

  /** A binary operator of the language. */
  binary(operator: string, a: Value, b: Value): Value {
    if (a.kind === 'enum' || b.kind === 'enum') return this.#compareLabel(operator, a, b);
    if (a.kind === 'number' && b.kind === 'number') {
      const folded = foldLiterals(operator, a.value, b.value);
      if (typeof folded === 'boolean') return wrap(this.graph.flag(folded));
      if (folded !== undefined) return literal(folded);
    }
    const arithmetic = ARITHMETIC[operator];
    if (arithmetic) {
      const type = operator === '/' ? 'f32' : this.common(a, b);
      if (type === 'bool') throw new TypeProblem(`\`${operator}\` between flags`, 'use && and ||, or `flag ? 1 : 0`');
      return wrap(this.graph.op(arithmetic, type, [this.as(type, a), this.as(type, b)]));
    }
    const comparison = COMPARISONS[operator];
    if (comparison) {
      const type = this.common(a, b);
      if (type === 'bool') {
        const different = this.graph.op('xor', 'bool', [this.flag(a), this.flag(b)]);
        if (comparison === 'ne') return wrap(different);
        if (comparison === 'eq') return wrap(this.graph.op('not', 'bool', [different]));
      }
      return wrap(this.graph.op(comparison, 'bool', [this.as(type, a), this.as(type, b)]));
    }
    const bitwise = BITWISE[operator];
    if (bitwise) {
      if (operator === '|' && b.kind === 'number' && b.value === 0) return wrap(this.int(a));
      return wrap(this.graph.op(bitwise, 'i32', [this.int(a), this.int(b)]));
    }
    const shift = SHIFTS[operator];
    if (shift) {
      if (b.kind !== 'number') throw new TypeProblem('a shift by a variable amount', 'shift by a constant');
      return wrap(this.graph.op(shift, 'i32', [this.int(a)], b.value & 31));
    }
    if (operator === '%') {
      const [x, y] = [this.float(a), this.float(b)];
      const whole = this.graph.op('trunc', 'f32', [this.graph.op('div', 'f32', [x, y])]);
      return wrap(this.graph.op('sub', 'f32', [x, this.graph.op('mul', 'f32', [whole, y])]));
    }
    throw new TypeProblem(`the operator \`${operator}\` is not in the kernel language`, OPERATOR_HINTS[operator]);
  }

  #compareLabel(operator: string, a: Value, b: Value): Value {
    const [parameter, label] = a.kind === 'enum' ? [a, b] : [b, a];
    if (parameter.kind !== 'enum' || label.kind !== 'label' || (operator !== '===' && operator !== '!=='))
      throw unexpected(a.kind === 'enum' ? a : b, 'a number');
    const index = parameter.labels.indexOf(label.text);
    if (index < 0) throw new TypeProblem(`'${label.text}' is not a value of this parameter`, `its values: ${parameter.labels.join(', ')}`);
    return wrap(this.graph.op(operator === '===' ? 'eq' : 'ne', 'bool', [parameter.node, this.graph.float(index)]));
  }

  unary(operator: string, a: Value): Value {
    if (operator === '!') return wrap(this.graph.op('not', 'bool', [this.flag(a)]));
    if (operator === '+') return a;
    if (operator === '-') {
      if (a.kind === 'number') return literal(-a.value);
      return isInt(a)
        ? wrap(this.graph.op('sub', 'i32', [this.graph.int(0), this.int(a)]))
        : wrap(this.graph.op('neg', 'f32', [this.float(a)]));
    }
    if (operator === '~') return wrap(this.graph.op('not', 'i32', [this.int(a)]));
    throw new TypeProblem(`the operator \`${operator}\` is not in the kernel language`);
  }
}

const ARITHMETIC: Record<string, Op> = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div' };
const COMPARISONS: Record<string, Op> = { '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge', '===': 'eq', '!==': 'ne' };
const BITWISE: Record<string, Op> = { '&': 'and', '|': 'or', '^': 'xor' };
const SHIFTS: Record<string, Op> = { '<<': 'shl', '>>': 'shr', '>>>': 'shru' };
const OPERATOR_HINTS: Record<string, string> = { '==': 'use ===', '!=': 'use !==', '??': 'every value is a number here; use a ternary' };

/** Operators between literals, in double precision. Bitwise ones are left to the typed rules. */
function foldLiterals(operator: string, a: number, b: number): number | boolean | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '**':
      return a ** b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '===':
      return a === b;
    case '!==':
      return a !== b;
    default:
      return undefined;
  }
}
