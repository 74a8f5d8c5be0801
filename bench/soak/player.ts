// The process that plays while `bench soak` watches: the engine, a main thread that makes garbage, and what became of both.
// Its parent runs it with --trace-gc --expose-gc and an IPC channel. V8's own lines go to stdout; a collection that this
// file asks for is marked "testing" there, so the first and the last one enclose the time of the measurement.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Engine, readPatchFile } from '../../src/index.js';
import { PACKAGE_ROOT } from '../../src/kernel/source.js';

export interface Task {
  readonly seconds: number;
  /** Also runs a thread that makes garbage, to see that it would be noticed. */
  readonly plantGarbage: boolean;
}
export interface Outcome {
  readonly seconds: number;
  readonly underruns: number;
  readonly stalls: number;
  readonly faults: number;
  /** Share of their time that DSP threads computed, the busiest of them. */
  readonly load: number;
  readonly maxBlockMs: number;
  /** Bytes of the whole process, in even steps of time. */
  readonly rss: readonly number[];
  readonly garbageBytes: number;
}

const MARK_TO_MARK_SAMPLES = 60;
const LITTER_MS = 10;
const LITTER_OBJECTS = 4000;
const OBJECT_BYTES = 96;
const KEPT = 20;
const WARM_UP_S = 0.5;

const GARBAGE_THREAD = `
  let keep = [];
  setInterval(() => { keep = Array.from({ length: 20_000 }, (_, i) => ({ i, text: String(i) })); }, 5);
`;

async function play({ seconds, plantGarbage }: Task): Promise<Outcome> {
  const collect = (globalThis as { gc?: () => void }).gc!;
  const engine = await Engine.create();
  await engine.loadPatch(await readPatchFile(`${PACKAGE_ROOT}/patches/krell.json`));
  await engine.start({ driver: 'null' });
  const planted = plantGarbage ? new Worker(GARBAGE_THREAD, { eval: true }) : undefined;
  await sleep(WARM_UP_S * 1000);

  // Short-lived objects for the scavenger; what is kept for a while grows old and must be marked and swept.
  const kept: object[][] = [];
  let littered = 0;
  const litter = setInterval(() => {
    kept.push(Array.from({ length: LITTER_OBJECTS }, (_, i) => ({ i, text: `object ${i}`, more: [i] })));
    if (kept.length > KEPT) kept.shift();
    littered++;
  }, LITTER_MS);

  const before = engine.stats();
  collect();
  const rss: number[] = [];
  let [load, maxBlockMs] = [0, 0];
  for (let i = 0; i < MARK_TO_MARK_SAMPLES; i++) {
    await sleep((seconds * 1000) / MARK_TO_MARK_SAMPLES);
    rss.push(process.memoryUsage.rss());
    for (const worker of engine.stats().workers) {
      load = Math.max(load, worker.load);
      maxBlockMs = Math.max(maxBlockMs, worker.maxBlockMs);
    }
  }
  collect();
  const after = engine.stats();
  clearInterval(litter);
  await planted?.terminate();
  await engine.stop();
  return {
    seconds: after.seconds - before.seconds,
    underruns: after.underruns - before.underruns,
    stalls: after.stalls - before.stalls,
    faults: after.workers.reduce((sum, { faults }) => sum + faults, 0),
    load,
    maxBlockMs,
    rss,
    garbageBytes: littered * LITTER_OBJECTS * OBJECT_BYTES,
  };
}

process.once('message', (task: Task) => {
  void play(task).then((outcome) => process.send!(outcome, () => process.disconnect()));
});
