// The task a pool thread runs for as long as the engine lives: set up, then lead, help or wait for a place until RUN_STOP.
import { threadId, type MessagePort } from 'node:worker_threads';
import { CONTROL, RUN_STOP, SPARE, WORKER } from '../shared/layout.js';
import { settle } from './abandon.js';
import { flushDenormals } from './denormals.js';
import { warmFadeOut } from './fade.js';
import { help } from './helper.js';
import { DSP_PRIORITY, raisePriority, SCHEDULINGS, systemThreadId, type Scheduling } from './priority.js';
import { Leader } from './leader.js';
import { enter, handOver, THREAD_LEFT, THREAD_RUNNING, waitForPlace } from './spare.js';
import { DspThread } from './thread.js';

export interface DspTask {
  /** The arena. */
  readonly memory: WebAssembly.Memory;
  /** The compiled step runner. */
  readonly runner: WebAssembly.Module;
  /** This thread's place; 0 leads, SPARE waits for one. */
  readonly worker: number;
  /** The number under which control knows the thread. */
  readonly seat: number;
  /** Whether to ask the system for real-time priority. */
  readonly realtime: boolean;
  /** Where kernels arrive; in the task's transfer list. */
  readonly port: MessagePort;
}

/** How a DSP thread fared. */
export interface DspSummary {
  readonly worker: number;
  /** Node's number of the thread. */
  readonly thread: number;
  readonly blocks: number;
  readonly faults: number;
  /** Whether the thread's processor took denormals for zero. */
  readonly flushesDenormals: boolean;
  readonly scheduling: Scheduling;
}

// setup
/** The task. Its promise resolves when the thread has left its place. */
export default function run({ memory, runner, worker, seat, realtime, port }: DspTask): DspSummary {
  const flushesDenormals = flushDenormals();
  warmFadeOut();
  const scheduling = realtime ? raisePriority(DSP_PRIORITY) : 'normal';
  const thread = new DspThread(memory, runner, worker, port, {
    seat,
    thread: threadId,
    systemId: systemThreadId(),
    scheduling: SCHEDULINGS.indexOf(scheduling),
    flushes: Number(flushesDenormals),
  });
  if (worker === SPARE) enter(thread, THREAD_RUNNING);
  if (worker !== SPARE || waitForPlace(thread)) {
    settle(thread);
    enter(thread, THREAD_RUNNING);
    if (thread.index === 0) new Leader(thread).lead();
    else help(thread);
  }
  port.close();
  const { words, index, base } = thread;
  if (Atomics.load(words, CONTROL.RUN) === RUN_STOP) enter(thread, THREAD_LEFT);
  else handOver(thread);
  const [blocks, faults] = [words[base + WORKER.BLOCKS]!, words[base + WORKER.FAULTS]!];
  return { worker: index, thread: threadId, blocks, faults, flushesDenormals, scheduling };
}
