// What jobs may not load: the parts of Krell that only the main thread may use.
//
// An engine, a device or a socket opened in a job thread would work for a while, beside the real one. So the files that a handler
// imports, and those that they import, are looked through before any of them runs. Packages other than Krell are not looked into.
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { KrellError } from '../errors.js';

/** The folder of compiled `src/`. */
const SRC = fileURLToPath(new URL('../', import.meta.url));
/** Folders and files in it that belong to the main thread. */
const MAIN_ONLY = [
  'cli/',
  'control/',
  'host/',
  'index.js',
  'jobs/pool.js',
  'osc/query/',
  'osc/server.js',
  'osc/tcp.js',
  'osc/thread.js',
  'osc/udp.js',
];

const IS_CODE = /\.[cm]?js$/;

const isMainOnly = (file: string): boolean => {
  if (!file.startsWith(SRC)) return false;
  const path = file.slice(SRC.length).split(sep).join('/');
  return MAIN_ONLY.some((name) => path.startsWith(name));
};
const isForeign = (file: string): boolean => !file.startsWith(SRC) && file.split(sep).includes('node_modules');

/** Where a file stops being JavaScript, as acorn sees it: the loader's own errors do not tell. */
export interface BrokenPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * @returns files that cannot be parsed
 * @throws KrellError `imports` when `entry`, or something it imports, is for the main thread only
 */
export function checkImports(entry: string): BrokenPlace[] {
  const broken: BrokenPlace[] = [];
  const importer = new Map<string, string>();
  if (isMainOnly(entry)) throw refusal(entry, entry, importer);
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const target of importsOf(file, broken)) {
      if (target === entry || importer.has(target) || isForeign(target)) continue;
      importer.set(target, file);
      if (isMainOnly(target)) throw refusal(entry, target, importer);
      waiting.push(target);
    }
  }
  return broken;
}

function refusal(entry: string, target: string, importer: ReadonlyMap<string, string>): KrellError {
  const label = (file: string): string => (file.startsWith(SRC) ? relative(SRC, file) : relative(dirname(dirname(entry)), file));
  const chain = [target];
  while (chain[0] !== entry) chain.unshift(importer.get(chain[0]!)!);
  const steps = chain.slice(1).map((file, i) => `${label(chain[i]!)} imports ${label(file)}`);
  return new KrellError('imports', `${steps.join(', ') || label(entry)}: only the main thread may use that`, {
    hint: 'let the main thread do that part, and give the job what it needs as arguments',
  });
}

/** The files that a file imports. What cannot be read, parsed or found is left to the loader, which says so. */
function importsOf(file: string, broken: BrokenPlace[]): string[] {
  if (!IS_CODE.test(file)) return [];
  let names: string[];
  try {
    names = specifiers(parse(readFileSync(file, 'utf8'), { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }));
  } catch (error) {
    const { loc } = error as { loc?: { line: number; column: number } };
    if (loc) broken.push({ file, line: loc.line, column: loc.column + 1 });
    return [];
  }
  const require = createRequire(file);
  return names.flatMap((name) => {
    if (isBuiltin(name)) return [];
    try {
      return [require.resolve(name.startsWith('file:') ? fileURLToPath(name) : name)];
    } catch {
      return [];
    }
  });
}

/** Names in `import`, `export … from`, `import(…)`, `require(…)` and `new URL('….js', …)` anywhere below a syntax node. */
function specifiers(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(specifiers);
  if (typeof node !== 'object' || node === null || !('type' in node)) return [];
  const { type, source, callee, arguments: args } = node as Record<string, any>;
  const names: unknown[] = [source?.value];
  if (type === 'CallExpression' && callee.name === 'require') names.push(args[0]?.value);
  if (type === 'NewExpression' && callee.name === 'URL' && IS_CODE.test(String(args[0]?.value))) names.push(args[0].value);
  return [...names.filter((name) => typeof name === 'string'), ...Object.values(node).flatMap(specifiers)];
}
