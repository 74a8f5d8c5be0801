// Finding things in a patch, in the model and in the document.
import { PatchError } from '../../errors.js';
import { didYouMean } from '../names.js';
import type { Patch, PatchModule } from './model.js';
import { isObject, type JsonObject } from './parse.js';
import { quote } from './problems.js';

/** A section of the document; one that the file leaves out is added. */
export const sectionOf = (patch: Patch, section: 'modules' | 'snapshots' | 'osc'): JsonObject =>
  (patch.document[section] ??= {}) as JsonObject;

/** @throws PatchError when there is no such module */
export const moduleOf = (patch: Patch, id: string): PatchModule => thing(patch.modules, id, 'module', 'modules');

/** What a patch has by a name. @throws PatchError when there is none, with the nearest name */
export function thing<T>(things: ReadonlyMap<string, T>, name: string, what: string, path: string): T {
  const found = things.get(name);
  if (found !== undefined) return found;
  const hint = didYouMean(name, things.keys()) ?? 'the patch has none';
  throw new PatchError([{ path, message: `there is no ${what} ${quote(name)}`, hint }]);
}

/** The parameters of a module as they are written; added where the file has none. */
export function writtenParams(patch: Patch, id: string): JsonObject {
  const written = sectionOf(patch, 'modules')[id] as JsonObject;
  if (!isObject(written['params'])) written['params'] = {};
  return written['params'] as JsonObject;
}
