// Which thread runs what: units of the graph into partitions.
//
// Units are first gathered into clusters that gain nothing from being cut, then placed one after the other on the thread
// where they end first, a hand-off counted wherever data crosses (after HEFT: Topcuoglu, Hariri and Wu, IEEE TPDS 13(3), 2002).
// A cut is made only where the whole ends sooner by it; a small patch stays on one thread.

/** Nanoseconds from the end of a partition on one thread to the start of the next on another, estimated: where threads spin, and where they sleep (a round trip of wait and notify takes 13 to 38 µs). */
export const HANDOFF_NS = { spinning: 2500, sleeping: 40_000 } as const;
/** A plan for several threads must end sooner than one thread by this factor. */
const WORTH = 1.15;
/** Work below this share of one thread's part is not worth a cluster of its own. */
const GRAIN = 0.25;

/** What must run before a unit, as indices into the same list (all smaller than its own), and its nanoseconds per block. */
export interface Work {
  readonly after: readonly number[];
  readonly cost: number;
}

export interface Partition {
  /** Indices of units, in the order in which they run. */
  readonly units: readonly number[];
  readonly worker: number;
  /** Partitions that must end before. */
  readonly after: readonly number[];
}

interface Cluster {
  readonly units: number[];
  cost: number;
  readonly after: Set<Cluster>;
  readonly readers: Set<Cluster>;
  worker: number;
  end: number;
}

/**
 * Regions with one way out: whatever a unit alone makes use of, directly or through others, goes with it, as long as that is
 * small together. The regions are the subtrees of the tree of immediate post-dominators.
 */
function gather(work: readonly Work[], grain: number): Cluster[] {
  const EXIT = work.length;
  const readersOf: number[][] = work.map(() => []);
  work.forEach(({ after }, i) => after.forEach((source) => readersOf[source]!.push(i)));
  const parent = new Array<number>(work.length).fill(EXIT);
  // The first unit that all ways from two meet in. Parents come later in the list.
  const meet = (a: number, b: number): number => {
    while (a !== b)
      if (a < b) a = parent[a]!;
      else b = parent[b]!;
    return a;
  };
  for (let i = work.length - 1; i >= 0; i--) parent[i] = readersOf[i]!.length > 0 ? readersOf[i]!.reduce(meet) : EXIT;
  const region = work.map(({ cost }) => cost);
  work.forEach((_, i) => parent[i] !== EXIT && (region[parent[i]!] = region[parent[i]!]! + region[i]!));
  const clusterOf: Cluster[] = [];
  const clusters = new Set<Cluster>();
  for (let i = work.length - 1; i >= 0; i--) {
    const { cost } = work[i]!;
    const above = parent[i]!;
    if (above !== EXIT && region[above]! <= grain) {
      const cluster = clusterOf[above]!;
      cluster.units.unshift(i);
      cluster.cost += cost;
      clusterOf[i] = cluster;
      continue;
    }
    const cluster: Cluster = { units: [i], cost, after: new Set(), readers: new Set(), worker: 0, end: 0 };
    clusters.add(cluster);
    clusterOf[i] = cluster;
  }
  work.forEach(({ after }, i) => {
    for (const source of after)
      if (clusterOf[source] !== clusterOf[i]) {
        clusterOf[i]!.after.add(clusterOf[source]!);
        clusterOf[source]!.readers.add(clusterOf[i]!);
      }
  });
  return [...clusters].sort((a, b) => a.units.at(-1)! - b.units.at(-1)!);
}

/** Gives every cluster a worker. @returns the clusters in the order in which they begin. */
function place(clusters: readonly Cluster[], workers: number, handoffNs: number): Cluster[] {
  const rank = new Map<Cluster, number>();
  const rankOf = (cluster: Cluster): number => {
    let value = rank.get(cluster);
    if (value === undefined) {
      value = cluster.cost;
      for (const reader of cluster.readers) value = Math.max(value, cluster.cost + rankOf(reader));
      rank.set(cluster, value);
    }
    return value;
  };
  for (const cluster of [...clusters].reverse()) rankOf(cluster);
  const order = [...clusters].sort((a, b) => rank.get(b)! - rank.get(a)! || a.units[0]! - b.units[0]!);
  const free = new Array<number>(workers).fill(0);
  for (const cluster of order) {
    let best = -1;
    for (let worker = 0; worker < workers; worker++) {
      let begin = free[worker]!;
      for (const before of cluster.after) begin = Math.max(begin, before.end + (before.worker === worker ? 0 : handoffNs));
      // A thread that has had nothing yet must first be woken.
      if (worker > 0 && free[worker] === 0) begin = Math.max(begin, handoffNs);
      const end = begin + cluster.cost;
      if (best < 0 || end < cluster.end) {
        best = worker;
        cluster.end = end;
      }
    }
    cluster.worker = best;
    free[best] = cluster.end;
  }
  return order;
}

/** Joins what one thread runs in a row, cutting only where another thread waits or is waited for. */
function join(order: readonly Cluster[], workers: number): Partition[] {
  const groups: Cluster[][] = [];
  for (let worker = 0; worker < workers; worker++) {
    let group: Cluster[] | undefined;
    for (const cluster of order) {
      if (cluster.worker !== worker) continue;
      const elsewhere = (other: Cluster): boolean => other.worker !== worker;
      if (!group || [...cluster.after].some(elsewhere)) groups.push((group = []));
      group.push(cluster);
      if ([...cluster.readers].some(elsewhere)) group = undefined;
    }
  }
  const groupOf = new Map(groups.flatMap((group, i) => group.map((cluster) => [cluster, i])));
  return groups.map((group, i) => {
    const after = new Set(group.flatMap((cluster) => [...cluster.after].map((before) => groupOf.get(before)!)));
    after.delete(i);
    return {
      units: group.flatMap((cluster) => cluster.units).sort((a, b) => a - b),
      worker: group[0]!.worker,
      after: [...after].sort((a, b) => a - b),
    };
  });
}

/** Divides the work of a block among `workers` threads. */
export function schedule(work: readonly Work[], workers: number, handoffNs: number): Partition[] {
  const whole: Partition = { units: work.map((_, i) => i), worker: 0, after: [] };
  const total = work.reduce((sum, { cost }) => sum + cost, 0);
  if (workers < 2 || work.length < 2) return [whole];
  const clusters = gather(work, (total / workers) * GRAIN);
  const order = place(clusters, workers, handoffNs);
  const end = Math.max(...order.map((cluster) => cluster.end));
  return total >= end * WORTH ? join(order, workers) : [whole];
}
