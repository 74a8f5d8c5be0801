import prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { emptyPatch, loadPatch, savePatch } from '#src/control/patch/index.js';
import { full, patchWith, registry, withParams } from './patch-fixture.js';

const good: [string, unknown][] = [
  ['everything', full],
  ['nothing', patchWith({})],
  ['sections without content', patchWith({ cables: [], snapshots: {}, osc: {}, ui: {} })],
  ['many voices', withParams({ cutoff: Array.from({ length: 16 }, (_, i) => `${(i + 1) * 0.123456789} kHz`) }, 16)],
  [
    'long lines',
    patchWith({
      'x-long': [
        ['a'.repeat(120), 'b'.repeat(120)],
        { c: 'd'.repeat(200) },
        [
          [1, 2],
          [3, 4],
        ],
      ],
    }),
  ],
  [
    'lines as long as may be',
    patchWith({ 'x-edge': Array.from({ length: 16 }, (_, i) => [{ a: 'd'.repeat(112 + i) }, ['d'.repeat(118 + i), 1]]).flat() }),
  ],
  ['a title in many scripts', patchWith({ title: 'Ж\u0301 \u65e5\u672c "\\ \u2028' })],
];

describe.each(good)('a patch with %s', (_, written) => {
  const text = JSON.stringify(written);
  const loaded = loadPatch(text, registry);
  const saved = savePatch(loaded);

  it('means the same when saved', () => expect(JSON.parse(saved)).toEqual(JSON.parse(text)));
  it('keeps the order of its fields', () => expect(JSON.stringify(JSON.parse(saved))).toBe(text));
  it('is the same when loaded again', () => expect(loadPatch(saved, registry)).toEqual(loaded));
  it('is saved again as the same bytes', () => expect(savePatch(loadPatch(saved, registry))).toBe(saved));
  it('looks like the patches of this project', async () => {
    expect(await prettier.format(saved, { parser: 'json', printWidth: 140 })).toBe(saved);
  });
});

describe('a patch near the limit', () => {
  const nested = (count: number): object => ({
    ...full,
    'x-big': Array.from({ length: count }, (_, i) => [
      [i, i],
      [i, i],
    ]),
  });

  it('is saved in less space when it would not fit otherwise', () => {
    const saved = savePatch(loadPatch(JSON.stringify(nested(110_000)), registry));
    expect(saved.split('\n')).toHaveLength(2);
    expect(savePatch(loadPatch(saved, registry))).toBe(saved);
  });

  it('is not saved when no file can hold it', () => {
    const patch = loadPatch(JSON.stringify(full), registry);
    Object.assign(patch.document, nested(200_000));
    expect(() => savePatch(patch)).toThrow(/the file would be larger than the 4194304 bytes/);
  });
});

describe('the empty patch', () => {
  it('is what a file with nothing in it loads as', () => {
    expect(loadPatch(savePatch(emptyPatch()), registry)).toEqual(emptyPatch());
  });
  it('is a new one each time', () => {
    emptyPatch().modules.set('a', { id: 'a', type: 'vco', voices: 1, params: new Map() });
    (emptyPatch().document['modules'] as Record<string, unknown>)['a'] = {};
    expect(emptyPatch().modules.size).toBe(0);
    expect(emptyPatch().document['modules']).toEqual({});
  });
});
