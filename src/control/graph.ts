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

/** How a node's input is fed, for its kernel. */
export function inputKind(node: GraphNode, input: number): InputKind {
  const source = node.inputs[input];
  if (!source) return '-';
  const { voices, definition } = node.instance;
  const { voices: channels } = source.node.instance;
  if (channels === 1) return 'm';
  if (voices > 1) return 'p';
  const kind = Object.values(definition.inputs)[input]!.kind;
  return kind === 'audio' ? (String(Math.ceil(channels / 4)) as InputKind) : 'f';
}

export const usedOutputs = (node: GraphNode): boolean[] => (node.used.some(Boolean) ? node.used : node.used.map(() => true));

/** One node, or the nodes of a loop in the order in which each sample runs them. */
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
  return found.map((component, i) => {
    const loop = component.length > 1 || sourcesOf(component[0]!).includes(component[0]!);
    const after = new Set(component.flatMap((node) => sourcesOf(node).map((source) => unitOf.get(source)!)));
    after.delete(i);
    return { nodes: loop ? loopOrder(component, rank) : component, loop, after: [...after].sort((a, b) => a - b) };
  });
}
