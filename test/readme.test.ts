// What the README says has to be true.
import { existsSync, readFileSync } from 'node:fs';
import { loadPatch } from '#src/control/patch/index.js';
import { Registry } from '#src/control/registry.js';
import { modules } from '#modules/index.js';
import { describe, expect, it } from 'vitest';

const readme = readFileSync('README.md', 'utf8');

describe('README.md', () => {
  it('shows a patch that is right', () => {
    const [, text] = /```json\n([^]*?)```/.exec(readme)!;
    expect(loadPatch(text!, new Registry(modules)).modules.size).toBe(4);
  });

  it('names files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!);
    const patches = readme.match(/\bpatches\/[\w-]+\.json/g)!;
    expect(links.length + patches.length).toBeGreaterThan(6);
    expect([...links, ...patches].filter((path) => !existsSync(path))).toEqual([]);
  });
});
