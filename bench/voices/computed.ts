// How much faster more threads would be, on machines with more cores than this one: the scheduler's own division of the standard
// voices, with what their modules are measured to cost here and what it is measured to take to hand work to another thread.
import { setTimeout as sleep } from 'node:timers/promises';
import { HANDOFF_NS, schedule, type Work } from '../../src/control/schedule.js';
import { Engine } from '../../src/index.js';
import { roundTrips, SPIN } from '../jobs/round-trips.js';
import { median, rounded } from '../report.js';
import { standardVoices } from '../standard-voice.js';

const THREADS = [2, 4, 8];
const MEASURE_MS = 2000;

/** The modules of a patch without loops, in an order in which each comes after what it hears. */
async function workOf(voices: number): Promise<Work[]> {
  const { modules, cables, ...patch } = standardVoices(voices, 'poly');
  const engine = await Engine.create({ workers: 1 });
  try {
    await engine.loadPatch({ ...patch, modules, cables });
    await engine.start({ driver: 'null', latency: 50 });
    const costOf = (id: string): number | undefined => engine.moduleInfo(id).cost?.p50Us;
    do await sleep(MEASURE_MS);
    while (Object.keys(modules).some((id) => costOf(id) === undefined));
    const before = new Map<string, string[]>(Object.keys(modules).map((id) => [id, []]));
    for (const { from, to } of cables) before.get(to.split('.')[0]!)!.push(from.split('.')[0]!);
    const order: string[] = [];
    const visit = (id: string): void => {
      if (order.includes(id)) return;
      before.get(id)!.forEach(visit);
      order.push(id);
    };
    Object.keys(modules).forEach(visit);
    return order.map((id) => ({
      after: before.get(id)!.map((other) => order.indexOf(other)),
      cost: costOf(id)! * 1000,
    }));
  } finally {
    await engine.stop();
  }
}

/** Nanoseconds of a block divided among so many threads. */
function span(work: readonly Work[], threads: number, handoffNs: number): number {
  const partitions = schedule(work, threads, handoffNs);
  const ends = new Map<number, number>();
  const free = new Array<number>(threads).fill(0);
  // A thread's partitions come in their order, and each after those it needs.
  while (ends.size < partitions.length)
    partitions.forEach(({ units, worker, after }, i) => {
      const isNext = partitions.findIndex((other, j) => other.worker === worker && !ends.has(j)) === i;
      if (!isNext || !after.every((other) => ends.has(other))) return;
      // Who has had nothing yet in this block is woken first.
      let begin = worker > 0 && free[worker] === 0 ? handoffNs : free[worker]!;
      for (const other of after) begin = Math.max(begin, ends.get(other)! + (partitions[other]!.worker === worker ? 0 : handoffNs));
      free[worker] = begin + units.reduce((sum, unit) => sum + work[unit]!.cost, 0);
      ends.set(i, free[worker]);
    });
  return Math.max(...free);
}

/** @returns a sentence: speed-ups with the hand-off measured here, and with the one that the scheduler reckons with */
export async function computedSpeedUps(voices: number, quick: boolean): Promise<string> {
  const handoffNs = (median(await roundTrips(quick ? 1000 : 100_000, SPIN)) * 1000) / 2;
  const work = await workOf(voices);
  const whole = work.reduce((sum, { cost }) => sum + cost, 0);
  const speedUps = (ns: number): string => THREADS.map((threads) => `${rounded(whole / span(work, threads, ns))} on ${threads}`).join(', ');
  return (
    `Computed for more cores, poly, from what each module was measured to cost (${rounded(whole / 1000)} µs a block in all): ` +
    `${speedUps(handoffNs)} threads with the ${rounded(handoffNs / 1000)} µs that a hand-off takes here between threads that spin; ` +
    `${speedUps(HANDOFF_NS.spinning)} with the ${HANDOFF_NS.spinning / 1000} µs that the scheduler reckons with.`
  );
}
