// What is told to whom: mistakes, answers to strangers, and those who watch.
import { describe, expect, it } from 'vitest';
import { CONTROL } from '#src/shared/layout.js';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { REPLY_LIMITS } from '#src/osc/replies.js';
import { float, fourModules, RATE, TestClient } from './rig.js';

describe('mistakes', () => {
  it.each([
    ['/vcf/cutof', /vcf has no 'cutof'; did you mean 'cutoff'/],
    ['/vfc/cutoff', /did you mean '\/vcf\/cutoff'/],
    ['/engine/versoin', /did you mean '\/engine\/version'/],
    ['/1/fade', /no such address; did you mean '\/1\/fader'/],
    ['/keys/trigg', /did you mean 'trig'/],
    ['/xyz', /no such address/],
  ])('%s', (address, why) => {
    const d = fourModules({ aliases: [{ address: '/1/fader', id: 'vcf', param: 'cutoff', range: [200, 8000] }] });
    d.send(address, 1);
    expect(d.client.heard).toEqual([['/fail', address, expect.stringMatching(why)]]);
  });

  it('are told of 50 times a second', () => {
    const d = fourModules();
    for (let i = 0; i < 80; i++) d.send('/nothing', 1);
    expect(d.client.takeHeard()).toHaveLength(50);
    d.now = 1000;
    d.send('/nothing', 1);
    expect(d.client.heard).toEqual([['/fail', '/nothing', expect.stringMatching(/and 30 other failures/)]]);
  });

  it('are told of however long the address is', () => {
    const d = fourModules();
    const watcher = new TestClient(9);
    d.replies.watch(watcher, true);
    d.arena.frame = RATE;
    d.send(`/${'ü'.repeat(3000)}`, 'x'.repeat(5000));
    d.sendAt(0, `/*{${'z'.repeat(200)},cutoff,/cutoff}`, 100);
    expect([...d.client.heard, ...watcher.heard].map(([what]) => what)).toEqual([
      '/fail',
      '/late',
      '/late',
      '/late',
      '/monitor',
      '/monitor',
    ]);
    expect(d.client.heard[0]![1]).toMatch(/^\/ü{148}…$/);
    expect(Math.max(d.client.bytes, watcher.bytes)).toBeLessThan(1400);
  });

  it('are no cause to answer an answer', () => {
    const d = fourModules();
    for (const address of ['/done', '/fail', '/late', '/clamped', '/monitor', '/fail/again']) d.send(address, 'x');
    expect(d.client.heard).toEqual([]);
    d.send('/failure');
    expect(d.client.heard).toHaveLength(1);
  });

  it('of the packet are refused as a whole', () => {
    const d = fourModules();
    const packet = Buffer.from(encodeBundle(1n, [encodeMessage('/vcf/cutoff', [100]), encodeMessage('/vcf/cutoff', [200])]));
    packet.writeInt32BE(2 ** 30, 16 + 4 + 20);
    d.dispatcher.receive(packet, d.client);
    expect(d.arena.commands()).toEqual([]);
    expect(d.client.heard).toEqual([['/fail', 'packet', expect.stringMatching(/larger than what contains it, at byte 40/)]]);
    expect(d.counter(CONTROL.OSC_FAULTS)).toBe(1);
    expect([d.counter(CONTROL.OSC_PACKETS), d.counter(CONTROL.OSC_MESSAGES)]).toEqual([1, 0]);
  });

  it('of our own are told, and what follows is carried out', () => {
    const fault = (): never => {
      throw new Error('oh no');
    };
    const d = fourModules({ desk: { command: fault, unknown: () => false } });
    d.dispatcher.receive(encodeBundle(1n, [encodeMessage('/engine/version'), encodeMessage('/vcf/cutoff', [100])]), d.client);
    expect(d.client.heard).toEqual([['/fail', '/engine/version', expect.stringMatching(/internal error.*oh no/)]]);
    expect(d.arena.commands()).toHaveLength(1);
  });
});

describe('who asks', () => {
  it('is not told more than so many values a second', () => {
    const d = fourModules();
    for (let i = 0; i < REPLY_LIMITS.answers / 4; i++) d.send('/pad/cutoff/*');
    expect(d.client.takeHeard()).toHaveLength(REPLY_LIMITS.answers);
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toEqual([['/fail', '/pad/cutoff', 'more than 20000 answers in a second']]);
    d.now = 1000;
    d.send('/pad/cutoff');
    expect(d.client.heard).toHaveLength(1);
  });

  it('and does not read, is not answered', () => {
    const d = fourModules();
    const deaf = Object.assign(new TestClient(2), { isFull: () => true });
    d.dispatcher.receive(encodeMessage('/*/*'), deaf);
    expect(deaf.heard.filter(([what]) => what !== '/fail' && what !== '/done')).toEqual([]);
  });
});

describe('strangers', () => {
  it('never get more than they have sent', () => {
    const d = fourModules();
    const stranger = new TestClient(2, { isLocal: false });
    for (const address of ['/pad/cutoff', '/*/*', '/vcf/gate', '/nothing', '/pad/mode', '/*/poles', '/*{/,x,x,x,x,x,x,x,x}poles']) {
      const packet = encodeMessage(address);
      stranger.bytes = 0;
      d.dispatcher.receive(packet, stranger);
      expect(stranger.bytes).toBeLessThanOrEqual(packet.length);
    }
    expect(stranger.heard.length).toBeGreaterThan(0);
  });

  it('are everybody on this machine if it is not trusted, until they register', () => {
    const d = fourModules({ trustLoopback: false });
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toEqual([]);
    d.replies.register(d.client, d.client);
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toHaveLength(1);
    d.replies.gone(d.client);
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toEqual([]);
  });
});

describe('watching', () => {
  it('tells what arrives and what it did, 1000 times a second', () => {
    const d = fourModules();
    const watcher = new TestClient(9);
    d.replies.watch(watcher, true);
    d.send('/vcf/cutoff', float(0.4), 'two');
    d.send('/vcf/cutoff', 100);
    d.send('/vcf/cutoff');
    d.send('/pad/cutoff', []);
    d.send('/nothing');
    expect(watcher.takeHeard()).toEqual([
      ['/monitor', 'udp test:1', '/vcf/cutoff', '0.4 "two"', 'refused: takes one value'],
      ['/monitor', 'udp test:1', '/vcf/cutoff', '100', 'sent'],
      ['/monitor', 'udp test:1', '/vcf/cutoff', '', 'answered'],
      ['/monitor', 'udp test:1', '/pad/cutoff', '[]', 'nothing'],
      ['/monitor', 'udp test:1', '/nothing', '', 'refused: no such address'],
    ]);
    for (let i = 0; i < 1010; i++) d.send('/vcf/cutoff', 100);
    expect(watcher.takeHeard()).toHaveLength(995);
    d.now = 1000;
    d.send('/vcf/cutoff', 100);
    expect(watcher.heard[0]).toEqual(['/monitor', '', '', '', '15 not shown']);
  });
});
