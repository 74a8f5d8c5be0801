// The module types there are, and the numbers behind their names: names in files and messages, indices in real time.
import { KrellError } from '../errors.js';
import type { ModuleDefinition } from '../module.js';
import { didYouMean } from './names.js';

type Section = 'inputs' | 'outputs' | 'params';
type Indices = Readonly<Record<Section, ReadonlyMap<string, number>>>;

export class Registry {
  readonly #definitions = new Map<string, ModuleDefinition>();
  readonly #indices = new Map<string, Indices>();

  /** @throws KrellError when two definitions have the same type. */
  constructor(definitions: Iterable<ModuleDefinition>) {
    for (const definition of definitions) {
      const { type } = definition;
      if (this.#definitions.has(type))
        throw new KrellError('duplicate-type', `two modules have the type '${type}'`, { hint: 'rename one of them' });
      this.#definitions.set(type, definition);
      this.#indices.set(type, { inputs: index(definition.inputs), outputs: index(definition.outputs), params: index(definition.params) });
    }
  }

  list(): readonly ModuleDefinition[] {
    return [...this.#definitions.values()];
  }

  /** Names of all types, in the order of registration. */
  types(): Iterable<string> {
    return this.#definitions.keys();
  }

  find(type: string): ModuleDefinition | undefined {
    return this.#definitions.get(type);
  }

  /** @throws KrellError with the nearest name when there is no such type. */
  get(type: string): ModuleDefinition {
    const definition = this.find(type);
    if (!definition) throw new KrellError('unknown-type', `there is no module type '${type}'`, { hint: didYouMean(type, this.types()) });
    return definition;
  }

  /** Place of an input, output or parameter in its spec, or −1. */
  indexOf(type: string, section: Section, name: string): number {
    return this.#indices.get(type)?.[section].get(name) ?? -1;
  }

  /** Place of a parameter in its module's spec, or −1. */
  paramIndex(type: string, name: string): number {
    return this.indexOf(type, 'params', name);
  }
  /** Place of an input in its module's spec, or −1. */
  inputIndex(type: string, name: string): number {
    return this.indexOf(type, 'inputs', name);
  }
  /** Place of an output in its module's spec, or −1. */
  outputIndex(type: string, name: string): number {
    return this.indexOf(type, 'outputs', name);
  }
}

const index = (names: object): ReadonlyMap<string, number> => new Map(Object.keys(names).map((name, i) => [name, i]));
