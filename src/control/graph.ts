// The signal graph: what computes, what feeds what, and in which order.
//
// Nodes are modules and cable mixers. Strongly connected ones (a loop of cables) form one unit, run sample by sample;
// within it the order is such that a simple loop has exactly one cable that closes it, the one into its first module in
// patch order: that cable delays by one sample. The order depends on the patch alone, never on threads.
import type { InputKind } from '../kernel/index.js';
import type { Instance } from './instances.js';

export interface Source {
  readonly node: GraphNode;
  readonly output: number;
}

export interface GraphNode {
  readonly instance: Instance;
  /** By input. */
  readonly inputs: (Source | undefined)[];
  /** By output: whether a cable or the bus takes it. Where nothing is taken all count as used: the module runs on. */
  readonly used: boolean[];
}

export function graphNode(instance: Instance): GraphNode {
  const { inputs, outputs } = instance.definition;
  return { instance, inputs: Object.keys(inputs).map(() => undefined), used: Object.keys(outputs).map(() => false) };
}

export function plug(node: GraphNode, input: number, source: Source): void {
  node.inputs[input] = source;
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
  const kind = Object.values(definition.inputs)[input]!.kind;
  return kind === 'audio' ? (String(Math.ceil(channels / 4)) as InputKind) : 'f';
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

export const usedOutputs = (node: GraphNode): boolean[] => (node.used.some(Boolean) ? node.used : node.used.map(() => true));

/** The nodes of a loop, in the order in which each sample runs them; or one node, or several that one kernel call computes, a lane each. */
export interface Unit {
  readonly nodes: readonly GraphNode[];
  readonly loop: boolean;
  /** Units that must run before, as indices into the same list. */
  readonly after: readonly number[];
}

const sourcesOf = (node: GraphNode): GraphNode[] => node.inputs.flatMap((source) => (source ? [source.node] : []));

/** Strongly connected components, sources before what they feed (Tarjan, SIAM J. Comput. 1(2) 1972; iterative). */
function components(nodes: readonly GraphNode[]): GraphNode[][] {
  const index = new Map<GraphNode, number>();
  const low = new Map<GraphNode, number>();
  const open = new Set<GraphNode>();
  const stack: GraphNode[] = [];
  const found: GraphNode[][] = [];
  for (const root of nodes) {
    if (index.has(root)) continue;
    const path: { node: GraphNode; sources: GraphNode[]; next: number }[] = [];
    const enter = (node: GraphNode): void => {
      index.set(node, index.size);
      low.set(node, index.get(node)!);
      stack.push(node);
      open.add(node);
      path.push({ node, sources: sourcesOf(node), next: 0 });
    };
    enter(root);
    while (path.length > 0) {
      const top = path.at(-1)!;
      const source = top.sources[top.next++];
      if (source) {
        if (!index.has(source)) enter(source);
        else if (open.has(source)) low.set(top.node, Math.min(low.get(top.node)!, index.get(source)!));
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) low.set(parent.node, Math.min(low.get(parent.node)!, low.get(top.node)!));
      if (low.get(top.node) !== index.get(top.node)) continue;
      const component: GraphNode[] = [];
      let node: GraphNode;
      do {
        node = stack.pop()!;
        open.delete(node);
        component.push(node);
      } while (node !== top.node);
      found.push(component);
    }
  }
  return found;
}

/** Orders a loop's nodes: what feeds a node before it, but for the cables that reach back to where a walk began. */
function loopOrder(nodes: readonly GraphNode[], rank: ReadonlyMap<GraphNode, number>): GraphNode[] {
  const inside = new Set(nodes);
  const targets = new Map<GraphNode, GraphNode[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const source of sourcesOf(node)) if (inside.has(source)) targets.get(source)!.push(node);
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
  const found = components(nodes);
  const unitOf = new Map<GraphNode, number>();
  found.forEach((component, i) => component.forEach((node) => unitOf.set(node, i)));
  const units = found.map((component, i): Unit => {
    const loop = component.length > 1 || sourcesOf(component[0]!).includes(component[0]!);
    const after = new Set(component.flatMap((node) => sourcesOf(node).map((source) => unitOf.get(source)!)));
    after.delete(i);
    return { nodes: loop ? loopOrder(component, rank) : component, loop, after: [...after] };
  });
  return depthFirst(fuse(units));
}

/**
 * Makes one unit of modules that lie in lanes of one state and can be computed together: outside of loops, plugged alike,
 * and as deep in the graph as each other, so that none waits for another.
 */
function fuse(units: readonly Unit[]): Unit[] {
  const depth: number[] = [];
  const groups = new Map<string, number[]>();
  units.forEach((unit, i) => {
    depth[i] = Math.max(0, ...unit.after.map((source) => depth[source]! + 1));
    const [node] = unit.nodes as [GraphNode];
    const alike = `${node.instance.state} ${depth[i]} ${node.inputs.map((_, input) => inputKind(node, input)).join('')} ${node.used.map(Number).join('')}`;
    const key = unit.loop || node.instance.lane === undefined ? `alone ${i}` : alike;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  const fused: number[] = [];
  [...groups.values()].forEach((members, n) => members.forEach((i) => (fused[i] = n)));
  return [...groups.values()].map((members) => {
    const nodes = members.flatMap((i) => units[i]!.nodes);
    const { loop } = units[members[0]!]!;
    return {
      nodes: loop ? nodes : nodes.sort((a, b) => (a.instance.lane ?? 0) - (b.instance.lane ?? 0)),
      loop,
      after: [...new Set(members.flatMap((i) => units[i]!.after.map((source) => fused[source]!)))],
    };
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
