// A module of one's own that does not compile: an error of whoever wrote it, told with its place and what to do.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KrellError } from '#src/errors.js';
import { KernelError } from '#src/kernel/index.js';
import { file, folder, patch, run } from './krell.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const copy = `${folder}/krell`;
for (const part of ['package.json', 'dist', 'modules', 'src/dsp']) cpSync(`${ROOT}/${part}`, `${copy}/${part}`, { recursive: true });
symlinkSync(`${ROOT}/node_modules`, `${copy}/node_modules`);

const SOURCE = 'modules/attenuverter.ts';
const lines = readFileSync(`${copy}/${SOURCE}`, 'utf8').split('\n');
const at = lines.findIndex((line) => line.includes('output.out ='));
lines.splice(at, 0, '    while (input.in > 1) break;');
writeFileSync(`${copy}/${SOURCE}`, lines.join('\n'));

const MESSAGE = `${SOURCE}:${at + 1}:5: \`while\` is not in the kernel language`;
const wrong = file('wrong.json', patch({ a: { type: 'attenuverter' }, out: { type: 'out' } }, [{ from: 'a.out', to: 'out.left' }]));

describe('a module that does not compile', () => {
  it.each([
    ['play', '--driver', 'null', '--no-osc'],
    ['render', '-o', `${folder}/x.wav`],
  ])('is told with frame and hint by krell %s', async (command, ...options) => {
    const { code, stdout, stderr } = await run(process.execPath, [`${copy}/dist/src/cli/main.js`, command, wrong, ...options]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `krell ${command}: ${MESSAGE}`,
      `  ${at} | ${lines[at - 1]}`,
      `> ${at + 1} | ${lines[at]}`,
      `     | ${' '.repeat(4)}${'^'.repeat(lines[at]!.length - 4)}`,
      `  ${at + 2} | ${lines[at + 1]}`,
      '  hint: use a `for` with a constant bound',
      '',
    ]);
  });

  it('is an error of Krell to who uses the library', () => {
    const error = new KernelError('no', 'modules/a.ts', 2, 3, '> 2 | no', 'say yes');
    expect(error).toBeInstanceOf(KrellError);
    expect(error).toMatchObject({ name: 'KernelError', code: 'kernel', path: 'modules/a.ts:2:3', file: 'modules/a.ts', hint: 'say yes' });
    expect(error.message).toBe('modules/a.ts:2:3: no\n> 2 | no\n  hint: say yes');
  });
});
