// What the OSC thread has been told of modules and aliases, so that it is told only what is new.
import type { Engine } from '../control/engine.js';
import type { BeatMap } from '../shared/beat.js';
import type { OscAliasEntry, OscModule, ToOsc } from './protocol.js';

export class Table {
  readonly #types = new Set<string>();
  /** Slot and generation of each module: another one with the same id has another. */
  readonly #modules = new Map<string, number>();
  #aliases = '[]';
  #beats: BeatMap | undefined;

  /** Whether a module that the OSC thread knows is still the one that has its id. */
  has({ id, address }: Pick<OscModule, 'id' | 'address'>): boolean {
    return this.#modules.get(id) === address;
  }

  /** What differs from the last time, undefined when nothing does. */
  update(engine: Engine): Extract<ToOsc, { kind: 'table' }> | undefined {
    const live = engine.liveModules();
    const ids = new Set(live.map(({ id }) => id));
    const removed = [...this.#modules.keys()].filter((id) => !ids.has(id));
    const modules = live.filter(({ id, address }) => this.#modules.get(id) !== address);
    const types = new Set(modules.map(({ type }) => type).filter((type) => !this.#types.has(type)));
    const aliases = [...engine.patch.osc].map(([address, { id, param, range }]): OscAliasEntry => ({ address, id, param, range }));
    const aliasText = JSON.stringify(aliases);
    const isSame = aliasText === this.#aliases;
    const { beats } = engine;
    const isInTime = beats === this.#beats;
    if (isSame && isInTime && removed.length === 0 && modules.length === 0) return undefined;

    for (const id of removed) this.#modules.delete(id);
    for (const { id, address } of modules) this.#modules.set(id, address);
    for (const type of types) this.#types.add(type);
    this.#aliases = aliasText;
    this.#beats = beats;
    return {
      kind: 'table',
      // Tables are large, and nobody's business there.
      types: [...types].map((type) => ({ ...engine.registry.get(type), tables: {} })),
      modules,
      removed,
      ...(isSame ? {} : { aliases }),
      ...(isInTime ? {} : { beats }),
    };
  }
}
