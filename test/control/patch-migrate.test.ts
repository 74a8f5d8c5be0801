import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FORMAT_VERSION, loadPatch, savePatch } from '#src/control/patch/index.js';
import { migrate } from '#src/control/patch/migrate.js';
import type { JsonObject } from '#src/control/patch/parse.js';
import { Problems } from '#src/control/patch/problems.js';
import { registry } from './patch-fixture.js';

const golden = (version: number): URL => new URL(`../patches/golden/acid-${version}.json`, import.meta.url);
const read = (version: number): string => readFileSync(golden(version), 'utf8');
const versions = Array.from({ length: FORMAT_VERSION + 1 }, (_, version) => version);

describe('a file of an older version', () => {
  it.each(versions)('%d has a golden file, and loads as the newest', (version) => {
    expect(existsSync(golden(version))).toBe(true);
    expect(savePatch(loadPatch(read(version), registry))).toBe(read(FORMAT_VERSION));
  });

  it.each(versions)('%d is not changed by its migration', (version) => {
    const document = JSON.parse(read(version)) as JsonObject;
    migrate(document, new Problems());
    expect(document).toEqual(JSON.parse(read(version)));
  });

  it('of the newest version is left alone', () => {
    const document = JSON.parse(read(FORMAT_VERSION)) as JsonObject;
    expect(migrate(document, new Problems())).toBe(document);
  });
});

describe('a broken file of version 0', () => {
  const faults = (fields: object): string[] => {
    try {
      loadPatch(JSON.stringify({ format: 'krell-patch', formatVersion: 0, modules: [], ...fields }), registry);
      return [];
    } catch (error) {
      return (error as Error).message.split('\n').slice(1);
    }
  };
  it.each([
    [{ modules: [{ type: 'vco' }] }, '  modules[0].name: a module needs a name'],
    [{ modules: [{ name: 3, type: 'vco' }] }, '  modules[0].name: 3 is not a name'],
    [{ modules: ['vco'] }, "  modules[0]: 'vco' is not a module; write { name, type, params }"],
    [
      {
        modules: [
          { name: 'a', type: 'vco' },
          { name: 'a', type: 'vco' },
        ],
      },
      "  modules[1].name: there are two modules 'a'; rename one",
    ],
    [{ modules: [{ name: '__proto__', type: 'vco' }] }, "  modules[0].name: the name '__proto__' is not allowed; choose another"],
    [{ modules: [{ name: 'a', type: 'vcx' }] }, "  modules.a.type: there is no module type 'vcx'; did you mean 'vco'?"],
    [{ modules: 3 }, '  modules: 3 is not an object of modules; write { "name": … }'],
    [{ bpm: 0 }, '  tempo: 0 is not within 10 to 999'],
    [{ cables: [3] }, '  cables[0]: 3 is not a cable; write { from, to, gain, ui }'],
    [{ cables: ['a.b -> c.d * loud'] }, "  cables[0]: 'a.b -> c.d * loud' is not a cable; write { from, to, gain, ui }"],
  ])('%j is refused', (fields, message) => expect(faults(fields)).toEqual([message]));
});
