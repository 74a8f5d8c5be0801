// docs/osc.md is what the tables say.
import { modules } from '#modules/index.js';
import { oscReference } from '#src/cli/osc/reference.js';
import { COMMANDS } from '#src/osc/commands.js';
import { parametersOf } from '#src/osc/query/describe.js';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync('docs/osc.md', 'utf8');

it('is what `npm run docs` writes', () => expect(oscReference(modules)).toBe(page));

it('has every command, every type and every parameter', () => {
  for (const { address } of COMMANDS) expect(page).toMatch(new RegExp(`^- \\*\\*\`${address}[ \`]`, 'm'));
  for (const definition of modules) {
    const [, section = ''] = page.split(`\n### ${definition.type}\n`);
    const names = section.split('\n### ')[0]!.matchAll(/`\/<id>\/([a-zA-Z]+)(\d*)[ `]/g);
    const stems = new Set([...names].map(([, stem]) => stem));
    for (const { name } of parametersOf(definition)) expect([...stems], definition.type).toContain(name.replace(/\d+$/, ''));
  }
});

it('leads somewhere', () => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^a-z ]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const [, file, anchor] of page.matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)) {
    if (file) expect(existsSync(`docs/${file}`), file).toBe(true);
    else expect(headings).toContain(anchor);
  }
});
