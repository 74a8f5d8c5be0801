// Imports go one way (docs/architecture.md). Held over the source text of the whole tree.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * What the files of an area (a folder, or one file) may import besides their own area: other areas, and packages.
 * A file belongs to the first area that holds it.
 */
const RULES: Record<string, { areas: string[]; packages?: boolean; each?: 'alone' }> = {
  'src/units': { areas: [] },
  'src/errors': { areas: [] },
  'src/v8-flags': { areas: [], packages: true },
  'src/module': { areas: ['src/units'] },
  'src/script': { areas: [] },
  'src/dsp': { areas: ['src/units', 'src/module'] },
  'modules/index': { areas: ['src/module', 'modules'] },
  modules: { areas: ['src/module', 'src/dsp'], each: 'alone' },
  'src/shared': { areas: [] },
  'src/realtime': { areas: ['src/shared'], packages: true },
  'src/threads': { areas: [], packages: true },
  'src/kernel': { areas: ['src/units', 'src/errors', 'src/module', 'src/dsp', 'src/shared'], packages: true },
};
/** Control, osc, host, jobs and the library entry may import all of that and each other. Nothing imports the command line. */
const OUTER = ['src/control', 'src/osc', 'src/host', 'src/jobs', 'src/index'];
for (const area of OUTER) RULES[area] = { areas: [...Object.keys(RULES), ...OUTER], packages: true };
RULES['src/cli'] = { areas: Object.keys(RULES), packages: true };

const areaOf = (file: string): string | undefined =>
  Object.keys(RULES).find((area) => file.startsWith(`${area}/`) || file.replace(/\.[jt]s$/, '') === area);

/** What a source text imports, re-exports, loads, or names as the entry of a thread. Data files are free. */
function importsOf(source: string): string[] {
  const forms = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g,
    /\bnew URL\(\s*['"]([^'"]+)['"]\s*,\s*import\.meta\.url/g,
  ];
  const names = forms.flatMap((form) => [...source.matchAll(form)].map((match) => match[1]!));
  return names.filter((name) => !name.startsWith('.') || name.endsWith('.js'));
}

/** Every import that goes the wrong way, as `file imports what`. */
function wrongImports(files: Record<string, string>): string[] {
  const wrong: string[] = [];
  for (const [file, source] of Object.entries(files)) {
    const area = areaOf(file);
    if (!area) {
      wrong.push(`${file} is in no known folder`);
      continue;
    }
    const { areas, packages = false, each } = RULES[area]!;
    for (const name of importsOf(source)) {
      const target = name.startsWith('.') ? areaOf(normalize(join(dirname(file), name))) : undefined;
      const allowed = name.startsWith('.') ? (target === area && each !== 'alone') || areas.includes(target ?? '') : packages;
      if (!allowed) wrong.push(`${file} imports ${name}`);
    }
  }
  return wrong;
}

describe('the checker', () => {
  it.each([
    ['src/units.ts', "import { Unit } from './module.js';"],
    ['src/module.ts', "import type { Engine } from './control/engine.js';"],
    ['src/dsp/filter.ts', "import { compile } from '../kernel/compile.js';"],
    ['src/shared/ring.ts', "import { threadId } from 'node:worker_threads';"],
    ['src/shared/ring.ts', "import '../realtime/worker.js';"],
    ['src/realtime/worker.ts', "import { KrellError } from '../errors.js';"],
    ['src/realtime/worker.ts', "export * from '../control/plan.js';"],
    ['src/realtime/worker.ts', "const { Plan } = await import('../control/plan.js');"],
    ['src/kernel/compile.ts', "import { modules } from '../../modules/index.js';"],
    ['src/kernel/compile.ts', "const worker = new URL('../host/thread.js', import.meta.url);"],
    ['src/control/engine.ts', "import { live } from '../cli/terminal.js';"],
    ['src/errors.ts', "import {\n  formatValue,\n} from './units.js';"],
    ['modules/vcf.ts', "import { convertUnit } from '../src/units.js';"],
    ['modules/vcf.ts', "import { vco } from './vco.js';"],
    ['modules/vcf.ts', "import { readFileSync } from 'node:fs';"],
    ['src/index.ts', "export { main } from './cli/main.js';"],
  ])('reports in %s: %s', (file, source) => {
    expect(wrongImports({ [file]: source })).toHaveLength(1);
  });

  it('reports a file in a folder it does not know', () => {
    expect(wrongImports({ 'src/helpers/sort.ts': '' })).toEqual(['src/helpers/sort.ts is in no known folder']);
  });

  it('lets the right way pass', () => {
    expect(
      wrongImports({
        'modules/vcf.ts': "import { hz } from '../src/module.js';\nimport { flush } from '../src/dsp/flush.js';",
        'modules/index.ts': "import { vcf } from './vcf.js';",
        'src/realtime/worker.ts': "import { TICK } from '../shared/layout.js';\nimport { parentPort } from 'node:worker_threads';",
        'src/kernel/parse.ts': "import { Parser } from 'acorn';\nimport { STEP } from '../shared/layout.js';",
        'src/control/engine.ts': "import modules from '../../modules/index.js';\nnew URL('../realtime/worker.js', import.meta.url);",
        'src/cli/main.ts': "import '../v8-flags.js';\nimport { Engine } from '../control/engine.js';",
      }),
    ).toEqual([]);
  });
});

describe('the source tree', () => {
  const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true }).map((path) => join(folder, String(path)));
  const paths = ['src', 'modules'].flatMap(filesIn).filter((path) => /\.c?ts$/.test(path) && !path.endsWith('.d.ts'));
  it('imports one way only', () => {
    expect(paths.length).toBeGreaterThan(10);
    expect(wrongImports(Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')])))).toEqual([]);
  });
});
