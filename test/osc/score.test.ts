import { describe, expect, it } from 'vitest';
import { COMMAND, CONTROL, PENDING_MAX } from '#src/shared/layout.js';
import { CommandRing } from '#src/shared/ring.js';
import { dropFirst, pendingAt, takeCommands } from '#src/realtime/pending.js';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { playScore, SCORE_EVENTS_MAX } from '#src/osc/score.js';
import { RATE, TestSpace, TYPES } from './rig.js';
import { generator } from './random.js';

/** A file: at each time in seconds, messages. */
const score = (...entries: readonly (readonly [number, ...Uint8Array[]])[]): Uint8Array =>
  Buffer.concat(
    entries.map(([seconds, ...messages]) => {
      const packet = encodeBundle(BigInt(Math.round(seconds * 2 ** 32)), messages);
      const length = Buffer.alloc(4);
      length.writeInt32BE(packet.length);
      return Buffer.concat([length, packet]);
    }),
  );
const set = (value: number, id = 'vcf'): Uint8Array => encodeMessage(`/${id}/cutoff`, [value]);

function rig() {
  const arena = new TestSpace();
  const modules = [arena.module('vcf'), arena.module('keys', { type: 'keys' })];
  const play = (bytes: Uint8Array) =>
    playScore({ memory: arena.buffer, table: { kind: 'table', types: TYPES, modules, removed: [] } }, bytes);
  return { arena, play };
}

/** Takes all events as the leader would: frames and values in the order in which they are due. */
function due(arena: TestSpace): [number, number][] {
  const events: [number, number][] = [];
  const ring = new CommandRing(arena.buffer, arena.ring.base);
  for (;;) {
    takeCommands(arena.words, ring, 0);
    if (arena.words[CONTROL.PENDING] === 0) return events;
    const first = pendingAt(arena.words, 0);
    events.push([arena.words[first + COMMAND.FRAME_LO]!, arena.floats[first + COMMAND.VALUE]!]);
    dropFirst(arena.words);
  }
}

describe('scores', () => {
  it('put everything on its frame', () => {
    const { arena, play } = rig();
    const note = encodeMessage('/keys/note', ['c5', 100, { type: 'f', value: 0.5 }]);
    const summary = play(score([0, set(100)], [0.25, set(101), note], [1 / 3, set(102)], [7200, set(103)]));
    expect(summary).toEqual({ events: 5, lastFrame: 7200 * RATE });
    expect(due(arena)).toEqual([
      [0, 100],
      [RATE / 4, 101],
      [RATE / 4, 1],
      [RATE / 3, 102],
      [7200 * RATE, 103],
    ]);
  });

  it('are as exact for 10,000 bundles at random times, in any order', () => {
    const { below } = generator();
    const { arena, play } = rig();
    const frames = Array.from({ length: 10_000 }, () => below(600 * RATE));
    play(score(...frames.map((frame, i) => [frame / RATE, set(100 + i)] as const)));
    const expected = frames.map((frame, i): [number, number] => [frame, 100 + i]).sort(([a], [b]) => a - b);
    expect(due(arena)).toEqual(expected);
  });

  it('may be as long as heap and ring', () => {
    const { arena, play } = rig();
    const entries = Array.from({ length: SCORE_EVENTS_MAX }, (_, i) => [100 - i / 1000, set(100)] as const);
    expect(play(score(...entries)).events).toBe(SCORE_EVENTS_MAX);
    expect(arena.words[CONTROL.PENDING]).toBeLessThan(PENDING_MAX);
    const frames = due(arena).map(([frame]) => frame);
    expect(frames).toEqual(entries.map(([seconds]) => Math.round(seconds * RATE)).reverse());
    expect(() => rig().play(score(...entries, [99, set(100)]))).toThrow(/has 30,721 events, and 30,720 fit; render it in parts/);
  });

  it('say all that cannot be done, with its time, and then do nothing', () => {
    const { arena, play } = rig();
    const wrong = score(
      [0, set(100)],
      [1.5, encodeMessage('/engine/module/remove', ['vcf'])],
      [2, set(100, 'vfc'), encodeMessage('/vcf/cutoff', [NaN])],
      [2.5, encodeMessage('/engine/version')],
    );
    expect(() => play(wrong)).toThrow(
      /1\.5 s: \/engine\/module\/remove: is not for scores[^]*2 s: \/vfc\/cutoff: .*did you mean '\/vcf\/cutoff'[^]*2 s: \/vcf\/cutoff: .*finite[^]*2\.5 s: \/engine\/version/,
    );
    expect(due(arena)).toEqual([]);
    const many = Array.from({ length: 1000 }, (_, i) => [i, set(1, 'nobody')] as const);
    expect(() => play(score(...many))).toThrow(/… and 980 more$/);
  });

  it('say where they are broken', () => {
    const { play } = rig();
    const good = score([0, set(100)]);
    expect(() => play(Buffer.concat([good, Buffer.from([0, 0])]))).toThrow(new RegExp(`broken at byte ${good.length}`));
    expect(() => play(Buffer.concat([good, Buffer.from([0x7f, 0xff, 0xff, 0xfc])]))).toThrow(/no packet of 2147483644 bytes follows/);
    expect(() => play(good.subarray(0, good.length - 4))).toThrow(/broken at byte 0/);
    expect(() => play(Buffer.concat([good, Buffer.from([0, 0, 0, 4, 1, 2, 3, 4])]))).toThrow(/0 s: packet: neither a message nor a bundle/);
  });
});
