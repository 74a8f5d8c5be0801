// Source files of kernels: parsed once, their top-level functions and constants by name, and errors that point into them.
import { readFileSync, existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as acorn from 'acorn';
import { tsPlugin } from '@sveltejs/acorn-typescript';
import { KrellError } from '../errors.js';

/** A syntax node as acorn gives it; the front end knows the fields of each type it accepts. */
export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: any;
}

/** Root of the package: where `modules/` and `src/dsp/` with the sources of kernels are. */
export const PACKAGE_ROOT = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(resolve(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** A kernel source that cannot be compiled: what, where, and what to write instead. */
export class KernelError extends KrellError {
  constructor(
    readonly problem: string,
    readonly file: string,
    readonly line: number,
    readonly column: number,
    readonly frame: string,
    hint?: string,
  ) {
    const path = `${file}:${line}:${column}`;
    super('kernel', problem, { path, hint });
    this.message = `${path}: ${problem}\n${frame}${hint ? `\n  hint: ${hint}` : ''}`;
  }
}

const Parser = acorn.Parser.extend(tsPlugin() as never);

/** One parsed file. */
export class SourceFile {
  readonly functions = new Map<string, Syntax>();
  readonly constants = new Map<string, Syntax>();
  /** Local name → where it comes from. */
  readonly imports = new Map<string, { from: string; name: string }>();
  readonly #text: string;
  readonly #path: string;
  readonly program: Syntax;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    try {
      this.program = Parser.parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true }) as never;
    } catch (error) {
      const at = (error as { pos?: number }).pos ?? 0;
      throw this.error({ start: at, end: at + 1 }, `not TypeScript: ${(error as Error).message.replace(/ \(\d+:\d+\)$/, '')}`);
    }
    for (const statement of this.program.body as Syntax[])
      this.#declare(statement.type === 'ExportNamedDeclaration' && statement.declaration ? statement.declaration : statement);
  }

  #declare(statement: Syntax): void {
    if (statement.type === 'FunctionDeclaration') this.functions.set(statement.id.name, statement);
    else if (statement.type === 'VariableDeclaration' && statement.kind === 'const') {
      for (const { id, init } of statement.declarations as Syntax[]) {
        if (id.type !== 'Identifier' || !init) continue;
        if (init.type === 'ArrowFunctionExpression') this.functions.set(id.name, init);
        else this.constants.set(id.name, init);
      }
    } else if (statement.type === 'ImportDeclaration' || (statement.type === 'ExportNamedDeclaration' && statement.source)) {
      for (const item of statement.specifiers as Syntax[])
        if (item.type !== 'ImportNamespaceSpecifier' && item.type !== 'ImportDefaultSpecifier')
          this.imports.set(item.exported?.name ?? item.local.name, {
            from: statement.source.value,
            name: item.imported?.name ?? item.local.name,
          });
    }
  }

  /** An error at `node` of this file. */
  error(node: { start: number; end: number }, problem: string, hint?: string): KernelError {
    const before = this.#text.slice(0, node.start);
    const line = before.split('\n').length;
    const column = node.start - before.lastIndexOf('\n');
    const lines = this.#text.split('\n');
    const width = String(line + 1).length;
    const frame: string[] = [];
    for (let n = Math.max(1, line - 1); n <= Math.min(lines.length, line + 1); n++) {
      frame.push(`${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${lines[n - 1]}`);
      const length = Math.max(1, Math.min(node.end - node.start, lines[n - 1]!.length - column + 1));
      if (n === line) frame.push(`  ${' '.repeat(width)} | ${' '.repeat(column - 1)}${'^'.repeat(length)}`);
    }
    return new KernelError(problem, this.label, line, column, frame.join('\n'), hint);
  }

  /** The file as people name it: relative to the package when it is inside. */
  get label(): string {
    const label = relative(PACKAGE_ROOT, this.#path);
    return label.startsWith('..') ? this.#path : label;
  }

  /** Follows a relative import to the file it names. */
  resolve(from: string): string | undefined {
    if (!from.startsWith('.')) return undefined;
    const target = resolve(dirname(this.#path), from);
    const typescript = target.replace(/\.js$/, '.ts');
    return existsSync(typescript) ? typescript : existsSync(target) ? target : undefined;
  }
}

const files = new Map<string, SourceFile>();

/** The parsed file at `path`, from the cache when there. */
export function sourceFile(path: string): SourceFile {
  let file = files.get(path);
  if (!file) {
    file = new SourceFile(path, readFileSync(path, 'utf8'));
    files.set(path, file);
  }
  return file;
}

/** Forgets a parsed file, so that it is read anew. */
export const forgetSource = (path: string): void => void files.delete(path);

/** Where a module's source is unless it is told: `modules/<type>.ts`. */
export const modulePath = (type: string): string => resolve(PACKAGE_ROOT, 'modules', `${type}.ts`);
/** The math functions that `Math.*` stands for in kernels. */
export const MATH_PATH = resolve(PACKAGE_ROOT, 'src/dsp/math.ts');
