// Older patch files → the newest format, one pure step per version. A step changes only what its version changed and leaves
// the rest, right or wrong, to the next; it never edits what it is given. Each has a golden file (test/patches/golden).
import { FORMAT_VERSION } from './limits.js';
import { isObject, type Json, type JsonObject } from './parse.js';
import { join, quote, show, type Problems } from './problems.js';

type Step = (document: JsonObject, problems: Problems) => JsonObject;

/** The step from version `i` to `i + 1`. */
const STEPS: readonly Step[] = [fromVersion0];

/** @returns the document in the newest format, or `undefined` when it comes from a newer Krell than this. */
export function migrate(document: JsonObject, problems: Problems): JsonObject | undefined {
  const version = document['formatVersion'];
  // what is no version at all is for the reader of the newest format to complain about
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0) return document;
  if (version > FORMAT_VERSION)
    return problems.add('formatVersion', `version ${version} is newer than ${FORMAT_VERSION}, the newest this Krell reads`, 'update Krell');
  return STEPS.slice(version).reduce((old, step) => step(old, problems), document);
}

/**
 * Version 0, from before the first release: `bpm` instead of `tempo`, modules in an array with a `name` each, cables as text
 * (`"env1.env -> vcf1.cutoff * 0.4"`).
 */
function fromVersion0(document: JsonObject, problems: Problems): JsonObject {
  const migrated: JsonObject = {};
  for (const [key, value] of Object.entries(document)) {
    if (key === 'formatVersion') migrated[key] = 1;
    else if (key === 'bpm') migrated['tempo'] = value;
    else if (key === 'modules' && Array.isArray(value)) migrated[key] = namedModules(value, problems);
    else if (key === 'cables' && Array.isArray(value)) migrated[key] = value.map(cableOf);
    else migrated[key] = value;
  }
  return migrated;
}

function namedModules(modules: Json[], problems: Problems): JsonObject {
  const named = new Map<string, Json>();
  modules.forEach((module, i) => {
    const path = join('modules', i);
    if (!isObject(module)) return problems.add(path, `${show(module)} is not a module`, 'write { name, type, params }');
    const { name, ...rest } = module;
    if (typeof name !== 'string')
      return problems.add(join(path, 'name'), name === undefined ? 'a module needs a name' : `${show(name)} is not a name`);
    if (named.has(name)) return problems.add(join(path, 'name'), `there are two modules ${quote(name)}`, 'rename one');
    if (name === '__proto__') return problems.add(join(path, 'name'), `the name ${quote(name)} is not allowed`, 'choose another');
    named.set(name, rest);
    return undefined;
  });
  return Object.fromEntries(named);
}

const CABLE = /^(\S+) *-> *(\S+)(?: *\* *(\S+))?$/;
/** More than two of the longest names and a number take. */
const LONGEST_CABLE = 400;

function cableOf(cable: Json): Json {
  const parts = typeof cable === 'string' && cable.length <= LONGEST_CABLE ? CABLE.exec(cable) : null;
  const gain = Number(parts?.[3] ?? 1);
  if (!parts || !Number.isFinite(gain)) return cable;
  const [from, to] = [parts[1]!, parts[2]!];
  return parts[3] === undefined ? { from, to } : { from, to, gain };
}
