// Does it play on, however long and whatever the main thread does?
import { fork } from 'node:child_process';
import { KrellError } from '../src/errors.js';
import { machine, median, rounded, STALLS_NOTE, type BenchOptions, type Report } from './report.js';
import type { Outcome, Task } from './soak/player.js';

/** Minutes of play, unless KRELL_SOAK_MINUTES says otherwise. */
const MINUTES = 10;
const QUICK_S = 4;

export interface Soak extends Outcome {
  /** Garbage collections between the marks, in the thread that set them and in all others together. */
  readonly mainCollections: number;
  readonly otherCollections: number;
}

/** A line of --trace-gc: process and isolate, age of the isolate, kind of collection …, and that it was asked for. */
const GC_LINE = /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: (Scavenge|Mark-Compact|Mark-sweep|Minor Mark|MinorMC)/i;
const ASKED_FOR = /\btesting\b/;

/**
 * Counts the collections between the first and the last one that was asked for. Every thread of the process has an isolate
 * of its own; the one that asks is main's.
 */
export function countCollections(trace: string): { main: number; others: number } {
  const lines = trace.split('\n').filter((line) => GC_LINE.test(line));
  const isolate = (line: string): string => GC_LINE.exec(line)![1]!;
  const first = lines.findIndex((line) => ASKED_FOR.test(line));
  const last = lines.findLastIndex((line) => ASKED_FOR.test(line));
  if (first < 0 || first === last) throw new KrellError('bench', 'the garbage collector left no trace to go by');
  const between = lines.slice(first + 1, last).map(isolate);
  const main = between.filter((each) => each === isolate(lines[first]!)).length;
  return { main, others: between.length - main };
}

/** Plays for a while in a process of its own. */
export async function soak(task: Task): Promise<Soak> {
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
  const { main, others } = countCollections(trace);
  return { ...outcome, mainCollections: main, otherCollections: others };
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  const minutes = Number(process.env['KRELL_SOAK_MINUTES'] ?? MINUTES);
  const result = await soak({ seconds: quick ? QUICK_S : minutes * 60, plantGarbage: false });
  const third = Math.floor(result.rss.length / 3);
  const megabytes = (bytes: number): number => rounded(bytes / 2 ** 20);
  // The first third is warming up: the main thread's heap finds its size.
  const [middle, end] = [median(result.rss.slice(third, 2 * third)), median(result.rss.slice(-third))];
  const rows: Report['rows'] = [
    { what: 'seconds played', value: rounded(result.seconds, 4) },
    { what: 'underruns', value: result.underruns },
    { what: 'stalls of the machine', value: result.stalls },
    { what: 'kernel faults', value: result.faults },
    { what: 'garbage collections, main thread', value: result.mainCollections },
    { what: 'garbage collections, all other threads', value: result.otherCollections },
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
      'Other threads: DSP, audio host and one spare; their collections are told from the main thread’s by the isolate in V8’s --trace-gc.',
      ...(result.stalls > 0 ? [STALLS_NOTE] : []),
      machine(),
    ],
  };
}
