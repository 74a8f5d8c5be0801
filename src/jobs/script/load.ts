// Reads a script and the files it imports, strips their types, and loads them.
//
// Each file becomes a module of its own under a `data:` URL, with the names of other files in it replaced by theirs. So nothing is written
// to disk, an edited file is simply another module, and `sourceURL` lets stacks name the file.
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KrellError } from '../../errors.js';
import type { Script } from '../../script.js';
import { checkImports } from '../guard.js';
import { ScriptError, scriptError } from './error.js';
import { packageFile } from './package.js';
import { stripTypes, type Stripped } from './strip.js';

export interface LoadedScript {
  readonly script: Script;
  /** The file itself, and those it imports by relative names. */
  readonly files: readonly string[];
}

/** What is wrong with a script that exports none. */
export const NO_SCRIPT = 'exports no script; write `export default defineScript({ tick(ctx) { … } })`';

const SCRIPT_API = new URL('../../script.js', import.meta.url).href;
/** Makes each load a module of its own, even of the same text. */
let loads = 0;

/**
 * @param files gets the files that are looked for on the way: an edit of any of them may change the outcome
 * @throws ScriptError
 */
export async function loadScript(path: string, files: string[] = []): Promise<LoadedScript> {
  try {
    const sources = readSources(path, files);
    const exported = (await import(moduleUrl(path, sources, new Map()))) as { default?: unknown };
    return { script: checkScript(path, exported.default), files };
  } catch (error) {
    throw scriptError(path, files, error);
  }
}

/** A file of a script, without types. */
export interface ScriptSource extends Stripped {
  /** What its imports are, in their order: a file, or the URL of something else. */
  readonly targets: readonly ({ readonly file: string } | { readonly url: string })[];
}

/** Reads a script and, each once, the files it imports. @throws ScriptError */
export function readSources(path: string, files: string[]): Map<string, ScriptSource> {
  const sources = new Map<string, ScriptSource>();
  const read = (file: string, importers: readonly string[]): void => {
    if (!files.includes(file)) files.push(file);
    const text = readText(file);
    const stripped = stripTypes(file, text);
    const targets = stripped.imports.map(({ name, start }) => {
      try {
        return target(name, file, [...importers, file], files);
      } catch (error) {
        if (!(error instanceof KrellError)) throw error;
        throw new ScriptError(file, ...placeAt(text, start), error.message);
      }
    });
    sources.set(file, { ...stripped, targets });
    for (const next of targets) if ('file' in next && !sources.has(next.file)) read(next.file, [...importers, file]);
  };
  read(path, []);
  return sources;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScriptError(path, 1, 1, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Line and column, from 1. */
export function placeAt(text: string, at: number): [line: number, column: number] {
  const before = text.slice(0, at).split('\n');
  return [before.length, before.at(-1)!.length + 1];
}

/** @param urls those made before: a file that several import is one module */
function moduleUrl(path: string, sources: ReadonlyMap<string, ScriptSource>, urls: Map<string, string>): string {
  const known = urls.get(path);
  if (known !== undefined) return known;
  const { imports, targets, ...source } = sources.get(path)!;
  let { code } = source;
  for (let i = imports.length - 1; i >= 0; i--) {
    const { start, end } = imports[i]!;
    const to = targets[i]!;
    const url = 'url' in to ? to.url : moduleUrl(to.file, sources, urls);
    code = `${code.slice(0, start)}${JSON.stringify(url)}${code.slice(end)}`;
  }
  const module = `${code}\n//# sourceURL=${path}\n// ${++loads}`;
  const url = `data:text/javascript;base64,${Buffer.from(module).toString('base64')}`;
  urls.set(path, url);
  return url;
}

/** What a file imports by a name. @throws KrellError */
function target(name: string, from: string, importers: readonly string[], files: string[]): ScriptSource['targets'][number] {
  if (name === 'krell/script') return { url: SCRIPT_API };
  if (isBuiltin(name)) return { url: name.startsWith('node:') ? name : `node:${name}` };
  if (name.startsWith('.')) {
    // TypeScript names the file that it will become: `./scale.js` may be `./scale.ts`.
    const path = resolve(dirname(from), name);
    const candidates = [path, path.replace(/\.js$/, '.ts')];
    const file = candidates.find((candidate) => existsSync(candidate));
    if (!file) {
      files.push(...candidates);
      throw new KrellError('script', `there is no file '${name}'`);
    }
    if (importers.includes(file))
      throw new KrellError('script', `'${name}' imports this file, directly or not`, { hint: 'move what both need to a third' });
    return { file };
  }
  const file = packageFile(name, from);
  if (file === undefined)
    throw new KrellError('script', `there is no package '${name}'`, {
      hint: "import from 'krell/script', a relative path or an installed package",
    });
  checkImports(file);
  return { url: pathToFileURL(file).href };
}

function checkScript(path: string, script: unknown): Script {
  const isScript = typeof script === 'object' && script !== null && 'tick' in script && typeof script.tick === 'function';
  if (!isScript) throw new ScriptError(path, 1, 1, NO_SCRIPT);
  return script as Script;
}
