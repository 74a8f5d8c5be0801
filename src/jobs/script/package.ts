// Where a package lies that a script imports. Node tells only files where its ES modules lie, and a script's module is no file.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Conditions under which a package may offer itself to `import` alone. */
const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default']);

/** The file that `name`, imported by the file `from`, stands for; `undefined` when there is none. */
export function packageFile(name: string, from: string): string | undefined {
  const require = createRequire(from);
  const [, packageName = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(name) ?? [];
  for (const folder of require.resolve.paths(name) ?? []) {
    const manifest = join(folder, packageName, 'package.json');
    if (!existsSync(manifest)) continue;
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports?: unknown };
    const file = exported(exports, `.${rest}`);
    if (file !== undefined) return join(folder, packageName, file);
    break;
  }
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** What `exports` of a package says of an entry such as `.` or `./sub`; patterns are left to Node. */
function exported(exports: unknown, entry: string): string | undefined {
  if (typeof exports === 'string') return entry === '.' ? exports : undefined;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const entries = exports as Record<string, unknown>;
  const hasEntries = Object.keys(entries).some((key) => key.startsWith('.'));
  return conditional(hasEntries ? entries[entry] : entry === '.' ? entries : undefined);
}

function conditional(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [condition, inner] of Object.entries(value)) {
    const file = CONDITIONS.has(condition) ? conditional(inner) : undefined;
    if (file !== undefined) return file;
  }
  return undefined;
}
