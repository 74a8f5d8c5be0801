// The arena: no two things at one place.
import { describe, expect, it } from 'vitest';
import * as layout from '#src/shared/layout.js';

const LINE_W = 32;
/** Names of a record whose places are the same. */
function clashes(record: Record<string, number>, width: (name: string) => number = () => 1): string[] {
  const owner = new Map<number, string>();
  return Object.entries(record).flatMap(([name, first]) => {
    const found: string[] = [];
    for (let at = first; at < first + width(name); at++) {
      if (owner.has(at)) found.push(`${owner.get(at)} and ${name}`);
      owner.set(at, name);
    }
    return found;
  });
}
const without = (record: Record<string, number>, ...names: string[]): Record<string, number> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));

describe('the arena', () => {
  it('has one name for each word of the control block; a frame count has three words', () => {
    expect(clashes(layout.CONTROL, (name) => (name.endsWith('_HI') ? 2 : 1))).toEqual([]);
    expect(Math.max(...Object.values(layout.CONTROL))).toBeLessThan(layout.workerWord(0, 0));
  });

  it.each([
    ['WORKER', layout.WORKER],
    ['RING', layout.RING],
    ['COMMAND', without(layout.COMMAND, 'WORDS')],
    ['PENDING', without(layout.PENDING, 'WORDS')],
    ['BLOCK_EVENT', without(layout.BLOCK_EVENT, 'WORDS')],
    ['SLOT', without(layout.SLOT, 'WORDS')],
    ['PLAN', without(layout.PLAN, 'WORDS')],
    ['PARTITION', without(layout.PARTITION, 'WORDS')],
    ['SEGMENT', without(layout.SEGMENT, 'WORDS')],
    ['STEP', layout.STEP],
    ['FAULT', without(layout.FAULT, 'WORDS')],
    ['STATE', without(layout.STATE, 'HEADER_BYTES')],
    ['PARAM', without(layout.PARAM, 'VECTORS')],
    ['NOTE', without(layout.NOTE, 'COUNT')],
    ['KEY_ROW', without(layout.KEY_ROW, 'WORDS')],
  ])('has one name for each word of %s', (_, record) => expect(clashes(record)).toEqual([]));

  it('has room in each record for its words', () => {
    for (const record of [layout.COMMAND, layout.BLOCK_EVENT, layout.SLOT, layout.PLAN, layout.PARTITION, layout.SEGMENT])
      expect(Math.max(...Object.values(without(record, 'WORDS')))).toBeLessThan(record.WORDS);
    expect(Math.max(...Object.values(layout.WORKER))).toBeLessThan(LINE_W);
  });

  it('keeps what different threads write on different lines', () => {
    const { CONTROL, RING } = layout;
    const line = (word: number): number => Math.floor(word / LINE_W);
    // Configuration; host's tick; gates; plans; what the leader counts; what the host counts.
    const words = [CONTROL.RUN, CONTROL.TICK, CONTROL.BLOCK_GATE, CONTROL.DONE_GATE, CONTROL.PLAN, CONTROL.NEXT_PLAN];
    words.push(CONTROL.FRAME_LO, CONTROL.HOST_FRAME_LO);
    expect(new Set(words.map(line)).size).toBe(words.length);
    expect(line(RING.READ)).not.toBe(line(RING.WRITE));
  });

  it('lays its regions one behind the other', () => {
    const { RING } = layout;
    const regions: [number, number][] = [
      [layout.workerWord(0, 0), (layout.MAX_WORKERS + 1) * LINE_W],
      [layout.OUTPUT_RING_W, RING.DATA + layout.RING_FRAMES * layout.MAX_CHANNELS],
      [layout.TAP_RING_W, RING.DATA + layout.TAP_FRAMES * layout.MAX_CHANNELS],
      [layout.COMMANDS_CONTROL_W, RING.DATA + layout.COMMAND_SLOTS * layout.COMMAND.WORDS],
      [layout.COMMANDS_OSC_W, RING.DATA + layout.COMMAND_SLOTS * layout.COMMAND.WORDS],
      [layout.COMMANDS_SCRIPT_W, RING.DATA + layout.COMMAND_SLOTS * layout.COMMAND.WORDS],
      [layout.PENDING_W, layout.PENDING_MAX * layout.PENDING.WORDS],
      [layout.PENDING_ORDER_W, layout.PENDING_MAX],
      [layout.BLOCK_EVENTS_W, layout.BLOCK_EVENTS_MAX * layout.BLOCK_EVENT.WORDS],
      [layout.SLOTS_W, layout.MAX_SLOTS * layout.SLOT.WORDS],
      [layout.HEALTH_W, layout.MAX_SLOTS * layout.HEALTH.WORDS],
      [layout.faultRing(0), (layout.MAX_WORKERS + 1) * (RING.DATA + layout.FAULT_SLOTS * layout.FAULT.WORDS)],
    ];
    regions.forEach(([first, words], i) => expect(first + words).toBeLessThanOrEqual(regions[i + 1]?.[0] ?? layout.HEAP / 4));
  });
});
