import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadPatch } from '#src/control/patch/index.js';
import type { Json, JsonObject } from '#src/control/patch/parse.js';
import { patchSchema } from '#src/control/patch/schema.js';
import { formatJson } from '#src/control/patch/serialise.js';
import { Registry } from '#src/control/registry.js';
import { modules } from '#modules/index.js';
import { conforms } from './patch-conforms.js';

describe('the published schema', () => {
  const published = readFileSync(new URL('../../schema/patch-1.json', import.meta.url), 'utf8');
  const all = new Registry(modules);

  it('is that of the modules there are; npm run schema writes it', () => expect(published).toBe(formatJson(patchSchema(all))));

  const folder = new URL('../../patches/', import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith('.json')))('accepts patches/%s, which loads', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    expect(loadPatch(text, all, { source: name }).modules.size).toBeGreaterThan(0);
    const root = JSON.parse(published) as JsonObject;
    expect(conforms(JSON.parse(text) as Json, root, root)).toBe(true);
  });

  const guide = readFileSync(new URL('../../docs/patch-format.md', import.meta.url), 'utf8');
  it.each([...guide.matchAll(/^```json\n(.*?)^```/gms)].map(([, text]) => text!))(
    'goes with docs/patch-format.md, whose patches load',
    (text) => {
      expect(loadPatch(text, all).modules.size).toBeGreaterThan(0);
    },
  );
});
