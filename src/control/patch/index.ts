// Patch files: text → model → text. The format: docs/patch-format.md.
import { PatchError } from '../../errors.js';
import type { Registry } from '../registry.js';
import { FORMAT, FORMAT_VERSION, LIMITS } from './limits.js';
import { migrate } from './migrate.js';
import { DEFAULT_SEED, DEFAULT_TEMPO, type Patch } from './model.js';
import { isObject, parseJson } from './parse.js';
import { Problems, show } from './problems.js';
import { readPatch } from './read.js';
import { formatJson } from './serialise.js';

export { addCable, addModule, copyPatch, removeCable, removeModule, setCableGain } from './edit.js';
export { applyChanges, isCounter, recallValues, setParam, snapshotNow, snapshotValues } from './params.js';
export { removeAlias, removeSnapshot, setAlias, setSnapshot, setTempo, setTitle } from './settings.js';
export { readPatchFile } from './file.js';
export { FORMAT, FORMAT_VERSION, LIMITS } from './limits.js';
export type { OscAlias, Patch, PatchCable, PatchModule, Port, SnapshotValue } from './model.js';
export type { Json, JsonObject } from './parse.js';
export { join as joinPath } from './problems.js';
export { paramValue, readable, type ValueResult } from './values.js';

/** Reads a patch; `source` is its name in messages. @throws PatchError that lists everything that is wrong with it. */
export function loadPatch(text: string, registry: Registry, options: { source?: string } = {}): Patch {
  const problems = new Problems();
  const patch = load(text, registry, problems);
  problems.throwIfAny(options.source);
  return patch!;
}

function load(text: string, registry: Registry, problems: Problems): Patch | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.fileBytes) return problems.add('', `${bytes} bytes are more than the ${LIMITS.fileBytes} a patch may have`);
  const json = parseJson(text, problems);
  if (json === undefined) return undefined;
  if (!isObject(json)) return problems.add('', `${show(json)} is not a patch`, `write { "format": "${FORMAT}", … }`);
  const document = migrate(json, problems);
  return document && readPatch(document, registry, problems);
}

/**
 * The patch as a file: what was loaded, with its edits. Saving it again gives the same bytes.
 * @throws PatchError when edits have made it larger than a file may be.
 */
export function savePatch({ document }: Patch): string {
  for (const text of [formatJson(document), `${JSON.stringify(document)}\n`]) if (Buffer.byteLength(text) <= LIMITS.fileBytes) return text;
  throw new PatchError([{ path: '', message: `the file would be larger than the ${LIMITS.fileBytes} bytes a patch may have` }]);
}

/** A patch to start from. */
export function emptyPatch(): Patch {
  const document = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    title: '',
    tempo: DEFAULT_TEMPO,
    seed: DEFAULT_SEED,
    modules: {},
    cables: [],
  };
  return {
    title: '',
    tempo: DEFAULT_TEMPO,
    seed: DEFAULT_SEED,
    modules: new Map(),
    cables: [],
    snapshots: new Map(),
    osc: new Map(),
    document,
  };
}
