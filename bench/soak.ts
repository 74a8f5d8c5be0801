// Does it play on, however long and whatever the main thread does?
import { fork } from 'node:child_process';
import { KrellError } from '../src/errors.js';
import { machine, median, rounded, STALLS_NOTE, type BenchOptions, type Report } from './report.js';
import type { Outcome, Task } from './soak/player.js';

/** Takes minutes. */
export const isLong = true;
/** Minutes of play, unless KRELL_SOAK_MINUTES says otherwise. */
const MINUTES = 10;
const QUICK_S = 4;

/** Garbage collections while it played, by thread. */
export interface Collections {
  readonly main: number;
  readonly dsp: number;
  /** The audio host, and whatever else was started after the DSP threads. */
  readonly others: number;
}

/** A line of --trace-gc: process and isolate, age of the isolate, kind of collection, …, reason. */
const GC_LINE = /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: \S/;
/** Where marking was under way, that collection is ended first and has a line of its own, with the same reason. */
const MARK = /^(?!.*since start of marking).*\btesting\b/;

/**
 * Counts the collections between the third mark and the fourth. Every thread has an isolate of its own: main's is the one of
 * the marks, those of the `earlyThreads` DSP threads have been seen for the first time between the first mark and the second.
 */
export function countCollections(trace: string, earlyThreads: number): Collections {
  const lines = trace.split('\n').filter((line) => GC_LINE.test(line));
  const isolates = lines.map((line) => GC_LINE.exec(line)![1]!);
  const marks = lines.flatMap((line, i) => (MARK.test(line) ? [i] : []));
  const [compiler, up, begin, end] = marks;
  if (marks.length !== 4 || compiler === undefined) throw new KrellError('bench', 'the garbage collector left no trace to go by');
  const main = isolates[compiler];
  const compilers = new Set(isolates.slice(0, compiler).filter((isolate) => isolate !== main));
  const early = new Set(isolates.slice(compiler, up).filter((isolate) => isolate !== main && !compilers.has(isolate)));
  if (early.size !== earlyThreads)
    throw new KrellError(
      'bench',
      `${early.size} threads have collected garbage at their start, not ${earlyThreads}: cannot tell them apart`,
    );
  const between = isolates.slice(begin! + 1, end).filter((isolate) => !compilers.has(isolate));
  const count = (is: (isolate: string) => boolean): number => between.filter(is).length;
  return {
    main: count((isolate) => isolate === main),
    dsp: count((isolate) => early.has(isolate)),
    others: count((isolate) => isolate !== main && !early.has(isolate)),
  };
}

/** Plays for a while in a process of its own. */
export async function soak(task: Task): Promise<Outcome & { readonly collections: Collections }> {
  const child = fork(new URL('soak/player.js', import.meta.url), {
    execArgv: ['--trace-gc', '--expose-gc'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let trace = '';
  let outcome: Outcome | undefined;
  child.stdout!.on('data', (text: Buffer) => (trace += text.toString()));
  child.on('message', (message) => (outcome = message as Outcome));
  child.send(task);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (!outcome) throw new KrellError('bench', `the playing process ended with ${code} and said nothing`);
  return { ...outcome, collections: countCollections(trace, outcome.earlyThreads) };
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  const minutes = Number(process.env['KRELL_SOAK_MINUTES'] ?? MINUTES);
  const result = await soak({ seconds: quick ? QUICK_S : minutes * 60 });
  const third = Math.floor(result.rss.length / 3);
  const megabytes = (bytes: number): number => rounded(bytes / 2 ** 20);
  // The first third is warming up: the main thread's heap finds its size.
  const [middle, end] = [median(result.rss.slice(third, 2 * third)), median(result.rss.slice(-third))];
  const rows: Report['rows'] = [
    { what: 'seconds played', value: rounded(result.seconds, 4) },
    { what: 'underruns', value: result.underruns },
    { what: `steps with underruns, of ${result.rss.length}`, value: result.underrunSteps },
    { what: 'stalls of the machine', value: result.stalls },
    ...(result.stolenMs === undefined ? [] : [{ what: 'stolen by the hypervisor, ms', value: result.stolenMs }]),
    { what: 'kernel faults', value: result.faults },
    { what: 'garbage collections, DSP threads', value: result.collections.dsp },
    { what: 'garbage collections, audio host', value: result.collections.others },
    { what: 'garbage collections, main thread', value: result.collections.main },
    { what: 'garbage made, MB', value: megabytes(result.garbageBytes) },
    { what: 'memory (RSS), second third, MB', value: megabytes(middle) },
    { what: 'memory (RSS), last third, MB', value: megabytes(end) },
    { what: 'growth, MB', value: rounded((end - middle) / 2 ** 20, 2) },
    { what: 'DSP load, highest, %', value: rounded(result.load * 100) },
    { what: 'longest block, ms', value: rounded(result.maxBlockMs) },
  ];
  return {
    title: 'patches/krell.json on the null driver, while the main thread makes garbage',
    rows,
    notes: [
      'Collections are told apart by the isolate in V8’s --trace-gc; the DSP threads’ include those of the spare one.',
      ...(result.stalls > 0 ? [STALLS_NOTE] : []),
      machine(),
    ],
  };
}
