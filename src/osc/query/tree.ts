// The address space as OSCQuery shows it: containers and methods below '/', made from what Space holds.
//
// A tree is built anew after each edit and only when somebody asks; a module's part of it only when somebody looks there. Values are read
// when they are wanted.
import type { ModuleDefinition } from '../../module.js';
import type { Value } from '../codec.js';
import { COMMANDS } from '../commands.js';
import type { OscAliasEntry, OscModule } from '../protocol.js';
import type { Space } from '../space.js';
import { aliasPosition, spanOf } from '../values.js';
import { commandForms, eventsOf, parametersOf, type ParameterDescription, type Range, type ValueDescription } from './describe.js';
import { argOf, plainValue, shortest, withoutRepeats, type Json } from './values.js';

/** As much of the address space as the tree reads. */
export type QuerySpace = Pick<Space, 'modules' | 'types' | 'aliases' | 'value'>;

export const READ = 1;
export const WRITE = 2;

/** What is said of the values of a message: one entry for each. */
export interface ValueAttributes {
  readonly TYPE?: string;
  readonly VALUE?: readonly Json[];
  readonly RANGE?: readonly (Range | null)[];
  readonly UNIT?: readonly (string | null)[];
  readonly EXTENDED_TYPE?: readonly (string | null)[];
  readonly CLIPMODE?: readonly ('both' | 'high' | 'none')[];
}
/** A node's attributes, but for CONTENTS. */
export interface Attributes extends ValueAttributes {
  readonly FULL_PATH: string;
  readonly DESCRIPTION?: string;
  readonly ACCESS: number;
  readonly TAGS?: readonly string[];
  readonly OVERLOADS?: readonly ValueAttributes[];
}
/** A node with all that is in it, as JSON. */
export interface OscNode extends Attributes {
  readonly CONTENTS?: Readonly<Record<string, OscNode>>;
}

export interface Method {
  /** All but FULL_PATH. */
  attributes(): Omit<Attributes, 'FULL_PATH'>;
  readonly readable?: Readable;
  /** It is none and only holds others: an alias may have its address, or (a module) may not. */
  readonly isContainer?: 'open' | 'taken';
}

/** What has a value that one may read and listen to. */
export interface Readable {
  /** One number if all voices have the same, else one each. */
  read(): readonly number[];
  /** What was read, as a query is answered. */
  args(values: readonly number[]): readonly Value[];
}

type Children = Map<string, Node>;

export class Node {
  #children: Children | undefined;
  readonly #build: () => Children;

  constructor(
    readonly path: string,
    public method: Method,
    build: () => Children = () => new Map(),
  ) {
    this.#build = build;
  }

  get children(): Children {
    return (this.#children ??= this.#build());
  }

  attributes(): Attributes {
    return { FULL_PATH: this.path, ...this.method.attributes() };
  }

  /** Whether it has CONTENTS, be they empty. */
  get holds(): boolean {
    return this.method.isContainer !== undefined || this.children.size > 0;
  }

  /** The node at a path, of which `rest` are the parts that remain; else how far it goes, and the part that is not there. */
  find(rest: readonly string[]): Node | { readonly at: Node; readonly missing: string } {
    const [name, ...more] = rest;
    if (name === undefined) return this;
    return this.children.get(name)?.find(more) ?? { at: this, missing: name };
  }
}

export const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

const container = (description: string, tags: readonly string[] = []): Method => ({
  isContainer: 'taken',
  attributes: () => ({ DESCRIPTION: description, ACCESS: 0, ...(tags.length > 0 ? { TAGS: tags } : {}) }),
});

export function treeOf(space: QuerySpace, version = ''): Node {
  const root = new Node('/', container(`Krell ${version}`.trim()), () => {
    const children: Children = new Map([['engine', engineNode()]]);
    for (const module of space.modules.values()) {
      const definition = space.types.get(module.type);
      if (definition) children.set(module.id, moduleNode(space, module, definition));
    }
    return children;
  });
  for (const alias of space.aliases.values()) addAlias(root, space, alias);
  return root;
}

/** The whole tree as one object. */
export const describeSpace = (space: QuerySpace): OscNode => whole(treeOf(space));

function whole(node: Node): OscNode {
  const attributes = node.attributes();
  if (!node.holds) return attributes;
  return { ...attributes, CONTENTS: Object.fromEntries([...node.children].map(([name, child]) => [name, whole(child)])) };
}

// ── methods ──

/** Attributes of a message's values. What is said of none of them is left out. */
function valueAttributes(values: readonly ValueDescription[]): ValueAttributes {
  const each = <T>(get: (value: ValueDescription) => T | undefined): readonly (T | null)[] | undefined =>
    values.some((value) => get(value) !== undefined) ? values.map((value) => get(value) ?? null) : undefined;
  const range = each(({ range }) => range);
  const unit = each(({ unit }) => unit);
  const meaning = each(({ meaning }) => meaning);
  return {
    TYPE: values.map(({ tag }) => tag).join(''),
    ...(range ? { RANGE: range } : {}),
    ...(unit ? { UNIT: unit } : {}),
    ...(meaning ? { EXTENDED_TYPE: meaning } : {}),
    ...(values.some(({ clips }) => clips) ? { CLIPMODE: values.map(({ clips }) => clips ?? 'none') } : {}),
  };
}

/** Something to send to that has no value: the first form is its own, the others are OVERLOADS. */
const writeOnly = (description: string, forms: readonly (readonly ValueDescription[])[]): Method => ({
  attributes: () => ({
    ...(description ? { DESCRIPTION: description } : {}),
    ACCESS: WRITE,
    ...valueAttributes(forms[0]!),
    ...(forms.length > 1 ? { OVERLOADS: forms.slice(1).map(valueAttributes) } : {}),
  }),
});

function moduleNode(space: QuerySpace, module: OscModule, definition: ModuleDefinition): Node {
  const path = `/${module.id}`;
  const children = (): Children => {
    const found: Children = new Map();
    for (const { name, summary, forms } of eventsOf(definition)) found.set(name, new Node(`${path}/${name}`, writeOnly(summary, forms)));
    for (const parameter of parametersOf(definition))
      found.set(parameter.name, new Node(`${path}/${parameter.name}`, parameterMethod(space, module, parameter)));
    return found;
  };
  return new Node(path, container(definition.summary, [definition.type, ...definition.tags]), children);
}

/** A parameter's value in each voice. */
const voicesOf = (space: QuerySpace, module: OscModule, { index }: ParameterDescription): number[] =>
  Array.from({ length: module.voices }, (_, voice) => space.value(module, index, voice));

function parameterMethod(space: QuerySpace, module: OscModule, parameter: ParameterDescription): Method {
  const { spec, summary } = parameter;
  return {
    readable: {
      read: () => withoutRepeats(voicesOf(space, module, parameter)),
      args: (values) => values.map((value) => argOf(spec, value)),
    },
    attributes: () => {
      const values = voicesOf(space, module, parameter).map((value) => plainValue(spec, value));
      return {
        ...(summary ? { DESCRIPTION: summary } : {}),
        ACCESS: READ | WRITE,
        ...valueAttributes([parameter]),
        VALUE: values.slice(0, 1),
        // A value of its own for each voice.
        ...(module.voices > 1 ? { OVERLOADS: [{ ...valueAttributes(values.map(() => parameter)), VALUE: values }] } : {}),
      };
    },
  };
}

function engineNode(): Node {
  const engine = new Node('/engine', container('The engine itself.'));
  for (const { address, args, summary } of COMMANDS) {
    const [, ...parts] = partsOf(address);
    place(engine, parts, writeOnly(summary, commandForms(args)));
  }
  return engine;
}

/** On the way to others, until something has its address. */
const WAY: Method = { isContainer: 'open', attributes: () => ({ ACCESS: 0 }) };

/** Puts a method below `node`, with the containers on the way. What is already there stays. */
function place(node: Node, parts: readonly string[], method: Method): void {
  const [name, ...more] = parts;
  if (name === undefined) {
    if (node.method.isContainer === 'open') node.method = method;
    return;
  }
  const child = node.children.get(name) ?? new Node(`${node.path === '/' ? '' : node.path}/${name}`, WAY);
  node.children.set(name, child);
  place(child, more, method);
}

// ── aliases ──

function addAlias(root: Node, space: QuerySpace, alias: OscAliasEntry): void {
  const module = space.modules.get(alias.id);
  const definition = module && space.types.get(module.type);
  const parameter = definition && parametersOf(definition).find(({ name }) => name === alias.param);
  if (module && parameter) place(root, partsOf(alias.address), aliasMethod(space, module, parameter, alias));
}

/** It is moved from 0 to 1, whatever its parameter is. */
function aliasMethod(space: QuerySpace, module: OscModule, parameter: ParameterDescription, { range }: OscAliasEntry): Method {
  const span = spanOf(parameter.spec, range);
  const read = (): readonly number[] => withoutRepeats(voicesOf(space, module, parameter));
  return {
    readable: { read, args: (values) => values.map((value) => ({ type: 'f', value: aliasPosition(span, value) })) },
    attributes: () => ({
      DESCRIPTION: `${module.id} ${parameter.name}: ${parameter.summary}`,
      ACCESS: READ | WRITE,
      ...valueAttributes([{ tag: 'f', range: { MIN: 0, MAX: 1 }, clips: 'both' }]),
      VALUE: [shortest(Math.fround(aliasPosition(span, read()[0]!)))],
    }),
  };
}
