// The signal graph: what computes, what feeds what, and in which order.
//
// Nodes are modules and cable mixers. Strongly connected ones (a loop of cables) form one unit, run sample by sample;
// within it the order is such that a simple loop has exactly one cable that closes it, the one into its first module in
// patch order: that cable delays by one sample. The order depends on the patch alone, never on threads.
import type { InputKind } from '../kernel/index.js';
import type { ModuleDefinition, PortKind } from '../module.js';
import type { Instance } from './instances.js';

export interface Source {
  readonly node: GraphNode;
  readonly output: number;
}

export interface GraphNode {
  readonly instance: Instance;
  /** By input. */
  readonly inputs: (Source | undefined)[];
  /** What feeds the inputs, in their order. */
  readonly sources: GraphNode[];
  /** By output: whether a cable or the bus takes it. Where nothing is taken all count as used: the module runs on. */
  readonly used: boolean[];
}

/** What a module type has for ports: asked for again and again. */
interface Ports {
  readonly inputs: readonly PortKind[];
  readonly outputs: number;
}
const known = new WeakMap<ModuleDefinition, Ports>();
export function portsOf(definition: ModuleDefinition): Ports {
  let ports = known.get(definition);
  if (!ports) {
    ports = { inputs: Object.values(definition.inputs).map(({ kind }) => kind), outputs: Object.keys(definition.outputs).length };
    known.set(definition, ports);
  }
  return ports;
}

export function graphNode(instance: Instance): GraphNode {
  const { inputs, outputs } = portsOf(instance.definition);
  return {
    instance,
    inputs: new Array<undefined>(inputs.length).fill(undefined),
    sources: [],
    used: new Array<boolean>(outputs).fill(false),
  };
}

/** Plugs a cable in; to be called in the order of a node's inputs. */
export function plug(node: GraphNode, input: number, source: Source): void {
  node.inputs[input] = source;
  node.sources.push(source.node);
  source.node.used[source.output] = true;
}

/** How a node's input is fed when the node is computed alone. */
export function inputKind(node: GraphNode, input: number): InputKind {
  const source = node.inputs[input];
  if (!source) return '-';
  const { voices, definition } = node.instance;
  const { voices: channels, layout } = source.node.instance;
  if (channels === 1) return layout.lanes === 1 ? 'm' : 'f';
  if (voices > 1) return 'p';
  return portsOf(definition).inputs[input] === 'audio' ? (String(Math.ceil(channels / 4)) as InputKind) : 'f';
}

/** How an input of nodes that are computed together, as lanes of one state, is fed. `together`: whether two nodes are. */
export function inputKindOf(nodes: readonly GraphNode[], input: number, together: (a: GraphNode, b: GraphNode) => boolean): InputKind {
  const [first] = nodes as [GraphNode, ...GraphNode[]];
  const kind = inputKind(first, input);
  if (nodes.length === 1 || (kind !== 'm' && kind !== 'f')) return kind;
  const sources = nodes.map((node) => node.inputs[input]!);
  const [source] = sources as [Source, ...Source[]];
  if (sources.every(({ node, output }) => node === source.node && output === source.output)) return kind;
  const aligned = sources.every(
    ({ node, output }, i) => node.instance.lane === nodes[i]!.instance.lane && output === source.output && together(node, source.node),
  );
  return aligned ? 'p' : kind === 'm' ? 'g' : 'h';
}

export const usedOutputs = ({ used }: GraphNode): boolean[] => (used.includes(true) ? used : used.map(() => true));

/** The nodes of a loop, in the order in which each sample runs them; or one node, or several that one kernel call computes, a lane each. */
export interface Unit {
  readonly nodes: readonly GraphNode[];
  readonly loop: boolean;
  /** Units that must run before, as indices into the same list. */
  readonly after: readonly number[];
}

/** Strongly connected components of nodes known by number, sources before what they feed (Tarjan, SIAM J. Comput. 1(2) 1972; iterative). */
function components(sources: readonly (readonly number[])[]): number[][] {
  const index = new Int32Array(sources.length).fill(-1);
  const low = new Int32Array(sources.length);
  const next = new Int32Array(sources.length);
  const isOpen = new Uint8Array(sources.length);
  const stack: number[] = [];
  const path: number[] = [];
  const found: number[][] = [];
  let count = 0;
  for (let root = 0; root < sources.length; root++) {
    if (index[root]! >= 0) continue;
    path.push(root);
    while (path.length > 0) {
      const node = path.at(-1)!;
      if (index[node]! < 0) {
        index[node] = low[node] = count++;
        stack.push(node);
        isOpen[node] = 1;
      }
      const source = sources[node]![next[node]!++];
      if (source !== undefined) {
        if (index[source]! < 0) path.push(source);
        else if (isOpen[source]) low[node] = Math.min(low[node]!, index[source]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[node]!);
      if (low[node] !== index[node]) continue;
      const component = stack.splice(stack.lastIndexOf(node)).reverse();
      for (const member of component) isOpen[member] = 0;
      found.push(component);
    }
  }
  return found;
}

/** Orders a loop's nodes: what feeds a node before it, but for the cables that reach back to where a walk began. */
function loopOrder(nodes: readonly GraphNode[], rank: ReadonlyMap<GraphNode, number>): GraphNode[] {
  const inside = new Set(nodes);
  const targets = new Map<GraphNode, GraphNode[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const source of node.sources) if (inside.has(source)) targets.get(source)!.push(node);
  const byRank = (a: GraphNode, b: GraphNode): number => rank.get(a)! - rank.get(b)!;
  const seen = new Set<GraphNode>();
  const finished: GraphNode[] = [];
  for (const root of [...nodes].sort(byRank)) {
    if (seen.has(root)) continue;
    seen.add(root);
    const path = [{ node: root, targets: [...targets.get(root)!].sort(byRank), next: 0 }];
    while (path.length > 0) {
      const top = path.at(-1)!;
      const target = top.targets[top.next++];
      if (!target) {
        finished.push(top.node);
        path.pop();
      } else if (!seen.has(target)) {
        seen.add(target);
        path.push({ node: target, targets: [...targets.get(target)!].sort(byRank), next: 0 });
      }
    }
  }
  return finished.reverse();
}

/** The units of a graph in an order in which they may run. `nodes` in patch order: modules first, then cable mixers. */
export function orderUnits(nodes: readonly GraphNode[]): Unit[] {
  const rank = new Map(nodes.map((node, i) => [node, i]));
  const sources = nodes.map((node) => node.sources.map((source) => rank.get(source)!));
  const found = components(sources);
  const unitOf: number[] = [];
  found.forEach((component, i) => {
    for (const node of component) unitOf[node] = i;
  });
  const units = found.map((component, i): Unit => {
    const [first] = component as [number];
    const loop = component.length > 1 || sources[first]!.includes(first);
    const after: number[] = [];
    for (const node of component)
      for (const source of sources[node]!) {
        const unit = unitOf[source]!;
        if (unit !== i && !after.includes(unit)) after.push(unit);
      }
    const members = component.map((node) => nodes[node]!);
    return { nodes: loop ? loopOrder(members, rank) : members, loop, after };
  });
  return depthFirst(fuse(units));
}

/** How a module is plugged and how deep it lies in the graph: equal for lanes of one state that can be computed together. */
function likeness(node: GraphNode, depth: number): string {
  let like = `${node.instance.state} ${depth} `;
  for (let input = 0; input < node.inputs.length; input++) like += inputKind(node, input);
  for (const used of node.used) like += used ? ' 1' : ' 0';
  return like;
}

/**
 * Makes one unit of modules that lie in lanes of one state and can be computed together: outside of loops, plugged alike,
 * and as deep in the graph as each other, so that none waits for another.
 */
function fuse(units: readonly Unit[]): Unit[] {
  const depth: number[] = [];
  const groups: number[][] = [];
  const alike = new Map<string, number[]>();
  const fused: number[] = [];
  units.forEach(({ nodes: [node], loop, after }, i) => {
    depth[i] = 0;
    for (const source of after) depth[i] = Math.max(depth[i]!, depth[source]! + 1);
    const like = loop || node!.instance.lane === undefined ? undefined : likeness(node!, depth[i]!);
    const group = like === undefined ? undefined : alike.get(like);
    if (group) {
      group.push(i);
      fused[i] = fused[group[0]!]!;
      return;
    }
    fused[i] = groups.length;
    const alone = [i];
    groups.push(alone);
    if (like !== undefined) alike.set(like, alone);
  });
  return groups.map((members): Unit => {
    const { nodes, loop } = units[members[0]!]!;
    const after: number[] = [];
    for (const member of members)
      for (const source of units[member]!.after) if (!after.includes(fused[source]!)) after.push(fused[source]!);
    if (members.length === 1) return { nodes, loop, after };
    const together = members.map((member) => units[member]!.nodes[0]!);
    return { nodes: together.sort((a, b) => a.instance.lane! - b.instance.lane!), loop, after };
  });
}

/** Orders units so that what feeds one another runs close together: each after what it needs, from the first on. */
function depthFirst(units: readonly Unit[]): Unit[] {
  const place = new Map<number, number>();
  const ordered: Unit[] = [];
  const isOutput = (unit: Unit): boolean => unit.nodes.some((node) => node.instance.definition.role === 'output');
  const path: { unit: number; next: number }[] = [];
  const entered = new Set<number>();
  const enter = (unit: number): void => {
    if (entered.has(unit)) return;
    entered.add(unit);
    path.push({ unit, next: 0 });
  };
  const walk = (root: number): void => {
    enter(root);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const unit = units[top.unit]!;
      const source = unit.after[top.next++];
      if (source !== undefined) {
        enter(source);
        continue;
      }
      path.pop();
      place.set(top.unit, ordered.length);
      ordered.push({ ...unit, after: unit.after.map((before) => place.get(before)!).sort((a, b) => a - b) });
    }
  };
  units.forEach((unit, i) => isOutput(unit) && walk(i));
  units.forEach((_, i) => walk(i));
  return ordered;
}
