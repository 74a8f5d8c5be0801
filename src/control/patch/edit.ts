// Live edits of a patch. Each is checked as if it stood in the file, changes the model and the document alike, and changes
// nothing when it throws.
import { PatchError } from '../../errors.js';
import type { ParamSpec } from '../../module.js';
import { didYouMean } from '../names.js';
import type { Registry } from '../registry.js';
import { tooMany } from './check.js';
import { LIMITS } from './limits.js';
import type { Patch, PatchCable, PatchModule, Port } from './model.js';
import { isObject, parseJson, type Json, type JsonObject } from './parse.js';
import { Problems, join, quote } from './problems.js';
import { Reader, endsOf } from './read.js';

/** Adds a module as it would be written in a file, `{ type, voices, params }`. @throws PatchError */
export function addModule(patch: Patch, registry: Registry, id: string, module: JsonObject): PatchModule {
  const problems = new Problems();
  const path = join('modules', id);
  if (patch.modules.has(id)) problems.add(path, `there is already a module ${quote(id)}`, 'choose another id');
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
    const written = sectionOf(patch, 'snapshots')[name] as JsonObject;
    for (const { param } of values.filter((value) => value.id === id)) delete written[`${id}.${param}`];
    patch.snapshots.set(
      name,
      values.filter((value) => value.id !== id),
    );
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
  const removed = patch.cables.find(joins(from, to));
  if (!removed) {
    const near = didYouMean(`${from} → ${to}`, patch.cables.map(endsOf));
    throw new PatchError([{ path: 'cables', message: `there is no cable from ${quote(from)} to ${quote(to)}`, hint: near }]);
  }
  removeCables(patch, (cable) => cable === removed);
  return removed;
}

/**
 * Sets a parameter as it would be written in a file, for all voices or for one (counted from 0).
 * @returns what the parameter now is: one number for all voices, or one per voice.
 * @throws PatchError
 */
export function setParam(patch: Patch, registry: Registry, id: string, param: string, value: unknown, voice?: number): number[] {
  const module = moduleOf(patch, id);
  const problems = new Problems();
  const reader = new Reader(patch, registry, problems);
  const path = join(join(join('modules', id), 'params'), param);
  const found = reader.target(`${id}.${param}`, 'params', path);
  if (voice !== undefined && !(Number.isInteger(voice) && voice >= 0 && voice < module.voices))
    problems.add(path, `there is no voice ${voice} in ${id}`, `voices are counted from 0 to ${module.voices - 1}`);
  problems.throwIfAny();

  const written = sectionOf(patch, 'modules')[id] as JsonObject;
  const params = isObject(written['params']) ? written['params'] : {};
  let next = value;
  if (voice !== undefined && module.voices > 1) {
    const all = params[param] ?? defaultOf(found!.spec, patch);
    next = Array.isArray(all) ? all.with(voice, value as Json) : new Array(module.voices).fill(all).with(voice, value);
    reader.values(found!.spec, value, undefined, path);
  }
  const values = reader.values(found!.spec, next, module.voices, path);
  problems.throwIfAny();
  module.params.set(param, values!);
  params[param] = structuredClone(next) as Json;
  written['params'] = params;
  return values!;
}

function moduleOf(patch: Patch, id: string): PatchModule {
  const module = patch.modules.get(id);
  if (module) return module;
  throw new PatchError([{ path: 'modules', message: `there is no module ${quote(id)}`, hint: didYouMean(id, patch.modules.keys()) }]);
}

const sectionOf = (patch: Patch, section: 'modules' | 'snapshots' | 'osc'): JsonObject => patch.document[section] as JsonObject;

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

function defaultOf(spec: ParamSpec, patch: Patch): Json {
  return spec.kind === 'number' && spec.follows === 'tempo' ? patch.tempo : spec.default;
}
