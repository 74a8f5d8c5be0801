// What an address stands for, found by its bytes: no string is made on the way of a parameter.
import { playsNotes, type EventSpec, type ParamSpec } from '../module.js';
import { COMMANDS, type EngineCommand } from './commands.js';
import type { OscAliasEntry } from './protocol.js';
import type { Space, SpaceChange } from './space.js';
import { Target } from './target.js';
import { spanOf, type Span } from './values.js';

interface Place {
  readonly address: string;
  readonly bytes: Uint8Array;
  /** The next one whose address has the same hash. */
  next: Entry | undefined;
}
/** `/<id>/<param>` */
export interface ParamEntry extends Place {
  readonly kind: 'param';
  readonly target: Target;
  readonly param: number;
  readonly spec: ParamSpec;
  readonly low: number;
  readonly high: number;
  /** Whether its last value was out of range, which is told once. */
  isClamped: boolean;
}
/** `/<id>/<event>` */
export interface EventEntry extends Place {
  readonly kind: 'event';
  readonly target: Target;
  readonly spec: EventSpec;
  /** Of a trigger, of a set: what it sets. */
  readonly params: readonly ParamEntry[];
}
/** `/<id>/off`: ends notes. */
export interface OffEntry extends Place {
  readonly kind: 'off';
  readonly target: Target;
}
/** An address of the patch's own, 0..1 over a range of a parameter. */
export interface AliasEntry extends Place, Span {
  readonly kind: 'alias';
  readonly param: ParamEntry;
  isClamped: boolean;
}
export interface CommandEntry extends Place {
  readonly kind: 'command';
  readonly command: EngineCommand;
}
/** `/<id>` alone. */
export interface ModuleEntry extends Place {
  readonly kind: 'module';
  readonly target: Target;
}
export type Entry = ParamEntry | EventEntry | OffEntry | AliasEntry | CommandEntry | ModuleEntry;

/** FNV-1a, 30 bits of it: a small integer, which a Map finds without making anything. */
export function hashOf(packet: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ packet[at]!, 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fff_ffff;
}

const SLASH = 0x2f;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** Where `/<voice>`, one or two digits, begins at the end of an address; 0 when there is none. */
export function voicePart(packet: Uint8Array, start: number, end: number): number {
  for (let digits = 1; digits <= 2 && end - digits - 1 > start; digits++) {
    if (!isDigit(packet[end - digits]!)) return 0;
    if (packet[end - digits - 1] === SLASH) return end - digits - 1;
  }
  return 0;
}

const place = (address: string): Place => ({ address, bytes: Buffer.from(address), next: undefined });

export class AddressTable {
  readonly #space: Space;
  readonly #sampleRate: number;
  readonly #entries = new Map<number, Entry>();
  readonly #ofModule = new Map<string, { readonly target: Target; readonly entries: readonly Entry[] }>();
  #aliases: readonly AliasEntry[] = [];
  readonly #commands: readonly CommandEntry[] = COMMANDS.map((command) => ({ ...place(command.address), kind: 'command', command }));
  /** Counts changes. */
  version = 0;

  constructor(space: Space, sampleRate: number) {
    this.#space = space;
    this.#sampleRate = sampleRate;
    for (const entry of this.#commands) this.#add(entry);
    this.update({ added: [...space.modules.keys()], removed: [], changed: [], aliases: true });
  }

  /** What the address between two bytes of a packet stands for. */
  find(packet: Uint8Array, start: number, end: number): Entry | undefined {
    let entry = this.#entries.get(hashOf(packet, start, end));
    for (; entry !== undefined; entry = entry.next) if (isAt(entry.bytes, packet, start, end)) return entry;
    return undefined;
  }

  *all(): Generator<Entry> {
    for (const { entries } of this.#ofModule.values()) yield* entries;
    yield* this.#aliases;
    yield* this.#commands;
  }

  /** Ids of modules. */
  ids(): Iterable<string> {
    return this.#ofModule.keys();
  }

  /** Addresses of the patch's own. */
  aliases(): string[] {
    return this.#aliases.map(({ address }) => address);
  }

  /** What the names below a module's address are. */
  namesOf(id: string): string[] {
    return (this.#ofModule.get(id)?.entries ?? []).slice(1).map(({ address }) => address.slice(id.length + 2));
  }

  target(id: string): Target | undefined {
    return this.#ofModule.get(id)?.target;
  }

  /** Follows the space. @returns what is no longer a target. */
  update(change: SpaceChange): Target[] {
    this.version++;
    const gone: Target[] = [];
    for (const id of change.removed) gone.push(this.#removeModule(id));
    for (const id of change.changed) {
      const { target } = this.#ofModule.get(id)!;
      const module = this.#space.modules.get(id)!;
      const isSame =
        target.module.address === module.address && target.module.voices === module.voices && target.module.type === module.type;
      if (isSame) target.module = module;
      else {
        gone.push(this.#removeModule(id));
        this.#addModule(id);
      }
    }
    for (const id of change.added) this.#addModule(id);
    this.#renewAliases();
    return gone;
  }

  #addModule(id: string): void {
    const module = this.#space.modules.get(id)!;
    const definition = this.#space.types.get(module.type)!;
    const target = new Target(module, definition, this.#sampleRate);
    const params = target.specs.map((spec, param) => paramEntry(target, spec, param));
    const byName = new Map(target.names.map((name, i) => [name, params[i]!]));
    const entries: Entry[] = [{ ...place(`/${id}`), kind: 'module', target }, ...params];
    for (const [name, spec] of Object.entries(definition.events)) {
      if (byName.has(name)) continue;
      const names = spec.kind === 'set' ? spec.params : spec.kind === 'trigger' ? [spec.param] : [];
      entries.push({ ...place(`/${id}/${name}`), kind: 'event', target, spec, params: names.map((param) => byName.get(param)!) });
    }
    if (playsNotes(definition) && !byName.has('off') && !('off' in definition.events))
      entries.push({ ...place(`/${id}/off`), kind: 'off', target });
    for (const entry of entries) this.#add(entry);
    this.#ofModule.set(id, { target, entries });
  }

  #removeModule(id: string): Target {
    const { target, entries } = this.#ofModule.get(id)!;
    for (const entry of entries) this.#remove(entry);
    this.#ofModule.delete(id);
    return target;
  }

  #renewAliases(): void {
    for (const alias of this.#aliases) this.#remove(alias);
    const aliases: AliasEntry[] = [];
    for (const alias of this.#space.aliases.values()) {
      const bytes = Buffer.from(`/${alias.id}/${alias.param}`);
      const param = this.find(bytes, 0, bytes.length);
      const own = Buffer.from(alias.address);
      if (param?.kind === 'param' && !this.find(own, 0, own.length)) aliases.push(aliasEntry(alias, param));
    }
    this.#aliases = aliases;
    for (const alias of aliases) this.#add(alias);
  }

  #add(entry: Entry): void {
    const hash = hashOf(entry.bytes, 0, entry.bytes.length);
    entry.next = this.#entries.get(hash);
    this.#entries.set(hash, entry);
  }

  #remove(entry: Entry): void {
    const hash = hashOf(entry.bytes, 0, entry.bytes.length);
    const first = this.#entries.get(hash)!;
    if (first === entry) {
      if (entry.next) this.#entries.set(hash, entry.next);
      else this.#entries.delete(hash);
      return;
    }
    let before = first;
    while (before.next !== entry) before = before.next!;
    before.next = entry.next;
  }
}

/** Whether `bytes` are what is between two bytes of a packet. */
export function isAt(bytes: Uint8Array, packet: Uint8Array, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let i = bytes.length - 1; i >= 0; i--) if (bytes[i] !== packet[start + i]) return false;
  return true;
}

function paramEntry(target: Target, spec: ParamSpec, param: number): ParamEntry {
  const [low, high] = rangeOf(spec);
  return { ...place(`/${target.module.id}/${target.names[param]!}`), kind: 'param', target, param, spec, low, high, isClamped: false };
}

function rangeOf(spec: ParamSpec): [number, number] {
  if (spec.kind === 'toggle') return [0, 1];
  return spec.kind === 'enum' ? [0, spec.values.length - 1] : [spec.min, spec.max];
}

const aliasEntry = ({ address, range }: OscAliasEntry, param: ParamEntry): AliasEntry => ({
  ...place(address),
  ...spanOf(param.spec, range),
  kind: 'alias',
  param,
  isClamped: false,
});
