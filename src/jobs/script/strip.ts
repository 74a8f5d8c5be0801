// TypeScript → JavaScript, by blanking out the types: every character that stays keeps its line and column, so errors point into the file.
//
// What means something at run time (enums, namespaces, parameter properties) is refused, as Node's own type stripping does.
import * as acorn from 'acorn';
import { tsPlugin } from '@sveltejs/acorn-typescript';
import { ScriptError } from './error.js';

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: any;
}

const TypeScript = acorn.Parser.extend(tsPlugin() as never);

/** Nodes that are nothing but types. */
const TYPES = new Set([
  'TSTypeAnnotation',
  'TSTypeParameterDeclaration',
  'TSTypeParameterInstantiation',
  'TSIndexSignature',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSDeclareFunction',
]);
const REFUSED: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'enum',
  TSModuleDeclaration: 'namespace',
  TSParameterProperty: 'parameter property',
  TSImportEqualsDeclaration: 'import … = …',
  TSExportAssignment: 'export = …',
};
const MODIFIERS = /\b(?:public|private|protected|readonly|override|abstract|declare)\b/g;

export interface Stripped {
  readonly code: string;
  /** Where other files are named: the places of string literals, quotes included. */
  readonly imports: readonly { readonly name: string; readonly start: number; readonly end: number }[];
}

/** @throws ScriptError with the place of what is no TypeScript, or more than types */
export function stripTypes(path: string, text: string): Stripped {
  let program: Syntax;
  try {
    program = TypeScript.parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true }) as never;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    throw new ScriptError(path, loc?.line ?? 1, (loc?.column ?? 0) + 1, message.replace(/ \(\d+:\d+\)$/, ''));
  }
  const stripper = new Stripper(path, text);
  stripper.visit(program);
  return { code: stripper.code, imports: stripper.imports };
}

class Stripper {
  readonly imports: { name: string; start: number; end: number }[] = [];
  readonly #text: string;
  readonly #path: string;
  readonly #characters: string[];

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#characters = text.split('');
  }

  get code(): string {
    return this.#characters.join('');
  }

  #blank(start: number, end: number): void {
    for (let i = start; i < end; i++) if (!/[\r\n]/.test(this.#text[i]!)) this.#characters[i] = ' ';
  }

  /** A statement: the semicolon keeps those around it apart. */
  #blankStatement({ start, end }: Syntax): void {
    this.#blank(start, end);
    this.#characters[start] = ';';
  }

  visit(node: Syntax): void {
    const refused = REFUSED[node.type];
    if (refused) {
      const { line, column } = node['loc'].start as { line: number; column: number };
      const hint = 'write it as plain JavaScript, with types';
      throw new ScriptError(this.#path, line, column + 1, `a script cannot have this: ${refused}; ${hint}`);
    }
    if (TYPES.has(node.type)) return this.#dropType(node);
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        if (node['importKind'] === 'type' || node['exportKind'] === 'type') return this.#blankStatement(node);
        this.#dropTypeNames(node['specifiers'] ?? []);
        this.#note(node['source']);
        break;
      case 'ImportExpression':
        this.#note(node['source']);
        break;
      case 'VariableDeclaration':
      case 'ClassDeclaration':
        if (node['declare']) return this.#blankStatement(node);
        this.#class(node);
        break;
      case 'ClassExpression':
        this.#class(node);
        break;
      case 'PropertyDefinition':
      case 'MethodDefinition':
        if (node['declare'] || node['abstract']) return this.#blank(node.start, node.end);
        this.#member(node);
        break;
      case 'VariableDeclarator':
        if (node['definite']) this.#dropMark(node['id'], '!');
        break;
      case 'TSAsExpression':
      case 'TSSatisfiesExpression': {
        const keyword = node.type === 'TSAsExpression' ? 'as' : 'satisfies';
        this.#blank(this.#text.lastIndexOf(keyword, node['typeAnnotation'].start - 1), node.end);
        return this.visit(node['expression']);
      }
      case 'TSTypeAssertion':
        this.#blank(node.start, this.#text.indexOf('>', node['typeAnnotation'].end) + 1);
        return this.visit(node['expression']);
      case 'TSNonNullExpression':
        this.#blank(node.end - 1, node.end);
        break;
      case 'Identifier':
        if (node['optional']) this.#dropMark(node, '?');
        break;
    }
    if (Array.isArray(node['params'])) this.#dropThis(node['params'] as Syntax[]);
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value]) if (isSyntax(child)) this.visit(child);
  }

  #dropType(node: Syntax): void {
    if (node.type.endsWith('Declaration') && node.type !== 'TSTypeParameterDeclaration') this.#blankStatement(node);
    else if (node.type === 'TSDeclareFunction') this.#blankStatement(node);
    else this.#blank(node.start, node.end);
  }

  #note(source: Syntax | null | undefined): void {
    if (typeof source?.['value'] === 'string') this.imports.push({ name: source['value'], start: source.start, end: source.end });
  }

  /** `type` names among the imported or exported, each with its comma. */
  #dropTypeNames(specifiers: readonly Syntax[]): void {
    for (const { importKind, exportKind, start, end } of specifiers)
      if (importKind === 'type' || exportKind === 'type') this.#blank(start, end + (/^\s*,/.exec(this.#text.slice(end))?.[0].length ?? 0));
  }

  #class(node: Syntax): void {
    if (node['abstract']) this.#blank(node.start, node.start + 'abstract'.length);
    const interfaces = (node['implements'] ?? []) as Syntax[];
    if (interfaces.length > 0) this.#blank(this.#text.lastIndexOf('implements', interfaces[0]!.start - 1), interfaces.at(-1)!.end);
  }

  #member(node: Syntax): void {
    const key = node['key'] as Syntax;
    for (const { index, 0: word } of this.#text.slice(node.start, key.start).matchAll(MODIFIERS))
      this.#blank(node.start + index, node.start + index + word.length);
    if (node['optional']) this.#dropMark(key, '?');
    if (node['definite']) this.#dropMark(key, '!');
  }

  /** The `?` or `!` behind a name. */
  #dropMark(name: Syntax, mark: string): void {
    const annotation = name['typeAnnotation'] as Syntax | undefined;
    const from = typeof name['name'] === 'string' ? name.start + (name['name'] as string).length : name.end;
    const at = this.#text.indexOf(mark, from);
    if (at >= 0 && (!annotation || at < annotation.start)) this.#blank(at, at + 1);
  }

  /** A first parameter `this` is a type too. */
  #dropThis([first, second]: readonly Syntax[]): void {
    if (first?.type === 'Identifier' && first['name'] === 'this') this.#blank(first.start, second ? second.start : first.end);
  }
}

const isSyntax = (value: unknown): value is Syntax => typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
