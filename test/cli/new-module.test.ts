// `krell new-module` in a checkout that has just what it looks for.
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { file, folder, krell } from './krell.js';

mkdirSync(`${folder}/modules`);
file('package.json', { name: 'krell' });
cpSync('modules/index.ts', `${folder}/modules/index.ts`);

const inFolder = (where: string, ...args: string[]) => krell(['new-module', ...args], undefined, where);
const read = (path: string): string => readFileSync(`${folder}/${path}`, 'utf8');

describe('krell new-module', () => {
  it('writes a module, its line in the table, its test and its page', async () => {
    const before = read('modules/index.ts').split('\n');
    const { code, stdout } = await inFolder(folder, 'lag', '--json');
    expect(code).toBe(0);
    const files = ['modules/lag.ts', 'test/modules/lag.test.ts', 'docs/modules/lag.md', 'modules/index.ts'];
    expect(JSON.parse(stdout)).toEqual({ type: 'lag', files });
    expect(read('modules/lag.ts')).toMatch(/^export const lag = defineModule\(\{\n {2}type: 'lag',/m);
    expect(read('test/modules/lag.test.ts')).toContain("import { lag } from '#modules/lag.js';");
    expect(read('docs/modules/lag.md')).toMatch(/^# lag\n/);
    const after = read('modules/index.ts').split('\n');
    const added = after.filter((line) => !before.includes(line));
    expect(added).toEqual(["import { lag } from './lag.js';", '  lag,']);
    expect(after.filter((line) => !added.includes(line))).toEqual(before);
    const imports = after.filter((line) => line.startsWith('import {'));
    expect(imports).toEqual([...imports].sort());
    expect(after.slice(-3)).toEqual(['  lag,', '];', '']);
  });

  it.each([
    ['vco', "there is a module 'vco' already"],
    ['Lag', "'Lag' is not a module type; letters and digits", 2],
    ['../lag2', 'is not a module type', 2],
    ['class', "nothing can be called 'class' there"],
    ['audio', "nothing can be called 'audio' there"],
    ['modules', "nothing can be called 'modules' there"],
  ])('refuses %s and writes nothing', async (type, message, expected = 1) => {
    const before = read('modules/index.ts');
    const { code, stdout, stderr } = await inFolder(folder, type);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(/^krell new-module: /);
    expect(stderr).toContain(message);
    expect(read('modules/index.ts')).toBe(before);
    expect(existsSync(`${folder}/modules/${type}.ts`)).toBe(false);
  });

  it('keeps off other folders', async () => {
    const { code, stderr } = await inFolder('/', 'lag');
    expect(code).toBe(1);
    expect(stderr).toContain('this folder is no checkout of Krell');
  });
});
