// The front end, statements: from the syntax of a module's `process` to the graph of one sample.
import type { ModuleDefinition } from '../module.js';
import type { KernelGraph, Node, Type } from './ir.js';
import { stateType } from './layout.js';
import { Expressions, Scope, type LoweringSituation } from './lower-expressions.js';
import { sourceFile, type SourceFile, type Syntax } from './source.js';
import { literal, wrap, type Value } from './values.js';

/** Largest graph of a kernel, in nodes; a limit against runaway unrolling. */
const MAX_NODES = 60_000;
const MAX_LOOP = 4096;

class Lowering extends Expressions {
  run(file: SourceFile, process: Syntax): KernelGraph {
    const scope = new Scope(file);
    const [pattern, ...others] = process.params as Syntax[];
    if (pattern && (pattern.type !== 'ObjectPattern' || others.length))
      throw file.error(pattern, '`process` must take its parameter apart', 'write process({ input, param, state, output })');
    for (const property of (pattern?.properties ?? []) as Syntax[]) {
      if (property.type !== 'Property' || property.value.type !== 'Identifier')
        throw file.error(property, 'only plain names may be taken from the parameter of `process`');
      scope.names.set(property.value.name, { value: this.#global(file, property) });
    }
    this.block(process.body.body, scope);
    const final = (cell: number, type: Type): Node => this.rules.as(type, this.cells.get(cell)!);
    return {
      outputs: [...this.outputCells.values()].map((cell) => final(cell, 'f32')),
      states: this.stateCells.map((cell, i) => final(cell, i < this.scalars.length ? stateType(this.scalars[i]![1]) : 'i32')),
      accesses: this.accesses,
      rare: this.graph.rare,
    };
  }

  /** One of the names that `process` receives. */
  #global(file: SourceFile, property: Syntax): Value {
    const name = property.key.name as string;
    if (name === 'sampleRate') return literal(this.situation.sampleRate);
    if (name === 'voice') return wrap(this.graph.source('voice', 'f32'));
    if (['input', 'plugged', 'param', 'state', 'output', 'table'].includes(name)) return { kind: 'namespace', name };
    throw file.error(
      property,
      `\`process\` has no \`${name}\``,
      'it has input, plugged, param, state, output, table, sampleRate and voice',
    );
  }

  // ── statements ──

  protected override block(statements: readonly Syntax[], scope: Scope): Value | undefined {
    for (const [i, statement] of statements.entries()) {
      const { file } = scope;
      switch (statement.type) {
        case 'VariableDeclaration':
          this.#declare(statement, scope);
          break;
        case 'ExpressionStatement':
          this.expression(statement.expression, scope);
          break;
        case 'EmptyStatement':
          break;
        case 'BlockStatement': {
          const result = this.block(statement.body, new Scope(file, scope));
          if (result) return result;
          break;
        }
        case 'ReturnStatement':
          if (!statement.argument) throw file.error(statement, 'an empty `return` is not in the kernel language', 'use if … else');
          return this.expression(statement.argument, scope);
        case 'IfStatement': {
          const rest = returns(statement) ? statements.slice(i + 1) : [];
          const result = this.#if(statement, rest, scope);
          if (result || rest.length) return result;
          break;
        }
        case 'ForStatement':
          this.#for(statement, scope);
          break;
        default:
          throw this.unsupported(file, statement);
      }
      if (this.graph.size > MAX_NODES)
        throw file.error(statement, `the kernel grows past ${MAX_NODES} operations here`, 'shorten the loops, which are unrolled');
    }
    return undefined;
  }

  #declare(statement: Syntax, scope: Scope): void {
    for (const { id, init } of statement.declarations as Syntax[]) {
      if (id.type !== 'Identifier') throw scope.file.error(id, 'taking values apart is not in the kernel language', 'name each value');
      if (!init) throw scope.file.error(id, `\`${id.name}\` has no first value`, `write let ${id.name} = 0`);
      const value = this.expression(init, scope);
      scope.names.set(id.name, statement.kind === 'const' ? { value } : { cell: this.newCell(value) });
    }
  }

  #branch(statements: readonly Syntax[], scope: Scope, mask: Node): { cells: Map<number, Value>; result: Value | undefined } {
    const [cells, outer] = [this.cells, this.mask];
    this.cells = new Map(cells);
    this.mask = outer ? this.graph.op('and', 'bool', [outer, mask]) : mask;
    const result = this.block(statements, new Scope(scope.file, scope));
    const after = this.cells;
    [this.cells, this.mask] = [cells, outer];
    return { cells: after, result };
  }

  /** `if`: both sides, then a select for all that differs. `rest` is what follows when one side returns. */
  #if(statement: Syntax, rest: readonly Syntax[], scope: Scope): Value | undefined {
    const condition = this.at(scope.file, statement.test, () => this.rules.flag(this.expression(statement.test, scope)));
    const sides = [statement.consequent, statement.alternate].map(
      (side: Syntax | null) => [...(side ? (side.type === 'BlockStatement' ? side.body : [side]) : []), ...rest] as Syntax[],
    );
    if (condition.op === 'const') return this.block(sides[condition.value ? 0 : 1]!, new Scope(scope.file, scope));
    const yes = this.#branch(sides[0]!, scope, condition);
    const no = this.#branch(sides[1]!, scope, this.graph.op('not', 'bool', [condition]));
    this.at(scope.file, statement, () => {
      for (const [cell, before] of this.cells) {
        const [a, b] = [yes.cells.get(cell)!, no.cells.get(cell)!];
        if (a !== before || b !== before) this.cells.set(cell, this.rules.select(condition, a, b));
      }
    });
    if (!yes.result && !no.result) return undefined;
    if (!yes.result || !no.result)
      throw scope.file.error(statement, 'one side returns a value and the other does not', 'return on both sides');
    return this.at(scope.file, statement, () => this.rules.select(condition, yes.result!, no.result!));
  }

  #for(statement: Syntax, outer: Scope): void {
    const { file } = outer;
    const scope = new Scope(file, outer);
    if (statement.init?.type === 'VariableDeclaration') this.#declare(statement.init, scope);
    else if (statement.init) this.expression(statement.init, scope);
    for (let turn = 0; ; turn++) {
      const test = statement.test ? this.expression(statement.test, scope) : undefined;
      if (test?.kind !== 'node' || test.node.op !== 'const' || turn > MAX_LOOP)
        throw file.error(
          statement.test ?? statement,
          turn > MAX_LOOP ? `the loop turns more than ${MAX_LOOP} times` : 'the bound of this loop is not known to the compiler',
          'use a `for` with a constant bound',
        );
      if (!test.node.value) return;
      if (this.block([statement.body], scope))
        throw file.error(statement, '`return` inside a loop is not in the kernel language', 'use a flag');
      if (statement.update) this.expression(statement.update, scope);
    }
  }
}

/** Whether a statement holds a `return`. */
function returns(node: Syntax | null): boolean {
  if (!node) return false;
  if (node.type === 'ReturnStatement') return true;
  if (node.type === 'IfStatement') return returns(node.consequent) || returns(node.alternate);
  return node.type === 'BlockStatement' && (node.body as Syntax[]).some(returns);
}

/** Finds `process` in the `defineModule` call of a module's file. */
function findProcess(file: SourceFile, type: string): Syntax {
  for (const init of file.constants.values()) {
    if (init.type !== 'CallExpression' || init.callee.name !== 'defineModule') continue;
    const properties = (init.arguments[0]?.properties ?? []) as Syntax[];
    const named = (name: string): Syntax | undefined => properties.find((p) => p.type === 'Property' && p.key.name === name)?.value;
    if (named('type')?.value !== type) continue;
    const process = named('process');
    if (process?.type === 'FunctionExpression' || (process?.type === 'ArrowFunctionExpression' && process.body.type === 'BlockStatement'))
      return process;
    throw file.error(process ?? init, `module ${type} has no \`process\` with a body`, 'write process({ input, output }) { … }');
  }
  throw file.error(
    file.program,
    `no defineModule({ type: '${type}', … }) in this file`,
    'export const name = defineModule({ … }) at the top level',
  );
}

/**
 * Lowers a module's `process`, read from the file at `path`.
 * @throws KernelError with file, line, column, a code frame and a hint.
 */
export function lower(definition: ModuleDefinition, path: string, situation: LoweringSituation): KernelGraph {
  const file = sourceFile(path);
  return new Lowering(definition, situation).run(file, findProcess(file, definition.type));
}
