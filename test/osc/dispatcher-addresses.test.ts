// Addresses that stand for others: aliases and patterns.
import { describe, expect, it } from 'vitest';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { float, PACKED, PAD, fourModules, VCF } from './rig.js';

describe('aliases', () => {
  const aliases = [
    { address: '/1/fader1', id: 'vcf', param: 'cutoff', range: [200, 3200] },
    { address: '/1/fader2', id: 'vcf', param: 'resonance', range: [1, 0] },
    { address: '/1/toggle', id: 'vcf', param: 'mode', range: [0, 2] },
    { address: '/1/gone', id: 'nobody', param: 'cutoff', range: [0, 1] },
  ] as const;

  it('maps 0..1 on the range, along the curve of the parameter', () => {
    const d = fourModules({ aliases });
    for (const value of [0, 0.25, 1]) d.send('/1/fader1', float(value));
    for (const value of [0, 0.25, 1]) d.send('/1/fader2', float(value));
    for (const value of [0.2, 0.3, 1]) d.send('/1/toggle', float(value));
    expect(d.arena.commands().map(({ value }) => value)).toEqual([200, 400, 3200, 1, 0.75, 0, 0, 1, 2]);
  });

  it('clamps, answers, refuses', () => {
    const d = fourModules({ aliases });
    d.send('/1/fader1', float(1.5));
    d.send('/1/fader1');
    d.send('/vcf/cutoff', 400);
    d.send('/1/fader1');
    d.send('/1/fader2');
    d.send('/1/fader1', 'half');
    d.send('/1/gone', 1);
    expect(d.client.heard.slice(0, 4)).toEqual([
      ['/clamped', '/1/fader1', 1.5, 1],
      ['/1/fader1', 1],
      ['/1/fader1', 0.25],
      ['/1/fader2', 0], // 1.5 is beyond its range
    ]);
    expect(d.client.heard.slice(4).map(([, address]) => address)).toEqual(['/1/fader1', '/1/gone']);
  });

  it('follows the patch', () => {
    const d = fourModules({ aliases });
    d.tell({ aliases: [{ address: '/x', id: 'pad', param: 'poles', range: [1, 8] }] });
    d.send('/1/fader1', 1);
    d.send('/x', 1);
    expect(d.arena.commands().map(({ slot, value }) => [slot, value])).toEqual([[PAD, 8]]);
  });
});

describe('patterns', () => {
  it.each([
    ['/*/cutoff', ['vcf', 'pad', 'packed']],
    ['/{vcf,pad}/cutoff', ['vcf', 'pad']],
    ['/p??/cutoff', ['pad']],
    ['/[a-p]*/cutoff', ['pad', 'packed']],
    ['/pad/cutoff/*', ['pad', 'pad', 'pad', 'pad']],
    ['/pad/cutoff/[13]', ['pad', 'pad']],
    ['/*/nothing', []],
  ])('%s', (pattern, ids) => {
    const d = fourModules();
    const slots = { vcf: VCF, pad: PAD, packed: PACKED } as Record<string, number>;
    for (let turn = 0; turn < 2; turn++) {
      d.send(pattern, 100);
      expect(d.arena.commands().map(({ slot }) => slot)).toEqual(ids.map((id) => slots[id]));
    }
    expect(d.client.heard.length).toBe(ids.length === 0 ? 2 : 0);
  });

  it('reaches modules that come after it was first used', () => {
    const d = fourModules();
    d.send('/*/cutoff', 100);
    d.tell({ modules: [d.arena.module('new')] });
    d.arena.commands();
    d.send('/*/cutoff', 100);
    expect(d.arena.commands()).toHaveLength(4);
  });

  it('queries and tells of each address by its own', () => {
    const d = fourModules();
    d.send('/{vcf,packed}/poles');
    d.send('/{vcf,packed}/poles', 99);
    expect(d.client.heard).toEqual([
      ['/vcf/poles', 4],
      ['/packed/poles', 4],
      ['/clamped', '/vcf/poles', 99, 8],
      ['/clamped', '/packed/poles', 99, 8],
    ]);
  });

  it('does not reach commands that edit the patch', () => {
    const d = fourModules();
    d.send('/engine/{version,quit}');
    d.send('/*/notify', 0);
    d.send('/engine/patch/*', 'x');
    expect(d.asked.map(({ address }) => address)).toEqual(['/engine/version']);
    expect(d.client.heard).toEqual([
      ['/fail', '/*/notify', 'the pattern reaches nothing'],
      ['/fail', '/engine/patch/*', expect.stringMatching(/do not reach commands/)],
    ]);
  });

  it('may cost only so much a packet', () => {
    const d = fourModules();
    d.send(`/${'{a,b}'.repeat(40)}*`, 1);
    d.tell({ modules: Array.from({ length: 100 }, (_, i) => d.arena.module(`pad${i}`, { voices: 16 })) });
    const all = Array.from({ length: 1000 }, () => encodeMessage('/pad*/cutoff/*', [100]));
    d.dispatcher.receive(encodeBundle(1n, all), d.client);
    expect(d.client.heard.at(-1)).toEqual(['/fail', '/pad*/cutoff/*', expect.stringMatching(/too/)]);
    expect(d.arena.commands().length).toBeLessThan(40_000);
  });
});
