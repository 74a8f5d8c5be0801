// The address space: what control has told of modules, their types and the patch's aliases.
import type { ModuleDefinition } from '../module.js';
import type { BeatMap } from '../shared/beat.js';
import { PARAM, STATE } from '../shared/layout.js';
import type { OscAliasEntry, OscModule, ToOsc } from './protocol.js';

export type Table = Extract<ToOsc, { kind: 'table' }>;

/** What a table changed: ids of modules, and whether the aliases are others. */
export interface SpaceChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly aliases: boolean;
}

export class Space {
  readonly modules: ReadonlyMap<string, OscModule>;
  readonly types: ReadonlyMap<string, ModuleDefinition>;
  /** By address. */
  readonly aliases: ReadonlyMap<string, OscAliasEntry>;
  /** Which beat is at which frame. */
  beats: BeatMap = { frame: 0, beat: 0, tempo: 120 };
  readonly #modules = new Map<string, OscModule>();
  readonly #types = new Map<string, ModuleDefinition>();
  readonly #aliases = new Map<string, OscAliasEntry>();
  readonly #floats: Float32Array;

  constructor(memory: SharedArrayBuffer) {
    this.modules = this.#modules;
    this.types = this.#types;
    this.aliases = this.#aliases;
    this.#floats = new Float32Array(memory);
  }

  update(table: Table): SpaceChange {
    for (const type of table.types) this.#types.set(type.type, type);
    const told = new Set(table.modules.map(({ id }) => id));
    const removed = table.removed.filter((id) => !told.has(id) && this.#modules.delete(id));
    const [added, changed]: [string[], string[]] = [[], []];
    for (const module of table.modules) {
      if (!this.#types.has(module.type)) throw new TypeError(`module ${module.id}: its type ${module.type} has not been sent`);
      (this.#modules.has(module.id) ? changed : added).push(module.id);
      this.#modules.set(module.id, module);
    }
    if (table.beats) this.beats = table.beats;
    if (table.aliases) {
      this.#aliases.clear();
      for (const alias of table.aliases) this.#aliases.set(alias.address, alias);
    }
    return { added, removed, changed, aliases: table.aliases !== undefined };
  }

  /** What a parameter of one voice is, or is moving to. */
  value(module: OscModule, param: number, voice: number): number {
    const { lanes } = module;
    const at = module.lane ?? voice;
    const group = (module.state + STATE.HEADER_BYTES + Math.floor(at / lanes) * module.groupBytes) / 4;
    return this.#floats[group + (module.params[param]! + PARAM.TARGET) * lanes + (at % lanes)]!;
  }
}
