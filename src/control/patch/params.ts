// Parameters of a patch's modules, changed while it plays: as a person writes them, as OSC has set them, or all at once from a snapshot.
import type { ParamChange } from '../../osc/protocol.js';
import type { ModuleDefinition, ParamSpec } from '../../module.js';
import type { Registry } from '../registry.js';
import { moduleOf, sectionOf, thing, writtenParams } from './document.js';
import type { Patch, SnapshotValue } from './model.js';
import { isObject, type Json, type JsonObject } from './parse.js';
import { Problems, join } from './problems.js';
import { Reader } from './read.js';
import { exactly, readable } from './values.js';

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

  let next = value;
  if (voice !== undefined && module.voices > 1) {
    next = withVoice(written(patch, id, param, found!.spec), voice, value as Json, module.voices);
    reader.values(found!.spec, value, undefined, path);
  }
  const values = reader.values(found!.spec, next, module.voices, path);
  problems.throwIfAny();
  module.params.set(param, values!);
  writtenParams(patch, id)[param] = structuredClone(next) as Json;
  return values!;
}

/**
 * Notes what plays already: values that OSC has set. Not checked again but for their range, because a fader moves often; what is for a module or
 * parameter that is no longer there is left out.
 */
export function applyChanges(patch: Patch, registry: Registry, changes: readonly ParamChange[]): void {
  for (const { id, param, voice, value } of changes) {
    const module = patch.modules.get(id);
    if (!module || voice >= module.voices || !Number.isFinite(value)) continue;
    const { params } = registry.get(module.type);
    if (!Object.hasOwn(params, param)) continue;
    const spec = params[param]!;
    const number = exactly(spec, value);
    const all = writtenParams(patch, id);
    if (voice < 0 || module.voices === 1) {
      module.params.set(param, [number]);
      all[param] = readable(spec, number);
    } else {
      const before = module.params.get(param);
      const values = before?.length === module.voices ? before : new Array<number>(module.voices).fill(before?.[0] ?? initial(spec, patch));
      module.params.set(param, values.with(voice, number));
      all[param] = withVoice(written(patch, id, param, spec), voice, readable(spec, number), module.voices);
    }
  }
}

/** Whether a parameter counts triggers: to set it would be one. */
export const isCounter = ({ events }: ModuleDefinition, param: string): boolean =>
  Object.values(events).some((event) => event.kind === 'trigger' && event.param === param);

/** All parameters as they are, as a snapshot would be written, but for counters. */
export function snapshotNow(patch: Patch, registry: Registry): JsonObject {
  const values: JsonObject = {};
  for (const { id, type } of patch.modules.values()) {
    const definition = registry.get(type);
    for (const [param, spec] of Object.entries(definition.params))
      if (!isCounter(definition, param)) values[`${id}.${param}`] = structuredClone(written(patch, id, param, spec));
  }
  return values;
}

/** A snapshot's values, in the engine's numbers and as they are written. @throws PatchError when there is none of this name */
export function snapshotValues(patch: Patch, name: string): (SnapshotValue & { readonly written: Json })[] {
  const values = thing(patch.snapshots, name, 'snapshot', 'snapshots');
  const document = (patch.document['snapshots'] as JsonObject)[name] as JsonObject;
  return values.map((value) => ({ ...value, written: document[`${value.id}.${value.param}`]! }));
}

/** Gives modules that are still there the values of a snapshot. */
export function recallValues(patch: Patch, registry: Registry, recalled: ReturnType<typeof snapshotValues>): void {
  for (const { id, param, values, written: value } of recalled) {
    const module = patch.modules.get(id);
    if (!module || registry.paramIndex(module.type, param) < 0 || ![1, module.voices].includes(values.length)) continue;
    module.params.set(param, [...values]);
    writtenParams(patch, id)[param] = structuredClone(value);
  }
}

/** A parameter as it is written, or as its default would be. */
function written(patch: Patch, id: string, param: string, spec: ParamSpec): Json {
  const { params } = sectionOf(patch, 'modules')[id] as JsonObject;
  return isObject(params) && Object.hasOwn(params, param) ? params[param]! : defaultOf(spec, patch);
}

const withVoice = (all: Json, voice: number, value: Json, voices: number): Json[] =>
  (Array.isArray(all) ? all : new Array<Json>(voices).fill(all)).with(voice, value);

const initial = (spec: ParamSpec, patch: Patch): number => {
  const value = defaultOf(spec, patch);
  return spec.kind === 'enum' ? spec.values.indexOf(value as string) : Number(value);
};

function defaultOf(spec: ParamSpec, patch: Patch): number | string | boolean {
  return spec.kind === 'number' && spec.follows === 'tempo' ? patch.tempo : spec.default;
}
