// Which thread runs what: units of the graph into partitions.
//
// Units are first gathered into clusters that gain nothing from being cut, then placed one after the other on the thread
// where they end first, a hand-off counted wherever data crosses (after HEFT: Topcuoglu, Hariri and Wu, IEEE TPDS 13(3), 2002).
// A cut is made only where the whole ends sooner by it; a small patch stays on one thread.

/** Nanoseconds from the end of a partition on one thread to the start of the next on another: where threads spin, and where they sleep. */
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

/** In-trees of units: a unit takes in the clusters that feed nothing but it, if it has only one source or they are small together. */
function gather(work: readonly Work[], grain: number): Cluster[] {
  const readers = work.map(() => 0);
  for (const { after } of work) for (const source of after) readers[source]!++;
  const clusterOf: Cluster[] = [];
  const clusters = new Set<Cluster>();
  work.forEach(({ after, cost }, i) => {
    const sources = [...new Set(after.map((source) => clusterOf[source]!))];
    const feedsOnlyThis = (source: Cluster): boolean => readers[source.units.at(-1)!] === 1;
    const total = sources.reduce((sum, source) => sum + source.cost, 0);
    const taken = sources.every(feedsOnlyThis) && (sources.length === 1 || total <= grain) ? sources : [];
    const units = [...taken.flatMap((source) => source.units), i];
    const cluster: Cluster = {
      units,
      cost: cost + taken.reduce((sum, source) => sum + source.cost, 0),
      after: new Set(taken.length > 0 ? taken.flatMap((source) => [...source.after]) : sources),
      readers: new Set(),
      worker: 0,
      end: 0,
    };
    for (const source of taken) clusters.delete(source);
    clusters.add(cluster);
    for (const unit of units) clusterOf[unit] = cluster;
  });
  for (const cluster of clusters) for (const before of cluster.after) before.readers.add(cluster);
  return [...clusters];
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
