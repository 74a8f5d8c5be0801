// The front end, expressions: names, members, operators, assignments and calls of the kernel language as graph nodes.
import type { ModuleDefinition, StateSpec } from '../module.js';
import { callMath, INTRINSICS, MATH_CONSTANTS, type Calls } from './intrinsics.js';
import { Graph, type Access, type Node, type Type } from './ir.js';
import { bufferLength, RANDOM_STATES, scalarStates, stateType } from './layout.js';
import { KernelError, MATH_PATH, sourceFile, type SourceFile, type Syntax } from './source.js';
import { literal, Rules, TypeProblem, wrap, type Value } from './values.js';

/** What is fixed for one kernel before its source is read. */
export interface LoweringSituation {
  readonly sampleRate: number;
  /** By input, in the spec's order. */
  readonly plugged: readonly boolean[];
}

const MAX_CALL_DEPTH = 32;

type Binding = { readonly cell: number } | { readonly value: Value };

/** Names that a piece of source sees. */
export class Scope {
  readonly names = new Map<string, Binding>();
  constructor(
    readonly file: SourceFile,
    readonly parent?: Scope,
  ) {}
  find(name: string): Binding | undefined {
    return this.names.get(name) ?? this.parent?.find(name);
  }
}

const UNSUPPORTED: Record<string, string> = {
  WhileStatement: '`while` is not in the kernel language; use a `for` with a constant bound',
  DoWhileStatement: '`do` is not in the kernel language; use a `for` with a constant bound',
  ForOfStatement: '`for … of` is not in the kernel language; use a `for` with a constant bound',
  ForInStatement: '`for … in` is not in the kernel language; use a `for` with a constant bound',
  SwitchStatement: '`switch` is not in the kernel language; use `if … else if`',
  TryStatement: '`try` is not in the kernel language; nothing in a kernel can throw',
  ThrowStatement: '`throw` is not in the kernel language; nothing in a kernel can throw',
  NewExpression: '`new` is not in the kernel language; declare a `buffer` in the state',
  ObjectExpression: 'objects are not in the kernel language; use plain numbers',
  ArrayExpression: 'arrays are not in the kernel language; declare a `buffer` in the state or a table in `tables`',
  ArrowFunctionExpression: 'functions inside `process` are not in the kernel language; write one at the top of the file',
  FunctionExpression: 'functions inside `process` are not in the kernel language; write one at the top of the file',
  FunctionDeclaration: 'functions inside `process` are not in the kernel language; write one at the top of the file',
  AwaitExpression: '`await` is not in the kernel language; a kernel computes one sample and returns',
  TemplateLiteral: 'strings are not in the kernel language',
  BreakStatement: '`break` is not in the kernel language; use a flag',
  ContinueStatement: '`continue` is not in the kernel language; use an `if`',
};

/** Values and expressions: all that needs no statements. */
export abstract class Expressions implements Calls {
  readonly graph = new Graph();
  readonly rules = new Rules(this.graph);
  protected readonly accesses: Access[] = [];
  private readonly versions: number[] = [];
  private readonly buffers = new Map<string, number>();
  protected readonly scalars: [string, StateSpec][];
  private readonly constants = new Map<Syntax, Value>();
  private readonly stack: Syntax[] = [];
  /** Current value of each mutable thing; replaced, not changed, where branches part. */
  protected cells = new Map<number, Value>();
  private cellCount = 0;
  /** True where the statement being lowered runs; undefined = always. */
  protected mask: Node | undefined;
  protected readonly stateCells: number[];
  protected readonly outputCells = new Map<string, number>();

  constructor(
    readonly definition: ModuleDefinition,
    readonly situation: LoweringSituation,
  ) {
    this.scalars = scalarStates(definition);
    const types = [...this.scalars.map(([, spec]) => stateType(spec)), ...Array<Type>(RANDOM_STATES).fill('i32')];
    this.stateCells = types.map((type, i) => this.newCell(wrap(this.graph.source('state', type, i))));
    for (const [name, spec] of Object.entries(definition.state))
      if (typeof spec === 'object' && spec.kind === 'buffer') {
        this.buffers.set(name, this.buffers.size);
        this.versions.push(0);
      }
    for (const name of Object.keys(definition.outputs)) this.outputCells.set(name, this.newCell(literal(0)));
  }

  protected newCell(value: Value): number {
    this.cells.set(this.cellCount, value);
    return this.cellCount++;
  }

  /** Lowers statements; the value is what a `return` among them gives. */
  protected abstract block(statements: readonly Syntax[], scope: Scope): Value | undefined;

  protected unsupported(file: SourceFile, node: Syntax): KernelError {
    const [problem, hint] = (UNSUPPORTED[node.type] ?? `${node.type} is not in the kernel language`).split('; ');
    return file.error(node, problem!, hint);
  }

  // ── expressions ──

  /** Runs a typing rule and gives its complaint a place. */
  protected at<T>(file: SourceFile, node: Syntax, rule: () => T): T {
    try {
      return rule();
    } catch (problem) {
      throw problem instanceof TypeProblem ? file.error(node, problem.message, problem.hint) : problem;
    }
  }

  expression(node: Syntax, scope: Scope): Value {
    const { file } = scope;
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'number') return literal(node.value);
        if (typeof node.value === 'boolean') return wrap(this.graph.flag(node.value));
        if (typeof node.value === 'string') return { kind: 'label', text: node.value };
        break;
      case 'Identifier':
        return this.#identifier(node, scope);
      case 'MemberExpression':
        return this.#member(node, scope);
      case 'BinaryExpression': {
        const [a, b] = [this.expression(node.left, scope), this.expression(node.right, scope)];
        return this.at(file, node, () =>
          node.operator === '**' && !(a.kind === 'number' && b.kind === 'number')
            ? callMath(this, 'pow', [a, b])
            : this.rules.binary(node.operator, a, b),
        );
      }
      case 'LogicalExpression': {
        if (node.operator === '??') break;
        const [a, b] = [this.expression(node.left, scope), this.expression(node.right, scope)];
        return this.at(file, node, () =>
          wrap(this.graph.op(node.operator === '&&' ? 'and' : 'or', 'bool', [this.rules.flag(a), this.rules.flag(b)])),
        );
      }
      case 'UnaryExpression': {
        const a = this.expression(node.argument, scope);
        return this.at(file, node, () => this.rules.unary(node.operator, a));
      }
      case 'ConditionalExpression': {
        const condition = this.at(file, node.test, () => this.rules.flag(this.expression(node.test, scope)));
        if (condition.op === 'const') return this.expression(condition.value ? node.consequent : node.alternate, scope);
        const [a, b] = [this.expression(node.consequent, scope), this.expression(node.alternate, scope)];
        return this.at(file, node, () => this.rules.select(condition, a, b));
      }
      case 'AssignmentExpression':
        return this.#assign(node, node.left, node.operator, () => this.expression(node.right, scope), scope);
      case 'UpdateExpression':
        return this.#assign(node, node.argument, node.operator === '++' ? '+=' : '-=', () => literal(1), scope);
      case 'CallExpression':
        return this.#call(node, scope);
      case 'ParenthesizedExpression':
      case 'TSAsExpression':
      case 'TSNonNullExpression':
      case 'TSSatisfiesExpression':
        return this.expression(node.expression, scope);
      default:
    }
    throw this.unsupported(file, node);
  }

  #identifier(node: Syntax, scope: Scope): Value {
    const binding = scope.find(node.name);
    if (binding) return 'value' in binding ? binding.value : this.cells.get(binding.cell)!;
    const constant = this.#constant(scope.file, node.name);
    if (constant) return constant;
    throw scope.file.error(
      node,
      `\`${node.name}\` is not known here`,
      'a kernel sees its own names, constants and functions of its file, and what that file imports from src/dsp',
    );
  }

  /** A top-level constant of `file`, or one it imports. */
  #constant(file: SourceFile, name: string): Value | undefined {
    const imported = this.#import(file, name);
    if (imported) return this.#constant(imported.file, imported.name);
    const init = file.constants.get(name);
    if (!init) return undefined;
    let value = this.constants.get(init);
    if (!value) this.constants.set(init, (value = this.expression(init, new Scope(file))));
    return value;
  }

  #import(file: SourceFile, name: string): { file: SourceFile; name: string } | undefined {
    const origin = file.imports.get(name);
    const path = origin && file.resolve(origin.from);
    return path ? { file: sourceFile(path), name: origin.name } : undefined;
  }

  /** `space.name`, as the name that the module's spec must have. */
  #property(node: Syntax, scope: Scope): string {
    if (!node.computed) return node.property.name;
    const key = this.expression(node.property, scope);
    if (key.kind === 'label') return key.text;
    throw scope.file.error(node.property, 'the name must be written out');
  }

  #member(node: Syntax, scope: Scope): Value {
    if (node.object.type === 'Identifier' && node.object.name === 'Math' && !scope.find('Math')) {
      const constant = MATH_CONSTANTS[node.property.name];
      if (constant === undefined) throw scope.file.error(node, `Math.${node.property.name} is not in the kernel language`);
      return literal(constant);
    }
    const object = this.expression(node.object, scope);
    if (object.kind === 'namespace') return this.#field(object.name, this.#property(node, scope), node, scope);
    if (object.kind !== 'buffer' && object.kind !== 'table') throw scope.file.error(node, 'only buffers and tables have elements');
    if (!node.computed && node.property.name === 'length') return literal(object.length);
    if (!node.computed) throw scope.file.error(node, `a ${object.kind} has no \`${node.property.name}\``, 'it has [index] and length');
    const index = this.at(scope.file, node.property, () => this.rules.int(this.expression(node.property, scope)));
    if (object.kind === 'table') return wrap(this.graph.table(object.index, index));
    const load = this.graph.load(object.index, index, this.versions[object.index]!);
    if (!this.accesses.some((access) => access.kind === 'load' && access.node === load))
      this.accesses.push({ kind: 'load', buffer: object.index, node: load });
    return wrap(load);
  }

  #field(space: string, name: string, node: Syntax, scope: Scope): Value {
    const { definition, situation, graph } = this;
    const index = (names: object): number => {
      const i = Object.keys(names).indexOf(name);
      if (i < 0)
        throw scope.file.error(node, `${definition.type} has no ${space} \`${name}\``, `it has ${Object.keys(names).join(', ') || 'none'}`);
      return i;
    };
    switch (space) {
      case 'input': {
        const i = index(definition.inputs);
        return situation.plugged[i] ? wrap(graph.source('input', 'f32', i)) : literal(definition.inputs[name]!.unplugged);
      }
      case 'plugged':
        return wrap(graph.flag(situation.plugged[index(definition.inputs)]!));
      case 'param': {
        const value = graph.source('param', 'f32', index(definition.params));
        const spec = definition.params[name]!;
        if (spec.kind === 'enum') return { kind: 'enum', node: value, labels: spec.values };
        if (spec.kind === 'toggle') return wrap(graph.op('ne', 'bool', [value, graph.float(0)]));
        return wrap(spec.kind === 'integer' ? graph.op('toInt', 'i32', [value]) : value);
      }
      case 'output':
        index(definition.outputs);
        return this.cells.get(this.outputCells.get(name)!)!;
      case 'table':
        return { kind: 'table', index: index(definition.tables), length: definition.tables[name]!.length };
      default: {
        index(definition.state);
        const spec = definition.state[name]!;
        if (typeof spec === 'object' && spec.kind === 'buffer')
          return { kind: 'buffer', index: this.buffers.get(name)!, length: bufferLength(spec, situation.sampleRate) };
        return this.cells.get(this.stateCells[this.scalars.findIndex(([n]) => n === name)]!)!;
      }
    }
  }

  #assign(node: Syntax, target: Syntax, operator: string, right: () => Value, scope: Scope): Value {
    const { file } = scope;
    let value = right();
    if (operator !== '=') {
      const binary = operator.slice(0, -1);
      const before = this.expression(target, scope);
      value = this.at(file, node, () =>
        binary === '**' ? callMath(this, 'pow', [before, value]) : this.rules.binary(binary, before, value),
      );
    }
    if (target.type === 'Identifier') {
      const binding = scope.find(target.name);
      if (!binding || 'value' in binding)
        throw file.error(target, `\`${target.name}\` cannot be assigned`, binding ? 'declare it with let' : undefined);
      const before = this.cells.get(binding.cell)!;
      // A variable keeps the type of its first value, unless that was a plain literal.
      this.cells.set(
        binding.cell,
        before.kind === 'node' ? wrap(this.at(file, node, () => this.rules.as(before.node.type, value))) : value,
      );
      return value;
    }
    if (target.type === 'MemberExpression') {
      const object = this.expression(target.object, scope);
      if (object.kind === 'buffer' && target.computed) {
        this.at(file, node, () => {
          const index = this.rules.int(this.expression(target.property, scope));
          this.accesses.push({ kind: 'store', buffer: object.index, index, value: this.rules.float(value), mask: this.mask });
        });
        this.versions[object.index]!++;
        return value;
      }
      if (object.kind === 'namespace' && (object.name === 'state' || object.name === 'output')) {
        const name = this.#property(target, scope);
        this.#field(object.name, name, target, scope);
        const i = this.scalars.findIndex(([n]) => n === name);
        if (object.name === 'output') this.cells.set(this.outputCells.get(name)!, wrap(this.at(file, node, () => this.rules.float(value))));
        else if (i >= 0)
          this.cells.set(this.stateCells[i]!, wrap(this.at(file, node, () => this.rules.as(stateType(this.scalars[i]![1]), value))));
        else throw file.error(target, `\`state.${name}\` is a buffer`, `write state.${name}[index] = value`);
        return value;
      }
    }
    throw file.error(target, 'this cannot be assigned', 'assign to a `let`, to state.x, state.buffer[i] or output.x');
  }

  // ── calls ──

  #call(node: Syntax, scope: Scope): Value {
    const { file } = scope;
    const { callee } = node;
    const args = (node.arguments as Syntax[]).map((arg) => this.expression(arg, scope));
    if (callee.type === 'MemberExpression' && callee.object.type === 'Identifier' && callee.object.name === 'Math')
      return this.at(file, node, () => callMath(this, callee.property.name, args));
    if (callee.type !== 'Identifier') throw file.error(callee, 'only functions called by name are in the kernel language');
    const intrinsic = INTRINSICS[callee.name];
    if (intrinsic) return this.at(file, node, () => intrinsic(this, args));
    const found = this.#function(file, callee.name);
    if (!found)
      throw file.error(
        callee,
        `the function \`${callee.name}\` is not known here`,
        'define it at the top of the file or import it from src/dsp',
      );
    return this.#inline(found.file, found.function, args, () =>
      file.error(node, `\`${callee.name}\` calls itself`, 'recursion is not in the kernel language'),
    );
  }

  #function(file: SourceFile, name: string): { file: SourceFile; function: Syntax } | undefined {
    const imported = this.#import(file, name);
    if (imported) return this.#function(imported.file, imported.name);
    const found = file.functions.get(name);
    return found && { file, function: found };
  }

  #inline(file: SourceFile, fn: Syntax, args: readonly Value[], recursion: () => KernelError): Value {
    if (this.stack.length >= MAX_CALL_DEPTH || this.stack.includes(fn)) throw recursion();
    const scope = new Scope(file);
    (fn.params as Syntax[]).forEach((parameter, i) => {
      const [name, fallback] =
        parameter.type === 'AssignmentPattern' ? [parameter.left, parameter.right as Syntax] : [parameter, undefined];
      if (name.type !== 'Identifier') throw file.error(parameter, 'a parameter of a kernel function must be a plain name');
      const value = args[i] ?? (fallback && this.expression(fallback, scope));
      if (!value) throw file.error(parameter, `\`${name.name}\` is not given in a call`);
      // Buffers and tables are passed as they are; numbers may be assigned to inside the function.
      scope.names.set(name.name, value.kind === 'node' || value.kind === 'number' ? { cell: this.newCell(value) } : { value });
    });
    this.stack.push(fn);
    const result = fn.body.type === 'BlockStatement' ? this.block(fn.body.body, scope) : this.expression(fn.body, scope);
    this.stack.pop();
    return result ?? literal(0);
  }

  // ── for intrinsics ──

  callMathFunction(name: string, args: readonly Value[]): Value {
    const found = this.#function(sourceFile(MATH_PATH), name);
    if (!found) throw new TypeProblem(`Math.${name} is not in the kernel language`);
    return this.#inline(found.file, found.function, args, () => found.file.error(found.function, `\`${name}\` calls itself`));
  }

  random(): Value {
    const { graph } = this;
    const cells = this.stateCells.slice(-RANDOM_STATES);
    let [s0, s1, s2, s3] = cells.map((cell) => this.rules.int(this.cells.get(cell)!)) as [Node, Node, Node, Node];
    const op = (name: 'add' | 'xor' | 'or', a: Node, b: Node): Node => graph.op(name, 'i32', [a, b]);
    const result = op('add', s0, s3);
    const t = graph.op('shl', 'i32', [s1], 9);
    s2 = op('xor', s2, s0);
    s3 = op('xor', s3, s1);
    s1 = op('xor', s1, s2);
    s0 = op('xor', s0, s3);
    s2 = op('xor', s2, t);
    s3 = op('or', graph.op('shl', 'i32', [s3], 11), graph.op('shru', 'i32', [s3], 21));
    [s0, s1, s2, s3].forEach((s, i) => this.cells.set(cells[i]!, wrap(s)));
    const top = graph.op('toFloat', 'f32', [graph.op('shru', 'i32', [result], 8)]);
    return wrap(graph.op('mul', 'f32', [top, graph.float(2 ** -24)]));
  }
}
