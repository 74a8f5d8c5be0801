// The task a pool thread runs for as long as the engine lives: set up, then lead or help until RUN_STOP.
import type { MessagePort } from 'node:worker_threads';
import { WORKER, workerWord } from '../shared/layout.js';
import { flushDenormals } from './denormals.js';
import { help } from './helper.js';
import { DSP_PRIORITY, raisePriority, SCHEDULINGS, type Scheduling } from './priority.js';
import { Leader } from './leader.js';
import { DspThread } from './thread.js';

/** States of a DSP thread, in its STATE word. */
export const THREAD_RUNNING = 1;
export const THREAD_LEFT = 2;

export interface DspTask {
  /** The arena. */
  readonly memory: WebAssembly.Memory;
  /** The compiled step runner. */
  readonly runner: WebAssembly.Module;
  /** This thread's number; 0 leads. */
  readonly worker: number;
  /** Whether to ask the system for real-time priority. */
  readonly realtime: boolean;
  /** Where kernels arrive; in the task's transfer list. */
  readonly port: MessagePort;
}

/** How a DSP thread fared. */
export interface DspSummary {
  readonly worker: number;
  readonly blocks: number;
  readonly faults: number;
  /** Whether the thread's processor took denormals for zero. */
  readonly flushesDenormals: boolean;
  readonly scheduling: Scheduling;
}

// setup
function enter(words: Int32Array, worker: number, state: number): void {
  const word = workerWord(worker, WORKER.STATE);
  Atomics.store(words, word, state);
  Atomics.notify(words, word);
}

// setup
/** The task. Its promise resolves when the thread has left its loop. */
export default function run({ memory, runner, worker, realtime, port }: DspTask): DspSummary {
  const flushesDenormals = flushDenormals();
  const scheduling = realtime ? raisePriority(DSP_PRIORITY) : 'normal';
  const thread = new DspThread(memory, runner, worker, port);
  const { words, base } = thread;
  words[base + WORKER.SCHEDULING] = SCHEDULINGS.indexOf(scheduling);
  words[base + WORKER.FLUSHES] = flushesDenormals ? 1 : 0;
  enter(words, worker, THREAD_RUNNING);
  if (worker === 0) new Leader(thread).lead();
  else help(thread);
  enter(words, worker, THREAD_LEFT);
  port.close();
  return { worker, blocks: words[base + WORKER.BLOCKS]!, faults: words[base + WORKER.FAULTS]!, flushesDenormals, scheduling };
}
