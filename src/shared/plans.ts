// Who may still be reading a plan.
//
// A plan never changes once published, so all that needs care is when its memory may be used again. Each DSP thread names
// the plan it reads in its PLAN_IN_USE word (a hazard pointer), and only then checks that the plan is still the right one:
//
//   leader, between blocks                    helper, at a block
//     plan = NEXT_PLAN                          plan = PLAN
//     PLAN_IN_USE[0] = plan                     PLAN_IN_USE[i] = plan
//     if (NEXT_PLAN === plan) PLAN = plan       if (PLAN === plan) read it
//
// Control, having replaced NEXT_PLAN, asks in the same order as a plan travels: leader, PLAN, helpers. If the leader's word
// does not name the plan, the leader has moved past it or will fail its check, so it cannot become PLAN any more; if it is
// not PLAN either, no helper's check can succeed any more; and a helper that succeeded before has it in its word.
import { CONTROL, MAX_WORKERS, WORKER, workerWord } from './layout.js';

/** Whether any DSP thread reads or may yet read `plan` (a byte address). Control. */
export function planInUse(words: Int32Array, plan: number): boolean {
  if (Atomics.load(words, CONTROL.NEXT_PLAN) === plan) return true;
  if (Atomics.load(words, workerWord(0, WORKER.PLAN_IN_USE)) === plan) return true;
  if (Atomics.load(words, CONTROL.PLAN) === plan) return true;
  for (let worker = 1; worker < MAX_WORKERS; worker++)
    if (Atomics.load(words, workerWord(worker, WORKER.PLAN_IN_USE)) === plan) return true;
  return false;
}

/** Names the plan to come as read by the leader. @returns its byte address, 0 = none. */
export function takeNextPlan(words: Int32Array): number {
  for (;;) {
    const plan = Atomics.load(words, CONTROL.NEXT_PLAN);
    Atomics.store(words, workerWord(0, WORKER.PLAN_IN_USE), plan);
    if (Atomics.load(words, CONTROL.NEXT_PLAN) === plan) return plan;
  }
}

/** Names the plan now playing as read by helper `worker`. @returns its byte address, 0 = none or just replaced: wait for the next block. */
export function holdPlan(words: Int32Array, worker: number): number {
  const plan = Atomics.load(words, CONTROL.PLAN);
  Atomics.store(words, workerWord(worker, WORKER.PLAN_IN_USE), plan);
  return Atomics.load(words, CONTROL.PLAN) === plan ? plan : 0;
}

/** The helper has left its plan. */
export function releasePlan(words: Int32Array, worker: number): void {
  Atomics.store(words, workerWord(worker, WORKER.PLAN_IN_USE), 0);
}
