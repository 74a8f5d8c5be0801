// For tests of live edits of a patch: what holds after every one of them.
import { expect } from 'vitest';
import { loadPatch, savePatch, type Patch } from '#src/control/patch/index.js';
import { PatchError } from '#src/errors.js';
import { full, registry } from './patch-fixture.js';

/** A patch with one of everything. */
export const fullPatch = (): Patch => loadPatch(JSON.stringify(full), registry);

/** The model is what loading the document would give. */
export const expectInStep = (patch: Patch): void => expect(loadPatch(savePatch(patch), registry)).toEqual(patch);

/** `edit` throws a PatchError that says `message`, and changes nothing. */
export function expectRefused(patch: Patch, edit: () => unknown, message: RegExp): void {
  const before = structuredClone(patch);
  expect(edit).toThrow(PatchError);
  expect(edit).toThrow(message);
  expect(patch).toEqual(before);
}
