// DSP threads 1…: sleep until a block has work for several threads, and take part in it.
import { CONTROL, RUN_STOP, WORKER } from '../shared/layout.js';
import { waitGate } from '../shared/gate.js';
import { holdPlan, releasePlan } from '../shared/plans.js';
import { takePart } from './block.js';
import { installKernels } from './kernels.js';
import { mayRetire } from './spare.js';
import type { DspThread } from './thread.js';

/** Milliseconds after which a helper without work looks around by itself. */
const WAIT_MS = 100;

/** Until RUN_STOP, or until it retires. */
export function help(thread: DspThread): void {
  const { words, index, blockSpin } = thread;
  let seen = 0;
  for (;;) {
    blockSpin.learn(waitGate(words, CONTROL.BLOCK_GATE, seen, blockSpin.turns, WAIT_MS));
    seen = Atomics.load(words, CONTROL.BLOCK_GATE);
    if (Atomics.load(words, CONTROL.RUN) === RUN_STOP) return;
    if (mayRetire(thread)) return;
    thread.count(WORKER.HEARTBEAT, 1);
    if (thread.lacksKernels()) installKernels(thread);
    // The ticket first: a plan adopted after it was read has no partition open with it. Before the first block it is 0,
    // as is every CLAIM of a plan that has not played.
    const ticket = Atomics.load(words, CONTROL.BLOCK_TICKET);
    const plan = holdPlan(words, index) >> 2;
    if (plan !== 0 && ticket !== 0) takePart(thread, plan, ticket, false);
    releasePlan(words, index);
  }
}
