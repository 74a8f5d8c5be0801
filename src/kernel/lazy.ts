// Which selects are worth a branch: those whose condition seldom changes its mind.
//
// A select computes both of its sides. Where the condition is the same for a whole block (it depends on parameters only) or
// is marked `rarely(…)`, what one side alone needs can be skipped by a branch that the processor foretells. Selects of
// one condition share one branch. The bits stay the same; only work that nobody looks at is left out.
import { liveNodes, RATE, type LiveGraph, type Node } from './ir.js';

export interface LazyGroup {
  readonly condition: Node;
  /** Whether the side that is skipped is the one for true. */
  readonly then: boolean;
  readonly selects: readonly Node[];
  /** Ids of the nodes that only the skipped sides need. */
  readonly exclusive: ReadonlySet<number>;
}

/** Fewer nodes than these are not worth a branch. */
const MIN_NODES = 6;

const CHEAP: ReadonlySet<string> = new Set(['const', 'input', 'param', 'state', 'voice', 'load']);

/** Finds groups of selects. @returns the group of each select, by its id */
export function lazyGroups(graph: LiveGraph, rare: ReadonlySet<number>): Map<number, LazyGroup> {
  const nodes = liveNodes(graph);
  const selects = nodes.filter(
    (node) => node.op === 'select' && node.rate === RATE.sample && (rare.has(node.args[0]!.id) || node.args[0]!.rate < RATE.sample),
  );
  if (selects.length === 0) return new Map();
  const users = usersOf(graph, nodes);
  const groups = new Map<number, LazyGroup>();
  for (const condition of new Set(selects.map((node) => node.args[0]!))) {
    for (const then of rare.has(condition.id) ? [true] : [true, false]) {
      let rest = selects.filter((node) => node.args[0] === condition && !groups.has(node.id));
      while (rest.length > 0) {
        const members = independent(rest);
        rest = rest.filter((node) => !members.includes(node));
        const exclusive = exclusiveTo(members, then ? 1 : 2, nodes, users);
        if (exclusive.size < MIN_NODES) continue;
        const worthwhile = members.filter((node) => exclusive.has(node.args[then ? 1 : 2]!.id) || rare.has(condition.id));
        const group: LazyGroup = { condition, then, selects: worthwhile, exclusive: exclusiveTo(worthwhile, then ? 1 : 2, nodes, users) };
        for (const node of worthwhile) groups.set(node.id, group);
      }
    }
  }
  return groups;
}

/** Ids of what uses each node; −1 stands for the kernel's results. */
function usersOf(graph: LiveGraph, nodes: readonly Node[]): Map<number, number[]> {
  const users = new Map<number, number[]>(nodes.map((node) => [node.id, []]));
  for (const node of nodes) for (const arg of node.args) users.get(arg.id)!.push(node.id);
  const result = (node: Node | undefined): void => void (node && users.get(node.id)!.push(-1));
  graph.outputs.forEach(result);
  graph.states.forEach(result);
  for (const access of graph.accesses) if (access.kind === 'store') [access.index, access.value, access.mask].forEach(result);
  return users;
}

/** Those of `selects` (by id) that do not need one another's results. */
function independent(selects: readonly Node[]): Node[] {
  const members = new Set<Node>();
  const first = selects[0]!.id;
  for (const select of selects) {
    const seen = new Set<number>();
    const needsMember = (node: Node): boolean => {
      if (node.id < first || seen.has(node.id)) return false;
      seen.add(node.id);
      return members.has(node) || node.args.some(needsMember);
    };
    if (!select.args.some(needsMember)) members.add(select);
  }
  return [...members];
}

/** Nodes that nothing uses but side `side` of these selects. */
function exclusiveTo(
  selects: readonly Node[],
  side: 1 | 2,
  nodes: readonly Node[],
  users: ReadonlyMap<number, readonly number[]>,
): Set<number> {
  const exclusive = new Set<number>();
  // Uses by the select itself count only where the node stands on that side and nowhere else in it.
  const inside = new Map<number, Node>(selects.map((node) => [node.id, node]));
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (CHEAP.has(node.op) || node.rate < RATE.sample) continue;
    const only = users.get(node.id)!.every((user) => {
      const select = inside.get(user);
      if (select) return select.args[side] === node && select.args[0] !== node && select.args[3 - side] !== node;
      return exclusive.has(user);
    });
    if (only) exclusive.add(node.id);
  }
  return exclusive;
}
