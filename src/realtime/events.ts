// Events of a block: the leader deals them out to partitions, whoever runs a partition applies them at their frame.
import {
  BLOCK_EVENT,
  BLOCK_EVENTS_MAX,
  BLOCK_EVENTS_W,
  COMMAND,
  COMMAND_ADD,
  COMMAND_NOTE,
  COMMAND_SET,
  CONTROL,
  MAX_SLOTS,
  PARTITION,
  PENDING_DEALT,
  PENDING_FREE,
  PLAN,
  SLOT,
  SLOTS_W,
} from '../shared/layout.js';
import { playNote } from './notes.js';
import { addToParam, setParam } from './params.js';
import { dropFirst, framesToFirst, pendingAt } from './pending.js';

/** Word index of block event `i`. */
export const blockEventAt = (i: number): number => BLOCK_EVENTS_W + i * BLOCK_EVENT.WORDS;

/** Byte address of the state of the module that the event at word `event` is for, 0 when it is gone. */
function stateOf(words: Int32Array, event: number): number {
  const slot = words[event + COMMAND.SLOT]!;
  const at = SLOTS_W + (slot & (MAX_SLOTS - 1)) * SLOT.WORDS;
  return Atomics.load(words, at + SLOT.GENERATION) === slot >>> 16 ? Atomics.load(words, at + SLOT.STATE) : 0;
}

/** Word index of the partition in which the event's module runs, 0 when it is not in the plan. */
function partitionOf(words: Int32Array, plan: number, event: number): number {
  if (plan === 0) return 0;
  const slot = words[event + COMMAND.SLOT]! & (MAX_SLOTS - 1);
  const partition = words[(words[plan + PLAN.SLOT_PARTITION]! >> 2) + slot]!;
  return partition < 0 ? 0 : (words[plan + PLAN.PARTITIONS]! >> 2) + partition * PARTITION.WORDS;
}

/** Appends block event `index` to the partition's list. Events come in the order of their frames, so the list is sorted. */
function append(words: Int32Array, partition: number, index: number): void {
  if (words[partition + PARTITION.EVENTS]! < 0) words[partition + PARTITION.EVENTS] = index;
  else words[blockEventAt(words[partition + PARTITION.LAST_EVENT]!) + BLOCK_EVENT.NEXT] = index;
  words[partition + PARTITION.LAST_EVENT] = index;
}

/**
 * Deals the events of the block that begins at FRAME to the partitions of `plan` (a word index, 0 = none). An event for a
 * module that is not in the plan is applied to its state at once. When a block has more events than fit, the rest stay
 * for the next one and are late.
 * @returns how many were taken out of the heap
 */
export function dealEvents(words: Int32Array, floats: Float32Array, plan: number, frames: number): number {
  let dealt = 0;
  let taken = 0;
  for (let offset = framesToFirst(words); offset < frames && dealt < BLOCK_EVENTS_MAX; offset = framesToFirst(words)) {
    const event = pendingAt(words, 0);
    if (offset < 0) Atomics.add(words, CONTROL.LATE_EVENTS, 1);
    const state = stateOf(words, event);
    const partition = state === 0 ? 0 : partitionOf(words, plan, event);
    if (state === 0) {
      Atomics.add(words, CONTROL.STALE_EVENTS, 1);
    } else {
      const to = blockEventAt(dealt);
      words[to + BLOCK_EVENT.NEXT] = -1;
      words[to + BLOCK_EVENT.OFFSET] = offset < 0 ? 0 : offset;
      words[to + BLOCK_EVENT.STATE] = state;
      words[to + BLOCK_EVENT.PARAM] = words[event + COMMAND.PARAM]!;
      words[to + BLOCK_EVENT.VOICE] = words[event + COMMAND.VOICE]!;
      words[to + BLOCK_EVENT.VALUE] = words[event + COMMAND.VALUE]!;
      words[to + BLOCK_EVENT.RAMP] = words[event + COMMAND.RAMP]!;
      words[to + BLOCK_EVENT.KIND] = words[event + COMMAND.KIND]!;
      if (partition === 0) applyEvent(words, floats, to);
      else append(words, partition, dealt++);
    }
    dropFirst(words, partition === 0 ? PENDING_FREE : PENDING_DEALT);
    taken++;
  }
  return taken;
}

/** Applies the block event at word `event` to its module. An event that means nothing to it (a parameter or voice it lacks) counts as stale. */
export function applyEvent(words: Int32Array, floats: Float32Array, event: number): void {
  if (!apply(words, floats, event)) Atomics.add(words, CONTROL.STALE_EVENTS, 1);
}

function apply(words: Int32Array, floats: Float32Array, event: number): boolean {
  const state = words[event + BLOCK_EVENT.STATE]! >> 2;
  const param = words[event + BLOCK_EVENT.PARAM]!;
  const voice = words[event + BLOCK_EVENT.VOICE]!;
  const value = words[event + BLOCK_EVENT.VALUE]!;
  const ramp = words[event + BLOCK_EVENT.RAMP]!;
  switch (words[event + BLOCK_EVENT.KIND]) {
    case COMMAND_SET:
      return setParam(words, floats, state, param, voice, value, ramp);
    case COMMAND_ADD:
      return addToParam(words, floats, state, param, voice, value);
    case COMMAND_NOTE:
      // A note has its key in place of a voice and its velocity in place of a parameter.
      return playNote(words, floats, state, voice, value, param, ramp);
    default:
      return false;
  }
}
