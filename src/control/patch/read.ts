// The format, version 1: document → model. What the file must be is said once, in the tables and methods below.
import type { ModuleDefinition, ParamSpec } from '../../module.js';
import { didYouMean } from '../names.js';
import type { Registry } from '../registry.js';
import { anyObject, anything, entries, fields, list, literal, number, optional, required, text } from './check.js';
import { ADDRESS, FORMAT, FORMAT_VERSION, ID, LIMITS, RESERVED, SCRIPT_FILE } from './limits.js';
import { DEFAULT_SEED, DEFAULT_TEMPO, type OscAlias, type Patch, type PatchCable, type PatchModule, type SnapshotValue } from './model.js';
import { isObject, type Json, type JsonObject } from './parse.js';
import { join, quote, show, type Problems } from './problems.js';
import { paramValue } from './values.js';

export const title = text(LIMITS.titleLength);
export const tempo = number(LIMITS.tempo);
export const gain = number({ min: -LIMITS.gain, max: LIMITS.gain });

const patchFields = fields('a patch', {
  $schema: optional(text(1024)),
  format: required(literal(FORMAT)),
  formatVersion: required(literal(FORMAT_VERSION)),
  title: optional(title),
  tempo: optional(tempo),
  seed: optional(number({ min: 0, max: LIMITS.seed, whole: true })),
  modules: required(anything),
  cables: optional(anything),
  snapshots: optional(anything),
  osc: optional(anything),
  ui: optional(anyObject),
});
const moduleFields = fields('a module', {
  type: required(text(LIMITS.idLength)),
  voices: optional(number({ min: 1, max: LIMITS.voices, whole: true })),
  params: optional(anyObject),
  script: optional(text(LIMITS.scriptLength)),
  ui: optional(anyObject),
});
const cableFields = fields('a cable', {
  from: required(text(Infinity)),
  to: required(text(Infinity)),
  gain: optional(gain),
  ui: optional(anyObject),
});
const aliasFields = fields('an OSC alias', { to: required(text(Infinity)), range: optional(anything) });

type Section = 'inputs' | 'outputs' | 'params';
const WORD: Readonly<Record<Section, string>> = { inputs: 'input', outputs: 'output', params: 'parameter' };

const aWord = (section: Section): string => `${section === 'params' ? 'a' : 'an'} ${WORD[section]}`;

/** Reads a whole document. What is read is to be used only if no problem was noted. */
export function readPatch(document: JsonObject, registry: Registry, problems: Problems): Patch {
  const root = patchFields(document, '', problems) ?? {};
  const patch: Patch = {
    title: root.title ?? '',
    tempo: root.tempo ?? DEFAULT_TEMPO,
    seed: root.seed ?? DEFAULT_SEED,
    modules: new Map(),
    cables: [],
    snapshots: new Map(),
    osc: new Map(),
    document,
  };
  const reader = new Reader(patch, registry, problems);
  // a patch without its modules would only add a complaint for every cable
  if (root.modules === undefined || !reader.modules(root.modules)) return patch;
  if (root.cables !== undefined) reader.cables(root.cables);
  if (root.snapshots !== undefined) reader.snapshots(root.snapshots);
  if (root.osc !== undefined) reader.aliases(root.osc);
  return patch;
}

/** Reads parts of a document into (`modules`, `cables` …) or for (`module`, `cable` …) a patch. */
export class Reader {
  /** Modules that are there but wrong: what refers to them is not their fault. */
  readonly #broken = new Set<string>();

  constructor(
    readonly patch: Patch,
    readonly registry: Registry,
    readonly problems: Problems,
  ) {}

  modules(value: Json): boolean {
    const read = entries('modules', LIMITS.modules, (id, entry, path) => {
      const module = this.module(id, entry, path);
      if (module) this.patch.modules.set(id, module);
      else this.#broken.add(id);
    });
    return read(value, 'modules', this.problems) ?? false;
  }

  module(id: string, value: Json, path: string): PatchModule | undefined {
    const idIsGood = this.#checkId(id, path);
    const read = moduleFields(value, path, this.problems);
    if (read?.type === undefined) return undefined;
    const { type } = read;
    const definition = this.registry.find(type);
    if (!definition)
      return this.problems.add(join(path, 'type'), `there is no module type ${quote(type)}`, () => didYouMean(type, this.registry.types()));
    const script = read.script === undefined ? undefined : this.#script(definition, read.script, join(path, 'script'));
    const module: PatchModule = { id, type, voices: read.voices ?? 1, params: new Map(), ...(script === undefined ? {} : { script }) };
    const voicesAreWrong = read.voices === undefined && isObject(value) && Object.hasOwn(value, 'voices');
    for (const [name, written] of Object.entries(read.params ?? {})) {
      const place = join(join(path, 'params'), name);
      const spec = this.#find(definition, 'params', name, type, place);
      const values = spec && this.values(spec, written, voicesAreWrong ? undefined : module.voices, place);
      if (values) module.params.set(name, values);
    }
    this.checkTempo(definition, module);
    return idIsGood ? module : undefined;
  }

  /** The file has to lie where the patch does: one that came by mail should not run what lies elsewhere. */
  #script({ type, role }: ModuleDefinition, file: string, path: string): string | undefined {
    if (role !== 'script') return this.problems.add(path, `a module of type ${quote(type)} runs no script`, "use one of type 'script'");
    if (SCRIPT_FILE.test(file) && !file.split(/[\\/]/).includes('..')) return file;
    return this.problems.add(
      path,
      `${quote(file)} is not a script's file`,
      'write a path that begins at the patch and ends in .ts, .js or .mjs',
    );
  }

  #checkId(id: string, path: string): boolean {
    if (id === RESERVED) this.problems.add(path, `'${RESERVED}' is the engine's own name in OSC addresses`, 'choose another id');
    else if (id.length > LIMITS.idLength)
      this.problems.add(path, `the id has ${id.length} characters, at most ${LIMITS.idLength} are allowed`);
    else if (!ID.test(id)) this.problems.add(path, `${quote(id)} is not a module id`, 'use small letters, digits, _ and -, first a letter');
    else return true;
    return false;
  }

  /** What follows the tempo of the patch has to be able to. */
  checkTempo(definition: ModuleDefinition, module: PatchModule): void {
    for (const [name, spec] of Object.entries(definition.params)) {
      if (spec.kind !== 'number' || spec.follows !== 'tempo' || module.params.has(name)) continue;
      const read = paramValue(spec, this.patch.tempo, 'tempo');
      if ('problem' in read)
        this.problems.add('tempo', `${read.problem.message}, that of ${module.id}.${name}`, `or give ${module.id} its own`);
    }
  }

  /** A parameter's value or array of values; `voices` is `undefined` where the number of voices is not known. */
  values(spec: ParamSpec, written: unknown, voices: number | undefined, path: string): number[] | undefined {
    const all = Array.isArray(written) ? (written as unknown[]) : [written];
    if (Array.isArray(written) && all.length !== (voices ?? all.length))
      return this.problems.add(
        path,
        `${all.length} values for ${voices === 1 ? '1 voice' : `${voices} voices`}`,
        'write one value, or one per voice',
      );
    const values: number[] = [];
    all.forEach((value, i) => {
      const read = paramValue(spec, value, Array.isArray(written) ? join(path, i) : path);
      if ('value' in read) values.push(read.value);
      else this.problems.add(read.problem.path, read.problem.message, read.problem.hint);
    });
    return values.length === all.length ? values : undefined;
  }

  cables(value: Json): void {
    const places = new Map<string, string>();
    list('cables', LIMITS.cables, (entry, path) => {
      const cable = this.cable(entry, path);
      if (!cable) return;
      const ends = endsOf(cable);
      const twin = places.get(ends);
      if (twin !== undefined) return this.sameCable(path, twin);
      places.set(ends, path);
      this.patch.cables.push(cable);
    })(value, 'cables', this.problems);
  }

  cable(value: Json, path: string): PatchCable | undefined {
    const read = cableFields(value, path, this.problems);
    if (!read) return undefined;
    const from = read.from === undefined ? undefined : this.target(read.from, 'outputs', join(path, 'from'));
    const to = read.to === undefined ? undefined : this.target(read.to, 'inputs', join(path, 'to'));
    if (!from || !to) return undefined;
    return { from: { id: from.id, port: from.name }, to: { id: to.id, port: to.name }, gain: read.gain ?? 1 };
  }

  sameCable(path: string, twin: string): void {
    this.problems.add(path, `the same cable as ${twin}`, 'remove one, or give the other a gain');
  }

  snapshots(value: Json): void {
    entries('snapshots', LIMITS.snapshots, (name, entry, path) => {
      this.patch.snapshots.set(name, this.snapshot(name, entry, path));
    })(value, 'snapshots', this.problems);
  }

  snapshot(name: string, value: Json, path: string): SnapshotValue[] {
    if (name === '' || name.length > LIMITS.nameLength)
      this.problems.add(path, `a snapshot's name has 1 to ${LIMITS.nameLength} characters, this one ${name.length}`);
    const values: SnapshotValue[] = [];
    for (const [target, written] of Object.entries(anyObject(value, path, this.problems) ?? {})) {
      const place = join(path, target);
      const found = this.target(target, 'params', place);
      const read = found && this.values(found.spec, written, found.voices, place);
      if (found && read) values.push({ id: found.id, param: found.name, values: read });
    }
    return values;
  }

  aliases(value: Json): void {
    entries('OSC aliases', LIMITS.aliases, (address, entry, path) => {
      const alias = this.alias(address, entry, path);
      if (alias) this.patch.osc.set(address, alias);
    })(value, 'osc', this.problems);
  }

  alias(address: string, value: Json, path: string): OscAlias | undefined {
    if (address.length > LIMITS.addressLength || !ADDRESS.test(address))
      this.problems.add(path, `${quote(address)} is not an OSC address`, 'write one like "/1/fader1", without blanks and # * , ? [ ] { }');
    else if (address === `/${RESERVED}` || address.startsWith(`/${RESERVED}/`))
      this.problems.add(path, `addresses under '/${RESERVED}' are the engine's own`, 'choose another address');
    else {
      const [, first = ''] = address.split('/', 2);
      if (this.patch.modules.has(first))
        this.problems.add(path, `addresses under '/${first}' are that module's own`, 'choose another address');
    }
    const read = aliasFields(value, path, this.problems);
    const found = read?.to === undefined ? undefined : this.target(read.to, 'params', join(path, 'to'));
    if (!found) return undefined;
    const range = read?.range === undefined ? wholeRange(found.spec) : this.#range(found.spec, read.range, join(path, 'range'));
    return range && { id: found.id, param: found.name, range };
  }

  #range(spec: ParamSpec, value: Json, path: string): [number, number] | undefined {
    if (spec.kind !== 'number' && spec.kind !== 'integer')
      return this.problems.add(path, `${spec.kind === 'enum' ? 'an enum' : 'a toggle'} has no range`, 'leave it out');
    if (!Array.isArray(value) || value.length !== 2) return this.problems.add(path, `${show(value)} is not a range`, 'write [from, to]');
    const [from, to] = this.values(spec, value, 2, path) ?? [];
    return from === undefined || to === undefined ? undefined : [from, to];
  }

  /** Finds what `"vcf1.cutoff"` names. */
  target<S extends Section>(written: string, section: S, path: string) {
    const parts = written.split('.', 3);
    const [id, name] = parts;
    if (parts.length !== 2 || !id || !name)
      return this.problems.add(path, `${quote(written)} is not of the form 'module.${WORD[section]}'`, `as in "vcf1.${EXAMPLE[section]}"`);
    const module = this.patch.modules.get(id);
    if (!module)
      return this.#broken.has(id)
        ? undefined
        : this.problems.add(path, `there is no module ${quote(id)}`, () => didYouMean(id, this.patch.modules.keys()));
    const spec = this.#find(this.registry.get(module.type), section, name, `${id} (${module.type})`, path);
    return spec && { id, name, spec, voices: module.voices };
  }

  /** Looks up a port or parameter; `owner` is whose it is, for the message. */
  #find<S extends Section>(definition: ModuleDefinition, section: S, name: string, owner: string, path: string) {
    const names = definition[section];
    if (Object.hasOwn(names, name)) return names[name] as ModuleDefinition[S][string];
    const elsewhere = (Object.keys(WORD) as Section[]).find((other) => Object.hasOwn(definition[other], name));
    return this.problems.add(path, `${owner} has no ${WORD[section]} ${quote(name)}`, () => {
      const near = didYouMean(name, Object.keys(names));
      if (!elsewhere) return near;
      return `it is ${aWord(elsewhere)}, and this takes ${aWord(section)}${near ? `: ${near}` : ''}`;
    });
  }
}

/** A cable's ends as text. */
export const endsOf = ({ from, to }: PatchCable): string => `${from.id}.${from.port} → ${to.id}.${to.port}`;

const EXAMPLE: Readonly<Record<Section, string>> = { inputs: 'in', outputs: 'low', params: 'cutoff' };

function wholeRange(spec: ParamSpec): [number, number] {
  if (spec.kind === 'enum') return [0, spec.values.length - 1];
  return spec.kind === 'toggle' ? [0, 1] : [spec.min, spec.max];
}
