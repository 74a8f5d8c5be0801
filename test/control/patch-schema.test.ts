import { describe, expect, it } from 'vitest';
import { loadPatch } from '#src/control/patch/index.js';
import type { Json } from '#src/control/patch/parse.js';
import { patchSchema } from '#src/control/patch/schema.js';
import { conforms } from './patch-conforms.js';
import { badPatches, full, patchWith, registry, withParams } from './patch-fixture.js';

const schema = patchSchema(registry);
const accepts = (patch: unknown): boolean => conforms(JSON.parse(JSON.stringify(patch)) as Json, schema, schema);

describe('the schema', () => {
  it.each([
    ['everything', full],
    ['nothing', patchWith({})],
    ['one value per voice', withParams({ cutoff: [100, '1kHz'], keyTrack: [true, false], slope: ['12 dB', '24 dB'], stages: [1, 2] }, 2)],
  ])('accepts a patch with %s, which loads', (_, patch) => {
    loadPatch(JSON.stringify(patch), registry);
    expect(accepts(patch)).toBe(true);
  });

  it.each(badPatches.filter(({ beyondSchema }) => !beyondSchema))('refuses, as loading does: $what', ({ patch }) =>
    expect(accepts(patch)).toBe(false),
  );

  // otherwise the mark hides what the schema should know
  it.each(badPatches.filter(({ beyondSchema }) => beyondSchema))('cannot know: $what', ({ patch }) => expect(accepts(patch)).toBe(true));
});
