// On the way of a parameter nothing is allocated.
import { describe, expect, it } from 'vitest';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { COMMAND } from '#src/shared/layout.js';
import { tag, TestDispatcher, TestSpace } from './rig.js';

const MESSAGES = 100;

/** Sets of all kinds of parameters, by all kinds of numbers. */
const sets = (i: number): Uint8Array[] => [
  encodeMessage('/vcf/cutoff', [{ type: 'f', value: 440.5 + i }]),
  encodeMessage('/vcf/resonance', [{ type: 'd', value: i / 100 }]),
  encodeMessage('/vcf/poles', [1 + (i % 8)]),
  encodeMessage('/vcf/gate', [i % 2 === 0]),
  encodeMessage('/pad/cutoff/2', [{ type: 'f', value: 100.25 + i }]),
  encodeMessage('/pad/cutoff', [100, 200, 300, 400]),
  encodeMessage('/1/fader1', [{ type: 'f', value: i / 100 }]),
  encodeMessage('/p*/resonance', [{ type: 'f', value: i / 100 }]),
];

describe('memory', () => {
  it.each([
    ['now', 1n],
    ['later', tag(2)],
  ])('is not taken for parameters set %s', (_, time) => {
    const arena = new TestSpace();
    const aliases = [{ address: '/1/fader1', id: 'vcf', param: 'cutoff', range: [200, 8000] }] as const;
    const d = new TestDispatcher(arena, [arena.module('vcf'), arena.module('pad', { voices: 4 })], { aliases });
    const packet = encodeBundle(
      time,
      Array.from({ length: MESSAGES }, (__, i) => sets(i)[i % 8]!),
    );
    const record = new Int32Array(COMMAND.WORDS);
    const receive = (packets: number): void => {
      for (let i = 0; i < packets; i++) {
        d.dispatcher.receive(packet, d.client);
        while (arena.ring.pop(record, 0));
      }
    };
    receive(3000);
    // What else goes on in this process, or a collection, may fall into one turn, not into all.
    const turns = Array.from({ length: 20 }, () => {
      const before = process.memoryUsage().heapUsed;
      receive(100);
      return process.memoryUsage().heapUsed - before;
    });
    const perMessage = turns.filter((bytes) => bytes > 0).sort((a, b) => a - b)[0]! / (100 * MESSAGES);
    expect(perMessage).toBeLessThan(1);
    expect(d.client.heard).toEqual([]);
  });
});
