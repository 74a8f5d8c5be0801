// Which paths of the tree come, go and change: PATH_ADDED, PATH_REMOVED, PATH_CHANGED.
import type { OscAliasEntry, OscModule } from '../protocol.js';
import type { SpaceChange } from '../space.js';
import type { QuerySpace } from './tree.js';

export interface PathChange {
  readonly what: 'ADDED' | 'REMOVED' | 'CHANGED';
  readonly path: string;
}

/** What of a module or an alias is seen in the tree; not where in the arena it lies. */
const shapeOfModule = ({ type, voices }: OscModule): string => `${type} ${voices}`;
const shapeOfAlias = ({ id, param, range }: OscAliasEntry): string => `${id}.${param} ${range.join(' ')}`;

export class Paths {
  readonly #space: QuerySpace;
  readonly #modules = new Map<string, string>();
  #aliases: ReadonlyMap<string, string>;

  constructor(space: QuerySpace) {
    this.#space = space;
    for (const module of space.modules.values()) this.#modules.set(module.id, shapeOfModule(module));
    this.#aliases = this.#aliasShapes();
  }

  /** What one who looks at the tree sees of a change of the space. */
  seen({ added, removed, changed, aliases }: SpaceChange): PathChange[] {
    const seen: PathChange[] = [];
    for (const id of removed) if (this.#modules.delete(id)) seen.push({ what: 'REMOVED', path: `/${id}` });
    for (const id of [...added, ...changed]) {
      const before = this.#modules.get(id);
      const now = shapeOfModule(this.#space.modules.get(id)!);
      this.#modules.set(id, now);
      if (now !== before) seen.push({ what: before === undefined ? 'ADDED' : 'CHANGED', path: `/${id}` });
    }
    if (aliases) seen.push(...this.#seenAliases());
    return seen;
  }

  #seenAliases(): PathChange[] {
    const before = this.#aliases;
    const now = (this.#aliases = this.#aliasShapes());
    const seen: PathChange[] = [];
    for (const path of before.keys()) if (!now.has(path)) seen.push({ what: 'REMOVED', path });
    for (const [path, shape] of now) {
      if (!before.has(path)) seen.push({ what: 'ADDED', path });
      else if (before.get(path) !== shape) seen.push({ what: 'CHANGED', path });
    }
    return seen;
  }

  #aliasShapes(): Map<string, string> {
    return new Map([...this.#space.aliases.values()].map((alias) => [alias.address, shapeOfAlias(alias)]));
  }
}
