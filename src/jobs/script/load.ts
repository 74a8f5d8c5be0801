// Reads a script and the files it imports, strips their types, and loads them.
//
// Each file becomes a module of its own under a `data:` URL, with the names of other files in it replaced by theirs. So nothing is written
// to disk, an edited file is simply another module, and `sourceURL` lets stacks name the file.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KrellError } from '../../errors.js';
import type { Script } from '../../script.js';
import { checkImports } from '../guard.js';
import { ScriptError, scriptError } from './error.js';
import { stripTypes } from './strip.js';

export interface LoadedScript {
  readonly script: Script;
  /** The file itself, and those it imports by relative names. */
  readonly files: readonly string[];
}

const SCRIPT_API = new URL('../../script.js', import.meta.url).href;
/** Makes each load a module of its own, even of the same text. */
let loads = 0;

/** @throws ScriptError */
export async function loadScript(path: string): Promise<LoadedScript> {
  const files: string[] = [];
  try {
    const exported = (await import(moduleUrl(path, files, []))) as { default?: unknown };
    return { script: checkScript(path, exported.default), files };
  } catch (error) {
    throw scriptError(path, files, error);
  }
}

function moduleUrl(path: string, files: string[], importers: readonly string[]): string {
  if (!files.includes(path)) files.push(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScriptError(path, 1, 1, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const { imports, ...stripped } = stripTypes(path, text);
  let { code } = stripped;
  for (const { name, start, end } of [...imports].reverse()) {
    try {
      code = `${code.slice(0, start)}${JSON.stringify(target(name, path, files, [...importers, path]))}${code.slice(end)}`;
    } catch (error) {
      if (!(error instanceof KrellError)) throw error;
      const before = text.slice(0, start).split('\n');
      throw new ScriptError(path, before.length, before.at(-1)!.length + 1, error.message);
    }
  }
  const module = `${code}\n//# sourceURL=${path}\n// ${++loads}`;
  return `data:text/javascript;base64,${Buffer.from(module).toString('base64')}`;
}

/** URL of what a file imports by a name. @throws KrellError */
function target(name: string, from: string, files: string[], importers: readonly string[]): string {
  if (name === 'krell/script') return SCRIPT_API;
  if (isBuiltin(name)) return name.startsWith('node:') ? name : `node:${name}`;
  if (name.startsWith('.')) {
    const file = sourceOf(resolve(dirname(from), name));
    if (!file) throw new KrellError('script', `there is no file '${name}'`);
    if (importers.includes(file))
      throw new KrellError('script', `'${name}' imports this file, directly or not`, { hint: 'move what both need to a third' });
    return moduleUrl(file, files, importers);
  }
  let file: string;
  try {
    file = createRequire(from).resolve(name);
  } catch {
    throw new KrellError('script', `there is no package '${name}'`, {
      hint: "import from 'krell/script', a relative path or an installed package",
    });
  }
  checkImports(file);
  return pathToFileURL(file).href;
}

/** TypeScript names the file that it will become: `./scale.js` may be `./scale.ts`. */
const sourceOf = (path: string): string | undefined => [path, path.replace(/\.js$/, '.ts')].find((file) => existsSync(file));

function checkScript(path: string, script: unknown): Script {
  const isScript = typeof script === 'object' && script !== null && 'tick' in script && typeof script.tick === 'function';
  if (!isScript) throw new ScriptError(path, 1, 1, 'exports no script; write `export default defineScript({ tick(ctx) { … } })`');
  return script as Script;
}
