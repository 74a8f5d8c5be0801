// What the README says has to be true.
import { existsSync, readFileSync } from 'node:fs';
import { loadPatch } from '#src/control/patch/index.js';
import { Registry } from '#src/control/registry.js';
import { modules } from '#modules/index.js';
import { describe, expect, it } from 'vitest';
import { file, run } from './cli/krell.js';

const readme = readFileSync('README.md', 'utf8');

/** The first example in a language. */
const example = (language: string): string => readme.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!;

describe('README.md', () => {
  it('shows a patch that is right', () => {
    expect(loadPatch(example('json'), new Registry(modules)).modules.size).toBe(4);
  });

  it('shows a program that runs', async () => {
    const first = file('first.json', example('json'));
    const program = example('ts')
      .replace("'krell'", JSON.stringify(import.meta.resolve('#src/index.js')))
      .replace("'first.json'", JSON.stringify(first))
      .replace('start()', "start({ driver: 'null' })");
    const { code, stderr } = await run(process.execPath, [file('program.mjs', program)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('names files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
    const patches = readme.match(/\bpatches\/[\w-]+\.json/g)!;
    expect(links.length + patches.length).toBeGreaterThan(6);
    expect([...links, ...patches].filter((path) => !existsSync(path))).toEqual([]);
  });
});
