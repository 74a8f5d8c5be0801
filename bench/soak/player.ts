// The process that plays while `bench soak` watches: the engine, a main thread that makes garbage, and what became of both.
// Its parent runs it with --trace-gc --expose-gc and an IPC channel. V8's own lines go to stdout; a collection that this
// file asks for is marked "testing" there. It asks four times: when the thread that compiles kernels is up, when the DSP threads are
// (each has collected by then, and so shows its isolate), when the measurement begins, and when it ends.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { compileElsewhere } from '../../src/control/compiler.js';
import { Engine, modules, readPatchFile } from '../../src/index.js';
import { PACKAGE_ROOT } from '../../src/kernel/source.js';

export interface Task {
  readonly seconds: number;
  /** Also runs a thread that makes garbage, started before the DSP threads or after them, to see that it would be noticed. */
  readonly plantGarbage?: 'early' | 'late';
}
export interface Outcome {
  readonly seconds: number;
  /** Threads that came up between the first mark and the second: DSP, spare, planted. */
  readonly earlyThreads: number;
  readonly underruns: number;
  /** Of the `rss.length` steps, those with underruns. */
  readonly underrunSteps: number;
  readonly stalls: number;
  readonly faults: number;
  /** Share of their time that DSP threads computed, the busiest of them. */
  readonly load: number;
  readonly maxBlockMs: number;
  /** Bytes of the whole process, in even steps of time. */
  readonly rss: readonly number[];
  readonly garbageBytes: number;
  /** Time that a hypervisor kept from the processors, all together; where the system tells. */
  readonly stolenMs?: number;
}

/** Readings between the marks. */
const STEPS = 60;
/** Threads the engine keeps warm beside those that play. */
const SPARES = 1;
const LITTER_MS = 10;
const LITTER_OBJECTS = 4000;
const OBJECT_BYTES = 96;
const KEPT = 20;
const WARM_UP_S = 0.5;

const GARBAGE_THREAD = `
  let keep = [];
  setInterval(() => { keep = Array.from({ length: 20_000 }, (_, i) => ({ i, text: String(i) })); }, 5);
`;

/** Milliseconds stolen since the machine started: the eighth number of /proc/stat, in hundredths of a second. */
const stolenMs = (): number | undefined =>
  existsSync('/proc/stat') ? Number(readFileSync('/proc/stat', 'utf8').split(/\s+/)[8]) * 10 : undefined;

async function play({ seconds, plantGarbage }: Task): Promise<Outcome> {
  const mark = (globalThis as { gc?: () => void }).gc!;
  const plant = (when: Task['plantGarbage']): Worker | undefined =>
    plantGarbage === when ? new Worker(GARBAGE_THREAD, { eval: true }) : undefined;
  // As large a kernel as there is: that thread collects while it compiles it.
  const reverb = modules.find(({ type }) => type === 'reverb')!;
  const outputs = Object.keys(reverb.outputs).map(() => true);
  const inputs = Object.keys(reverb.inputs).map(() => 'm' as const);
  await compileElsewhere({ definition: reverb, variant: { sampleRate: 48_000, voices: 1, inputs, outputs }, path: undefined });
  mark();
  const planted = [plant('early')];
  await sleep(WARM_UP_S * 1000);
  const engine = await Engine.create();
  // The spare is not waited for.
  await sleep(WARM_UP_S * 1000);
  mark();
  await engine.loadPatch(await readPatchFile(`${PACKAGE_ROOT}/patches/krell.json`));
  await engine.start({ driver: 'null' });
  planted.push(plant('late'));
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
  const stolenBefore = stolenMs();
  mark();
  const rss: number[] = [];
  let [load, maxBlockMs, underruns, underrunSteps] = [0, 0, before.underruns, 0];
  for (let i = 0; i < STEPS; i++) {
    await sleep((seconds * 1000) / STEPS);
    rss.push(process.memoryUsage.rss());
    const now = engine.stats();
    for (const worker of now.workers) {
      load = Math.max(load, worker.load);
      maxBlockMs = Math.max(maxBlockMs, worker.maxBlockMs);
    }
    if (now.underruns > underruns) underrunSteps++;
    underruns = now.underruns;
  }
  mark();
  const after = engine.stats();
  const stolenAfter = stolenMs();
  clearInterval(litter);
  for (const worker of planted) await worker?.terminate();
  await engine.stop();
  return {
    seconds: after.seconds - before.seconds,
    earlyThreads: engine.workers + SPARES + (plantGarbage === 'early' ? 1 : 0),
    underruns: after.underruns - before.underruns,
    underrunSteps,
    stalls: after.stalls - before.stalls,
    faults: after.workers.reduce((sum, { faults }) => sum + faults, 0),
    load,
    maxBlockMs,
    rss,
    garbageBytes: littered * LITTER_OBJECTS * OBJECT_BYTES,
    ...(stolenBefore === undefined || stolenAfter === undefined ? {} : { stolenMs: stolenAfter - stolenBefore }),
  };
}

// Nobody is left to tell: so when the bench is interrupted, too.
process.once('disconnect', () => process.exit());
process.once('message', (task: Task) => {
  void play(task).then((outcome) => process.send!(outcome, () => process.disconnect()));
});
