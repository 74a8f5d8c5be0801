// Live edits of a patch: modules and cables. Each is checked as if it stood in the file, changes the model and the document
// alike, and changes nothing when it throws. Parameters: params.ts, the rest: settings.ts.
import { PatchError } from '../../errors.js';
import { didYouMean } from '../names.js';
import type { Registry } from '../registry.js';
import { tooMany } from './check.js';
import { moduleOf, sectionOf } from './document.js';
import { LIMITS } from './limits.js';
import type { Patch, PatchCable, PatchModule, Port } from './model.js';
import { isObject, parseJson, type Json, type JsonObject } from './parse.js';
import { Problems, join, quote } from './problems.js';
import { Reader, endsOf, gain } from './read.js';

/** A copy to be edited. It shares what edits put another in the place of, but never change: modules, cables, values. */
export function copyPatch(patch: Patch): Patch {
  const document = { ...patch.document };
  for (const section of ['modules', 'snapshots', 'osc']) if (isObject(document[section])) document[section] = { ...document[section] };
  if (Array.isArray(document['cables'])) document['cables'] = [...document['cables']];
  return {
    ...patch,
    modules: new Map(patch.modules),
    cables: [...patch.cables],
    snapshots: new Map(patch.snapshots),
    osc: new Map(patch.osc),
    document,
  };
}

/** Adds a module as it would be written in a file, `{ type, voices, params }`. @throws PatchError */
export function addModule(patch: Patch, registry: Registry, id: string, module: JsonObject): PatchModule {
  const problems = new Problems();
  const path = join('modules', id);
  if (patch.modules.has(id)) problems.add(path, `there is already a module ${quote(id)}`, 'choose another id');
  const alias = [...patch.osc.keys()].find((address) => address === `/${id}` || address.startsWith(`/${id}/`));
  if (alias !== undefined)
    problems.add(path, `there is an OSC alias ${quote(alias)} at its address`, 'choose another id, or remove the alias');
  if (patch.modules.size >= LIMITS.modules) tooMany('modules', patch.modules.size + 1, LIMITS.modules, 'modules', problems);
  const added = new Reader(patch, registry, problems).module(id, module, path);
  // what a file could not hold (too deep, `__proto__`) is refused now, not when the saved file is loaded
  const written = parseJson(JSON.stringify({ modules: { [id]: module } }), problems) as { modules: JsonObject };
  problems.throwIfAny();
  patch.modules.set(id, added!);
  sectionOf(patch, 'modules')[id] = written.modules[id]!;
  return added!;
}

/** Removes a module and all that refers to it: cables, values in snapshots, OSC aliases. @throws PatchError */
export function removeModule(patch: Patch, id: string): void {
  moduleOf(patch, id);
  patch.modules.delete(id);
  delete sectionOf(patch, 'modules')[id];
  removeCables(patch, ({ from, to }) => from.id === id || to.id === id);
  for (const [name, values] of patch.snapshots) {
    const kept = values.filter((value) => value.id !== id);
    if (kept.length === values.length) continue;
    const section = sectionOf(patch, 'snapshots');
    const written = { ...(section[name] as JsonObject) };
    for (const { param } of values.filter((value) => value.id === id)) delete written[`${id}.${param}`];
    section[name] = written;
    patch.snapshots.set(name, kept);
  }
  for (const [address, alias] of patch.osc) {
    if (alias.id !== id) continue;
    patch.osc.delete(address);
    delete sectionOf(patch, 'osc')[address];
  }
}

/** Connects an output, `"vco1.saw"`, to an input, `"vcf1.in"`. @throws PatchError */
export function addCable(patch: Patch, registry: Registry, cable: { from: string; to: string; gain?: number }): PatchCable {
  const problems = new Problems();
  if (patch.cables.length >= LIMITS.cables) tooMany('cables', patch.cables.length + 1, LIMITS.cables, 'cables', problems);
  const reader = new Reader(patch, registry, problems);
  const path = join('cables', patch.cables.length);
  const added = reader.cable(cable, path);
  const twin = patch.cables.findIndex(joins(cable.from, cable.to));
  if (twin >= 0) reader.sameCable(path, join('cables', twin));
  problems.throwIfAny();
  patch.cables.push(added!);
  patch.document['cables'] ??= [];
  (patch.document['cables'] as Json[]).push({ ...cable });
  return added!;
}

/** Removes the cable between two ports. @throws PatchError when there is none. */
export function removeCable(patch: Patch, from: string, to: string): PatchCable {
  const removed = patch.cables[cableAt(patch, from, to)]!;
  removeCables(patch, (cable) => cable === removed);
  return removed;
}

/** How much of a cable passes. @throws PatchError */
export function setCableGain(patch: Patch, from: string, to: string, value: number): PatchCable {
  const at = cableAt(patch, from, to);
  const problems = new Problems();
  const read = gain(value, join(join('cables', at), 'gain'), problems);
  problems.throwIfAny();
  const cable = { ...patch.cables[at]!, gain: read! };
  patch.cables[at] = cable;
  const written = patch.document['cables'] as JsonObject[];
  written[at] = { ...written[at], gain: read! };
  return cable;
}

function cableAt(patch: Patch, from: string, to: string): number {
  const at = patch.cables.findIndex(joins(from, to));
  if (at >= 0) return at;
  const near = didYouMean(`${from} → ${to}`, patch.cables.map(endsOf));
  throw new PatchError([{ path: 'cables', message: `there is no cable from ${quote(from)} to ${quote(to)}`, hint: near }]);
}

/** Does a cable join these ports? */
const joins =
  (from: string, to: string) =>
  (cable: PatchCable): boolean =>
    isPort(cable.from, from) && isPort(cable.to, to);
const isPort = ({ id, port }: Port, name: string): boolean =>
  name.length === id.length + 1 + port.length && name.startsWith(id) && name.endsWith(port) && name[id.length] === '.';

/** Removes cables from the model and, at the same places, from the document. */
function removeCables(patch: Patch, isRemoved: (cable: PatchCable) => boolean): void {
  const written = patch.document['cables'] as Json[] | undefined;
  for (let i = patch.cables.length - 1; i >= 0; i--) {
    if (!isRemoved(patch.cables[i]!)) continue;
    patch.cables.splice(i, 1);
    written!.splice(i, 1);
  }
}
