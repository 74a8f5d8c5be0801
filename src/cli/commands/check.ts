// `krell check`: is a patch file right, and if not, what is wrong with it.
import { dirname, resolve } from 'node:path';
import { modules } from '../../../modules/index.js';
import { joinPath, type Patch } from '../../control/patch/index.js';
import { Registry } from '../../control/registry.js';
import { KrellError, PatchError, type Problem } from '../../errors.js';
import { checkScript } from '../../jobs/script/check.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { openPatch } from '../patch.js';
import { counted } from '../terminal.js';

export const command = defineCommand({
  name: 'check',
  summary: 'Checks patch files and their scripts, and lists everything that is wrong with them.',
  operands: { name: 'patch', min: 1, max: Infinity, help: 'patch files' },
  options: { json: JSON_OPTION },

  async run(paths, { json }) {
    const registry = new Registry(modules);
    const files: { file: string; ok: boolean; problems: readonly Problem[] }[] = [];
    for (const file of paths) {
      try {
        const patch = await openPatch(file, registry);
        const wrong = scriptProblems(patch, file);
        if (wrong.length > 0) throw new PatchError(wrong, { source: file });
        files.push({ file, ok: true, problems: [] });
        if (!json)
          process.stdout.write(`ok ${file} (${counted(patch.modules.size, 'module')}, ${counted(patch.cables.length, 'cable')})\n`);
      } catch (error) {
        if (!(error instanceof KrellError)) throw error;
        const problems = error instanceof PatchError ? error.problems : [{ path: '', message: error.message }];
        files.push({ file, ok: false, problems });
        process.stderr.write(`${error instanceof PatchError ? listOf(file, problems) : error.message}\n`);
      }
    }
    const ok = files.every((file) => file.ok);
    if (json) process.stdout.write(`${JSON.stringify({ ok, files })}\n`);
    return ok ? 0 : 1;
  },
});

/** What is wrong with the scripts of a patch, none of which is run. */
function scriptProblems(patch: Patch, source: string): Problem[] {
  const seen = new Set<string>();
  return [...patch.modules].flatMap(([id, { script }]) => {
    const path = script === undefined ? undefined : resolve(dirname(source), script);
    if (path === undefined || seen.has(path)) return [];
    seen.add(path);
    return checkScript(path).map(({ message }) => ({ path: joinPath(joinPath('modules', id), 'script'), message }));
  });
}

/** Every problem; the message of a PatchError stops after some. */
function listOf(file: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message, hint }) => `${path ? `${path}: ` : ''}${message}${hint ? `; ${hint}` : ''}`);
  return [`${file}: ${counted(problems.length, 'error')}`, ...lines.map((line) => line.replace(/^/gm, '  '))].join('\n');
}
