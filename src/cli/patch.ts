// A patch file as commands take it: read and checked before anything is started for it.
import { modules } from '../../modules/index.js';
import { loadPatch, readPatchFile, type Patch } from '../control/patch/index.js';
import { Registry } from '../control/registry.js';

/** @throws PatchError that lists everything that is wrong with it, KrellError when it cannot be read */
export const openPatch = async (path: string, registry = new Registry(modules)): Promise<Patch> =>
  loadPatch(await readPatchFile(path), registry, { source: path });
