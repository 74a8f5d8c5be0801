// Live edits of what a patch has beside modules and cables: title, tempo, snapshots, OSC addresses. As in edit.ts, each is checked as if it
// stood in the file, changes the model and the document alike, and changes nothing when it throws.
import type { Registry } from '../registry.js';
import { tooMany } from './check.js';
import { sectionOf, thing } from './document.js';
import { LIMITS } from './limits.js';
import type { Patch } from './model.js';
import { parseJson, type Json, type JsonObject } from './parse.js';
import { Problems, join } from './problems.js';
import { Reader, tempo, title } from './read.js';

/** @throws PatchError */
export function setTitle(patch: Patch, value: string): void {
  const problems = new Problems();
  const read = title(value, 'title', problems);
  problems.throwIfAny();
  patch.title = read!;
  patch.document['title'] = read!;
}

/** Sets the tempo. @throws PatchError for one that the modules which follow it cannot have */
export function setTempo(patch: Patch, registry: Registry, value: number): void {
  const problems = new Problems();
  const read = tempo(value, 'tempo', problems);
  problems.throwIfAny();
  const reader = new Reader({ ...patch, tempo: read! }, registry, problems);
  for (const module of patch.modules.values()) reader.checkTempo(registry.get(module.type), module);
  problems.throwIfAny();
  patch.tempo = read!;
  patch.document['tempo'] = read!;
}

/** Keeps values, `{ "vcf1.cutoff": 8000 }`, under a name, instead of what was there. @throws PatchError */
export function setSnapshot(patch: Patch, registry: Registry, name: string, values: JsonObject): void {
  const problems = new Problems();
  if (!patch.snapshots.has(name) && patch.snapshots.size >= LIMITS.snapshots)
    tooMany('snapshots', patch.snapshots.size + 1, LIMITS.snapshots, 'snapshots', problems);
  const read = new Reader(patch, registry, problems).snapshot(name, values, join('snapshots', name));
  const written = asInFile('snapshots', name, values, problems);
  problems.throwIfAny();
  patch.snapshots.set(name, read);
  sectionOf(patch, 'snapshots')[name] = written;
}

/** @throws PatchError when there is none */
export function removeSnapshot(patch: Patch, name: string): void {
  thing(patch.snapshots, name, 'snapshot', 'snapshots');
  patch.snapshots.delete(name);
  delete sectionOf(patch, 'snapshots')[name];
}

/** Lets an OSC address move a parameter, `{ to: "vcf1.cutoff", range: [200, 8000] }`, instead of what it did before. @throws PatchError */
export function setAlias(patch: Patch, registry: Registry, address: string, alias: { to: string; range?: readonly Json[] }): void {
  const problems = new Problems();
  if (!patch.osc.has(address) && patch.osc.size >= LIMITS.aliases)
    tooMany('OSC aliases', patch.osc.size + 1, LIMITS.aliases, 'osc', problems);
  const entry = { to: alias.to, ...(alias.range ? { range: [...alias.range] } : {}) };
  const read = new Reader(patch, registry, problems).alias(address, entry, join('osc', address));
  const written = asInFile('osc', address, entry, problems);
  problems.throwIfAny();
  patch.osc.set(address, read!);
  sectionOf(patch, 'osc')[address] = written;
}

/** @throws PatchError when there is none */
export function removeAlias(patch: Patch, address: string): void {
  thing(patch.osc, address, 'OSC alias', 'osc');
  patch.osc.delete(address);
  delete sectionOf(patch, 'osc')[address];
}

/** What the file would say. What it could not hold (a name `__proto__`) is refused now, not when the saved file is loaded. */
function asInFile(section: string, name: string, value: JsonObject, problems: Problems): Json {
  const file = parseJson(JSON.stringify({ [section]: { [name]: value } }), problems) as JsonObject | undefined;
  return ((file?.[section] ?? {}) as JsonObject)[name]!;
}
