// The dispatcher under what may arrive: nothing it does may throw, hang, or keep memory.
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '#src/osc/commands.js';
import { CONTROL } from '#src/shared/layout.js';
import { fuzzer, PACKETS } from './fuzzer.js';
import { tag, TestDispatcher, TestSpace } from './rig.js';

const COUNT = PACKETS / 5;
const ADDRESSES = [
  ...[
    '/vcf/cutoff',
    '/vcf/mode',
    '/vcf/gate',
    '/vcf',
    '/pad/poles',
    '/pad/poles/3',
    '/pad/poles/99',
    '/keys/note',
    '/keys/off',
    '/keys/trig',
  ],
  ...['/keys/xy', '/*/cutoff', '/{vcf,pad}/*', '/pad/[a-p]*/?', '/engine/*', '/1/fader1', '/nothing', '/fail', '/größe', '/'],
  ...COMMANDS.slice(0, 8).map(({ address }) => address),
];

describe('fuzzing', () => {
  it(`${COUNT} packets do no harm to the dispatcher`, { timeout: 60_000 + COUNT }, () => {
    const arena = new TestSpace();
    arena.frame = 48_000;
    const modules = [arena.module('vcf'), arena.module('pad', { voices: 4 }), arena.module('keys', { type: 'keys' })];
    const aliases = [{ address: '/1/fader1', id: 'vcf', param: 'cutoff', range: [200, 8000] }] as const;
    const d = new TestDispatcher(arena, modules, { aliases });
    const watcher = { ...d.client, isStream: true, send: () => true };
    d.replies.watch(watcher, true);
    const { seed, packetAt } = fuzzer(ADDRESSES, [1n, 0n, tag(0), tag(2), tag(1e6), 2n ** 64n - 1n]);
    let [sets, internal] = [0, 0];
    let largest = 0;
    for (let i = 0; i < COUNT; i++) {
      const packet = packetAt(i);
      const where = (): string => `packet ${i} of seed ${seed}: ${Buffer.from(packet).toString('hex')}`;
      d.now += 20;
      try {
        d.dispatcher.receive(packet, d.client);
      } catch (error) {
        throw new Error(where(), { cause: error });
      }
      for (const command of arena.commands()) {
        if (command.kind === 1 && !Number.isFinite(command.value)) expect.fail(`${command.value} went into the engine: ${where()}`);
        sets++;
      }
      for (const heard of d.client.takeHeard())
        if (String(heard[2]).startsWith('internal error')) expect.fail(`${String(heard[2])}: ${where()}`);
      if (i % 10_000 === 0) largest = Math.max(largest, process.memoryUsage().arrayBuffers);
      if (i === 10_000) internal = process.memoryUsage().arrayBuffers;
    }
    expect(sets).toBeGreaterThan(COUNT / 20);
    expect(d.counter(CONTROL.OSC_PACKETS)).toBe(COUNT);
    // Of a header that says 2 GiB nothing may be made.
    expect(largest - internal).toBeLessThan(64 * 2 ** 20);
  });
});
