// Cables that were bypassed for what was sent through them: nobody can revive them, so they come back by themselves.
import { afterEach, expect, it, vi } from 'vitest';
import { Arena } from '#src/control/arena.js';
import type { FaultEvent } from '#src/control/events.js';
import { Faults } from '#src/control/faults.js';
import { Instances } from '#src/control/instances.js';
import { cables } from '#src/dsp/cables.js';
import { FAULT, FAULT_LATE, FAULT_OFTEN, FAULT_SLOTS, faultRing, RING, STATE } from '#src/shared/layout.js';
import { tell } from '#src/realtime/faults.js';
import type { DspThread } from '#src/realtime/thread.js';

afterEach(() => void vi.useRealTimers());

function oneMixer() {
  const arena = new Arena(1024 * 1024);
  const instances = new Instances(arena, 48_000);
  const events: FaultEvent[] = [];
  const faults = new Faults(arena, instances, (event) => events.push(event));
  const gains = Object.keys(cables.params).map(() => [1]);
  const mixer = instances.create('the cable mixer before vcf.in', cables, 1, gains, 0, false);
  return { arena, faults, mixer, events };
}

it('cables are named by where they lead, and rest for a second', () => {
  vi.useFakeTimers();
  const { arena, faults, mixer, events } = oneMixer();
  // As the thread does that bypasses it.
  Atomics.or(arena.words, mixer.state / 4 + STATE.MUTED, 1);
  const record = faultRing(0) + RING.DATA;
  arena.words[record + FAULT.KIND] = FAULT_OFTEN;
  arena.words[record + FAULT.SLOT] = mixer.address;
  arena.words[record + FAULT.VALUE] = 8;
  Atomics.store(arena.words, faultRing(0) + RING.WRITE, 1);
  faults.drain();
  expect(events).toMatchObject([
    { what: 'nan', message: 'the cable mixer before vcf.in failed 8 times within a second and is bypassed', bypassed: true },
  ]);
  expect(events[0]).not.toHaveProperty('id');
  vi.advanceTimersByTime(900);
  expect(faults.isBypassed(mixer)).toBe(true);
  vi.advanceTimersByTime(200);
  expect(faults.isBypassed(mixer)).toBe(false);
});

it('a thread that dies in a cable mixer does not silence it', () => {
  const { faults, mixer, events } = oneMixer();
  faults.bypass(mixer, 'stuck', 'did not end', 0, 0);
  expect(faults.isBypassed(mixer)).toBe(false);
  expect(events).toEqual([]);
});

it('faults that are too many to be told are counted, and cables among them come back', () => {
  vi.useFakeTimers();
  const { arena, faults, mixer, events } = oneMixer();
  const thread = { words: arena.words, index: 1 } as DspThread;
  for (let i = 0; i < FAULT_SLOTS; i++) tell(thread, FAULT_LATE, -1, 0, 1);
  faults.drain();
  expect(events.length + faults.untold).toBe(FAULT_SLOTS);
  for (let i = 0; i < FAULT_SLOTS; i++) tell(thread, FAULT_LATE, -1, 0, 1);
  Atomics.or(arena.words, mixer.state / 4 + STATE.MUTED, 1);
  for (let i = 0; i < 3; i++) tell(thread, FAULT_OFTEN, mixer.address, 0, 8);
  faults.drain();
  expect(events.length + faults.untold).toBe(2 * FAULT_SLOTS + 3);
  vi.advanceTimersByTime(1100);
  expect(faults.isBypassed(mixer)).toBe(false);
});
