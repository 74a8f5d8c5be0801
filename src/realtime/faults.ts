// What goes wrong in a DSP thread: told to control through a ring, and kept in the HEALTH record of the module.
import { CONTROL, FAULT, FAULT_OFTEN, FAULT_SLOTS, faultRing, HEALTH, HEALTH_W, MAX_SLOTS, RING, STATE, STEP } from '../shared/layout.js';
import type { DspThread } from './thread.js';

/** A module that fails so often within a second is bypassed. */
const OFTEN = 8;
const PACK_LANES = 4;

/** Word index of the HEALTH record of a module, by slot and generation. */
export const healthAt = (slot: number): number => HEALTH_W + (slot & (MAX_SLOTS - 1)) * HEALTH.WORDS;

/** Puts a fault into the thread's ring; when nobody empties that, it is only counted. `offset`: frames from the block's start. */
export function tell(thread: DspThread, kind: number, slot: number, offset: number, value: number): void {
  const { words } = thread;
  const ring = faultRing(thread.index);
  const write = words[ring + RING.WRITE]!;
  if (((write - Atomics.load(words, ring + RING.READ)) | 0) >= FAULT_SLOTS) {
    Atomics.add(words, ring + RING.DROPS, 1);
    return;
  }
  const fault = ring + RING.DATA + (write & (FAULT_SLOTS - 1)) * FAULT.WORDS;
  const low = (words[CONTROL.FRAME_LO]! + offset) | 0;
  words[fault + FAULT.KIND] = kind;
  words[fault + FAULT.SLOT] = slot;
  words[fault + FAULT.FRAME_LO] = low;
  words[fault + FAULT.FRAME_HI] = words[CONTROL.FRAME_HI]! + (low >>> 0 < words[CONTROL.FRAME_LO]! >>> 0 ? 1 : 0);
  words[fault + FAULT.VALUE] = value;
  Atomics.store(words, ring + RING.WRITE, (write + 1) | 0);
}

/** The module in lane `lane` of a step failed and began anew. One that does so often is bypassed. */
export function countFailure(thread: DspThread, step: number, lane: number, kind: number, offset: number, value: number): void {
  const { words } = thread;
  const slot = words[step + STEP.SLOTS + lane]!;
  const health = healthAt(slot);
  const now = words[CONTROL.FRAME_LO]!;
  words[health + HEALTH.FAULTS] = (words[health + HEALTH.FAULTS]! + 1) | 0;
  tell(thread, kind, slot, offset, value);
  if ((now - words[health + HEALTH.SINCE]!) >>> 0 >= words[CONTROL.SAMPLE_RATE]!) {
    words[health + HEALTH.SINCE] = now;
    words[health + HEALTH.RECENT] = 0;
  }
  const recent = words[health + HEALTH.RECENT]! + 1;
  words[health + HEALTH.RECENT] = recent;
  if (recent < OFTEN) return;
  words[health + HEALTH.RECENT] = 0;
  Atomics.or(words, (words[step + STEP.STATE]! >> 2) + STATE.MUTED, 1 << lane);
  tell(thread, FAULT_OFTEN, slot, offset, recent);
}

/** Bypasses all modules that a step computes. @returns false when there are none, or all are bypassed already */
export function bypass(thread: DspThread, step: number, kind: number, value: number): boolean {
  const { words } = thread;
  const muted = (words[step + STEP.STATE]! >> 2) + STATE.MUTED;
  const lanes = words[step + STEP.LANES]! & ~Atomics.load(words, muted);
  if (lanes === 0) return false;
  Atomics.or(words, muted, lanes);
  for (let lane = 0; lane < PACK_LANES; lane++) {
    if ((lanes & (1 << lane)) === 0) continue;
    const slot = words[step + STEP.SLOTS + lane]!;
    words[healthAt(slot) + HEALTH.FAULTS] = (words[healthAt(slot) + HEALTH.FAULTS]! + 1) | 0;
    tell(thread, kind, slot, 0, value);
  }
  return true;
}
