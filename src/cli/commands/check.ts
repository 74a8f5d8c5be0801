// `krell check`: is a patch file right, and if not, what is wrong with it.
import { modules } from '../../../modules/index.js';
import { loadPatch, readPatchFile } from '../../control/patch/index.js';
import { Registry } from '../../control/registry.js';
import { KrellError, PatchError, type Problem } from '../../errors.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { counted } from '../terminal.js';

export const command = defineCommand({
  name: 'check',
  summary: 'Checks patch files and lists everything that is wrong with them.',
  operands: { name: 'patch', min: 1, max: Infinity, help: 'patch files' },
  options: { json: JSON_OPTION },

  async run(paths, { json }) {
    const registry = new Registry(modules);
    const files: { file: string; ok: boolean; problems: readonly Problem[] }[] = [];
    for (const file of paths) {
      try {
        const patch = loadPatch(await readPatchFile(file), registry, { source: file });
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

/** Every problem; the message of a PatchError stops after some. */
function listOf(file: string, problems: readonly Problem[]): string {
  const lines = problems.map(({ path, message, hint }) => `${path ? `${path}: ` : ''}${message}${hint ? `; ${hint}` : ''}`);
  return [`${file}: ${counted(problems.length, 'error')}`, ...lines.map((line) => line.replace(/^/gm, '  '))].join('\n');
}
