// What can be known of a script without running it: whether it can be read, is TypeScript, imports what there is and may be imported, and
// exports a script. For `krell check`; the engine finds the same when it loads the script.
import { parse } from 'acorn';
import { didYouMean } from '../../control/names.js';
import * as api from '../../script.js';
import { ScriptError } from './error.js';
import { NO_SCRIPT, placeAt, readSources, type ScriptSource } from './load.js';
import { nearScript } from './near.js';

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: any;
}

/** What is wrong with a script, and with the files that it imports by relative names. */
export function checkScript(path: string): ScriptError[] {
  try {
    const sources = readSources(path, []);
    const bodies = new Map([...sources].map(([file, { code }]) => [file, bodyOf(file, code)]));
    return [...sources]
      .flatMap(([file, source]) => checkNames(file, source, bodies))
      .concat(checkDefault(path, sources.get(path)!, bodies.get(path)!));
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    const hint = nearScript(path);
    return [hint === undefined ? error : new ScriptError(error.file, error.line, error.column, `${error.problem}; ${hint}`)];
  }
}

function bodyOf(file: string, code: string): readonly Syntax[] {
  try {
    return parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }).body as unknown as Syntax[];
  } catch (error) {
    const { message, pos = 0 } = error as Error & { pos?: number };
    throw new ScriptError(file, ...placeAt(code, pos), message.replace(/ \(\d+:\d+\)$/, ''));
  }
}

/** Names that a file imports and the other does not export. */
function checkNames(file: string, { code, imports, targets }: ScriptSource, bodies: ReadonlyMap<string, readonly Syntax[]>): ScriptError[] {
  return bodies.get(file)!.flatMap((node) => {
    const target = targets[imports.findIndex(({ start }) => start === node['source']?.start)];
    const known = !target ? undefined : 'file' in target ? exportsOf(target.file, bodies, []) : isApi(node) ? Object.keys(api) : undefined;
    if (!known) return [];
    const specifiers = (node['specifiers'] ?? []) as Syntax[];
    return specifiers.flatMap((specifier) => {
      const name = importedName(specifier);
      if (name === undefined || known.includes(name)) return [];
      const hint = didYouMean(name, known) ?? 'it exports nothing';
      const problem = `'${String(node['source'].value)}' exports no '${name}' (write 'import type' for what is only a type); ${hint}`;
      return [new ScriptError(file, ...placeAt(code, specifier.start), problem)];
    });
  });
}

const isApi = (node: Syntax): boolean => node['source']?.value === 'krell/script';

/** The name that the other file has to export; `undefined` for what takes all. */
function importedName({ type, imported, local }: Syntax): string | undefined {
  if (type === 'ImportDefaultSpecifier') return 'default';
  if (type === 'ImportSpecifier') return nameOf(imported);
  return type === 'ExportSpecifier' ? nameOf(local) : undefined;
}
const nameOf = ({ name, value }: Syntax): string => (name ?? value) as string;

/** Names that a file exports; `undefined` when it passes on those of another, which are not looked into. */
function exportsOf(file: string, bodies: ReadonlyMap<string, readonly Syntax[]>, names: string[]): string[] | undefined {
  for (const { type, exported, specifiers, declaration } of bodies.get(file)!) {
    if (type === 'ExportDefaultDeclaration') names.push('default');
    if (type === 'ExportAllDeclaration' && !exported) return undefined;
    if (type === 'ExportAllDeclaration') names.push(nameOf(exported));
    if (type !== 'ExportNamedDeclaration') continue;
    for (const specifier of specifiers as Syntax[]) names.push(nameOf(specifier['exported']));
    if (declaration?.id) names.push(nameOf(declaration.id));
    for (const { id } of (declaration?.declarations ?? []) as Syntax[]) {
      if (id.type !== 'Identifier') return undefined;
      names.push(nameOf(id));
    }
  }
  return names;
}

/** The script itself, where it is written out. */
function checkDefault(path: string, { code }: ScriptSource, body: readonly Syntax[]): ScriptError[] {
  const names = exportsOf(path, new Map([[path, body]]), []);
  if (names && !names.includes('default')) return [new ScriptError(path, 1, 1, NO_SCRIPT)];
  let value = body.find(({ type }) => type === 'ExportDefaultDeclaration')?.['declaration'] as Syntax | undefined;
  if (value?.type === 'CallExpression' && value['callee'].name === 'defineScript') value = value['arguments'][0] as Syntax | undefined;
  const properties = value?.type === 'ObjectExpression' ? (value['properties'] as Syntax[]) : undefined;
  const hasTick = properties?.some(({ type, key }) => type === 'SpreadElement' || nameOf(key) === 'tick');
  if (!value || (properties ? hasTick : !/Literal$|Function|^Class/.test(value.type))) return [];
  return [new ScriptError(path, ...placeAt(code, value.start), NO_SCRIPT)];
}
