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

/** Work that stays together. */
interface Cluster {
  /** In falling order of index: gathered from the last on. */
  readonly units: number[];
  cost: number;
  readonly after: Cluster[];
  readonly readers: Cluster[];
  /** Nanoseconds from its start to the block's end, at the least. */
  rank: number;
  worker: number;
  end: number;
  group: number;
}

/**
 * Regions with one way out: whatever a unit alone makes use of, directly or through others, goes with it, as long as that is
 * small together. The regions are the subtrees of the tree of immediate post-dominators. In order of their last unit.
 */
function gather(work: readonly Work[], grain: number): Cluster[] {
  const count = work.length;
  // The end of all ways, `count`, is the parent of what nobody reads; −1: no reader seen yet.
  const parent = new Int32Array(count).fill(-1);
  const region = new Float64Array(count);
  for (let i = count - 1; i >= 0; i--) {
    if (parent[i]! < 0) parent[i] = count;
    for (const source of work[i]!.after) {
      // The first unit that all ways from the readers meet in. Parents come later in the list.
      let [a, b] = [parent[source]!, i];
      while (a >= 0 && a !== b)
        if (a < b) a = parent[a]!;
        else b = parent[b]!;
      parent[source] = b;
    }
  }
  for (let i = 0; i < count; i++) {
    region[i]! += work[i]!.cost;
    if (parent[i]! < count) region[parent[i]!]! += region[i]!;
  }
  const clusterOf: Cluster[] = new Array(count);
  const clusters: Cluster[] = [];
  for (let i = count - 1; i >= 0; i--) {
    const { cost } = work[i]!;
    const above = parent[i]!;
    if (above < count && region[above]! <= grain) {
      const cluster = clusterOf[above]!;
      cluster.units.push(i);
      cluster.cost += cost;
      clusterOf[i] = cluster;
    } else {
      clusterOf[i] = { units: [i], cost, after: [], readers: [], rank: 0, worker: 0, end: 0, group: 0 };
      clusters.push(clusterOf[i]!);
    }
  }
  for (let i = 0; i < count; i++)
    for (const source of work[i]!.after) {
      const [from, to] = [clusterOf[source]!, clusterOf[i]!];
      if (from === to || to.after.includes(from)) continue;
      to.after.push(from);
      from.readers.push(to);
    }
  return clusters.reverse();
}

/** Gives every cluster a worker. @returns the clusters in the order in which they begin. */
function place(clusters: readonly Cluster[], workers: number, handoffNs: number): Cluster[] {
  for (let i = clusters.length - 1; i >= 0; i--) {
    const cluster = clusters[i]!;
    for (const reader of cluster.readers) cluster.rank = Math.max(cluster.rank, reader.rank);
    cluster.rank += cluster.cost;
  }
  const order = [...clusters].sort((a, b) => b.rank - a.rank || a.units.at(-1)! - b.units.at(-1)!);
  const free = new Float64Array(workers);
  for (const cluster of order) {
    cluster.end = Infinity;
    for (let worker = 0; worker < workers; worker++) {
      let begin = free[worker]!;
      // A thread that has had nothing yet must first be woken.
      if (worker > 0 && begin === 0) begin = handoffNs;
      for (const before of cluster.after) begin = Math.max(begin, before.end + (before.worker === worker ? 0 : handoffNs));
      if (begin + cluster.cost >= cluster.end) continue;
      cluster.worker = worker;
      cluster.end = begin + cluster.cost;
    }
    free[cluster.worker] = cluster.end;
  }
  return order;
}

/** Joins what one thread runs in a row, cutting only where another thread waits or is waited for. */
function join(order: readonly Cluster[], workers: number): Partition[] {
  const groups: Cluster[][] = [];
  for (let worker = 0; worker < workers; worker++) {
    let group: Cluster[] | undefined;
    const elsewhere = (other: Cluster): boolean => other.worker !== worker;
    for (const cluster of order) {
      if (cluster.worker !== worker) continue;
      if (!group || cluster.after.some(elsewhere)) groups.push((group = []));
      cluster.group = groups.length - 1;
      group.push(cluster);
      if (cluster.readers.some(elsewhere)) group = undefined;
    }
  }
  return groups.map((group, i) => {
    const after = new Set(group.flatMap((cluster) => cluster.after.map((before) => before.group)));
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
  if (workers < 2 || work.length < 2) return [whole];
  let total = 0;
  for (const { cost } of work) total += cost;
  // Even if it could be cut anywhere.
  if (total < ((total + (workers - 1) * handoffNs) / workers) * WORTH) return [whole];
  const order = place(gather(work, (total / workers) * GRAIN), workers, handoffNs);
  let end = 0;
  for (const cluster of order) end = Math.max(end, cluster.end);
  return total >= end * WORTH ? join(order, workers) : [whole];
}
