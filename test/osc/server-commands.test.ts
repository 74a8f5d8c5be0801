// The server's commands: what they do and what is answered.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '#src/osc/commands.js';
import { encodeMessage } from '#src/osc/encode.js';
import type { OutgoingMessage } from '#src/osc/protocol.js';
import { CONTROL, faultRing, RING } from '#src/shared/layout.js';
import { PATCH, said, stage as setStage, temporaryFolder, until } from './server-rig.js';

const root = temporaryFolder();
const stage = setStage();

describe('commands', () => {
  it('of the table are all carried out', async () => {
    const thread = await stage.serve({ patchFolders: [root], recordFolder: root, onQuit: () => {} });
    for (const { address, by, args } of COMMANDS) {
      if (by !== 'control') continue;
      const replies = said(
        await thread.ask(
          address.slice('/engine/'.length),
          args.map(({ kind }) => (kind === 'text' ? 'nothing' : 1)),
          99,
        ),
      );
      expect(['/done', '/fail']).toContain(replies.at(-1)![0]);
      expect(replies.at(-1)!.slice(1, 2)).toEqual([address]);
      expect(String(replies.at(-1)![2] ?? '')).not.toMatch(/not a function|undefined|use \/engine/);
    }
  });

  it('make, connect, ask and remove', async () => {
    const thread = await stage.serve();
    const ask = async (address: string, ...args: (number | string)[]): Promise<unknown[][]> => said(await thread.ask(address, args));
    expect(await ask('module/create', 'lfo', 'lfo1')).toEqual([['/done', '/engine/module/create', 'lfo', 'lfo1']]);
    expect(await ask('module/create', 'vco', 'vco2', 3)).toEqual([['/done', '/engine/module/create', 'vco', 'vco2']]);
    expect(await ask('cable/connect', 'lfo1.sine', 'vcf.cutoff', 0.25)).toEqual([
      ['/done', '/engine/cable/connect', 'lfo1.sine', 'vcf.cutoff'],
    ]);
    expect(await ask('cable/gain', 'lfo1.sine', 'vcf.cutoff', 2)).toEqual([['/done', '/engine/cable/gain', 'lfo1.sine', 'vcf.cutoff', 2]]);
    expect(await ask('cable/list')).toEqual([
      ['/engine/cable/list', 1, 1, 'vco.saw', 'vcf.in', 0.5, 'lfo1.sine', 'vcf.cutoff', 2],
      ['/done', '/engine/cable/list', 2],
    ]);
    expect(await ask('cable/disconnect', 'lfo1.sine', 'vcf.cutoff')).toHaveLength(1);
    expect(await ask('module/remove', 'lfo1')).toEqual([['/done', '/engine/module/remove', 'lfo1']]);
    expect((await ask('module/list'))[0]).toEqual([
      '/engine/module/list',
      1,
      1,
      'vco',
      'vco',
      1,
      'pad',
      'vco',
      4,
      'vcf',
      'vcf',
      1,
      'out',
      'out',
      1,
      'vco2',
      'vco',
      3,
    ]);
    expect((await ask('module/find', 'vco'))[0]!.slice(3)).toEqual(['vco', 'pad', 'vco2']);
    expect((await ask('module/find', '*2'))[0]!.slice(3)).toEqual(['vco2']);
    expect((await ask('module/find', 'vcp'))[0]![2]).toMatch(/neither a module type nor a module; did you mean 'vc/);
    expect((await ask('module/types'))[0]!.slice(3, 5)).toEqual([
      stage.engine.registry.list()[0]!.type,
      stage.engine.registry.list()[0]!.summary,
    ]);
    expect((await ask('module/type', 'vcf'))[0]!.slice(3, 6)).toEqual(['input', 'in', 'audio']);
    expect(await ask('module/clean')).toEqual([
      ['/engine/module/clean', 1, 1],
      ['/done', '/engine/module/clean', 0],
    ]);
  });

  it('tell of a module and of the engine', async () => {
    const thread = await stage.serve();
    await stage.engine.set('pad', 'fine', 7, { voice: 2 });
    Atomics.store(stage.engine.arena.words, CONTROL.OSC_LATE, 3);
    Atomics.store(stage.engine.arena.words, faultRing(0) + RING.DROPS, 5);
    await until(() => stage.engine.stats().untoldFaults > 0);
    const pairs = (replies: OutgoingMessage[]): Map<unknown, unknown> => {
      const items = said(replies.slice(0, -1)).flatMap(([, , , ...rest]) => rest);
      return new Map(items.flatMap((item, i) => (i % 2 === 0 ? [[item, items[i + 1]]] : [])));
    };
    const info = pairs(await thread.ask('module/info', ['pad']));
    expect(Object.fromEntries(info)).toMatchObject({
      type: 'vco',
      voices: 4,
      state: 'running',
      'params.freq': expect.closeTo(261.6, 0) as number,
    });
    const status = pairs(await thread.ask('status'));
    expect(Object.fromEntries(status)).toMatchObject({
      title: 'First',
      tempo: 100,
      modules: 4,
      voices: 7,
      cables: 1,
      'osc.late': 3,
      untoldFaults: 5,
      frame: 0,
    });
    expect([...status.values()]).not.toContain(undefined);
    expect(said(await thread.ask('module/info', ['padd']))[0]).toEqual([
      '/fail',
      '/engine/module/info',
      expect.stringMatching(/did you mean 'pad'/),
    ]);
  });

  it('tell how a script fares, but not in which folder it is', async () => {
    const thread = await stage.serve({ patchFolders: [root] });
    const modules = { s: { type: 'script', script: 'late.ts' }, out: { type: 'out' } };
    writeFileSync(join(root, 'late.ts'), 'export default { setup() { throw new Error("too late"); }, tick() {} };');
    writeFileSync(join(root, 'late.json'), JSON.stringify({ format: 'krell-patch', formatVersion: 1, title: 'Late', modules }));
    expect(said(await thread.ask('patch/load', ['late']))[0]).toEqual(['/done', '/engine/patch/load', 'Late']);
    const info = said(await thread.ask('module/info', ['s']))[0]!;
    const value = (name: string): string => String(info[info.indexOf(`script.${name}`) + 1]);
    expect([value('file'), value('state'), value('error')]).toEqual([
      join(basename(root), 'late.ts'),
      'resting',
      expect.stringMatching(/late\.ts:1:\d+: Error: too late; the module rests until/),
    ]);
    expect(info.join(' ')).not.toContain(root);
  });

  it('keep snapshots, with what OSC has set a moment ago', async () => {
    const thread = await stage.serve();
    thread.changes = [stage.change('vcf', 'cutoff', 555)];
    expect(said(await thread.ask('snapshot/save', ['now']))).toEqual([['/done', '/engine/snapshot/save', 'now']]);
    expect(stage.engine.patch.snapshots.get('now')!.find(({ id, param }) => id === 'vcf' && param === 'cutoff')!.values).toEqual([555]);
    expect(said(await thread.ask('snapshot/recall', ['low', 0.5]))).toEqual([['/done', '/engine/snapshot/recall', 'low']]);
    expect(stage.engine.patch.modules.get('vcf')!.params.get('cutoff')).toEqual([100]);
    expect(said(await thread.ask('snapshot/list'))[0]).toEqual(['/engine/snapshot/list', 1, 1, 'low', 'now']);
    await thread.ask('snapshot/remove', ['now']);
    expect([...stage.engine.patch.snapshots.keys()]).toEqual(['low']);
    expect(said(await thread.ask('snapshot/recall', ['lov']))[0]![2]).toBe("snapshots: there is no snapshot 'lov'; did you mean 'low'?");
    expect(said(await thread.ask('snapshot/recall', ['nope']))[0]![2]).toBe("snapshots: there is no snapshot 'nope'; there is low");
    await thread.ask('snapshot/remove', ['low']);
    expect(said(await thread.ask('snapshot/recall', ['nope']))[0]![2]).toBe("snapshots: there is no snapshot 'nope'; the patch has none");
    expect(said(await thread.ask('alias/remove', ['/1/fader']))[0]![2]).toMatch(/no OSC alias '\/1\/fader'; did you mean '\/1\/fader1'/);
  });

  it('set aliases, tempo and title', async () => {
    const thread = await stage.serve();
    expect(said(await thread.ask('alias/set', ['/2/x', 'vcf', 'resonance', 1, 0]))).toEqual([['/done', '/engine/alias/set', '/2/x']]);
    expect(said(await thread.ask('alias/list'))[0]!.slice(3)).toEqual([
      '/1/fader1',
      'vcf',
      'cutoff',
      200,
      8000,
      '/2/x',
      'vcf',
      'resonance',
      1,
      0,
    ]);
    expect(said(await thread.ask('alias/set', ['/2/x', 'vcf', 'resonance', 1.5]))[0]![2]).toMatch(/high is missing/);
    expect(said(await thread.ask('alias/set', ['/vco/freq', 'vcf', 'resonance']))[0]![2]).toMatch(/under '\/vco' are that module's own/);
    expect(said(await thread.ask('alias/remove', ['/2/x']))).toEqual([['/done', '/engine/alias/remove', '/2/x']]);
    expect(said(await thread.ask('tempo', [150]))).toEqual([['/done', '/engine/tempo', 150]]);
    expect(said(await thread.ask('patch/title', ['Night']))).toEqual([['/done', '/engine/patch/title', 'Night']]);
    expect(stage.engine.patch).toMatchObject({ tempo: 150, title: 'Night' });
  });

  it('quit when that is allowed', async () => {
    let quits = 0;
    const thread = await stage.serve({ onQuit: () => quits++ });
    expect(said(await thread.ask('quit'))).toEqual([['/done', '/engine/quit']]);
    await until(() => quits === 1);
    expect(said(await (await stage.serve()).ask('quit'))[0]).toEqual(['/fail', '/engine/quit', 'this program cannot be ended by OSC']);
  });

  it('of one sender are carried out in order', async () => {
    const thread = await stage.serve();
    const replies = Promise.all([
      thread.ask('module/create', ['lfo', 'x']),
      thread.ask('cable/connect', ['x.sine', 'vcf.cutoff']),
      thread.ask('module/remove', ['x']),
      thread.ask('module/list'),
    ]);
    expect((await replies).map((messages) => messages.at(-1)!.address)).toEqual(['/done', '/done', '/done', '/done']);
    expect(stage.engine.patch.modules.has('x')).toBe(false);
  });
});

describe('tokens', () => {
  it('end every reply', async () => {
    const thread = await stage.serve();
    expect(said(await thread.ask('module/remove', ['vco', 77]))).toEqual([['/done', '/engine/module/remove', 'vco', 77]]);
    expect(said(await thread.ask('module/remove', ['vco', 78]))[0]!.at(-1)).toBe(78);
    expect(said(await thread.ask('module/list', [79])).map((reply) => reply.at(-1))).toEqual([79, 79]);
    // Text may be left out before a token, a number may not: it would be one.
    expect(said(await thread.ask('patch/title', [80]))).toEqual([['/done', '/engine/patch/title', 'First', 80]]);
    expect(said(await thread.ask('tempo', [120, 81]))).toEqual([['/done', '/engine/tempo', 120, 81]]);
  });
});

describe('wrong arguments', () => {
  it.each([
    ['module/create', [], 'type is missing; use /engine/module/create type id [voices], as in /engine/module/create vco vco2'],
    ['module/create', ['vco'], 'id is missing; use'],
    ['module/create', ['vco', 5], 'id is 5, not text; use'],
    ['module/create', [null, 'x'], 'type is null, not text'],
    ['module/create', ['vco', 'x', 'three'], "voices is 'three', not a whole number; use"],
    ['tempo', ['fast'], "bpm is 'fast', not a number of beats per minute; use /engine/tempo [bpm], as in /engine/tempo 96"],
    ['tempo', [96, 'fast'], "'fast' is one argument too many"],
    ['snapshot/recall', ['low', 'slow', 7], "seconds is 'slow', not a number of seconds"],
    ['patch/save', [0.5], 'name is 0.5, not text'],
    ['patch/save', [5, 6], 'name is 5, not text'],
    ['module/create', ['vco', 'x', 3, 7, 9], '7 is one argument too many'],
    ['cable/gain', ['vco.saw', 'vcf.in', NaN], 'gain is NaN, not a number'],
    ['cable/gain', ['vco.saw', 'vcf.in', Infinity], 'gain is Infinity, not a number'],
    ['module/list', [0.5], '0.5 is one argument too many; use /engine/module/list'],
    ['modul/list', [], "there is no command '/engine/modul/list'; did you mean '/engine/module/list'?"],
    ['version', [], "there is no command '/engine/version'"],
    ['module/create', ['vcp', 'x'], "modules.x.type: there is no module type 'vcp'; did you mean 'vc"],
    ['module/create', ['vco', 'engine'], "modules.engine: 'engine' is the engine's own name"],
    ['module/create', ['vco', '__proto__'], 'is not a module id'],
    ['module/create', ['vco', 'x', 99], 'modules.x.voices: 99 is not within 1 to 16'],
  ])('%s %j', async (address, args, message) => {
    const thread = await stage.serve();
    const [fail, ...more] = said(await thread.ask(address, args));
    expect(fail!.slice(0, 2)).toEqual(['/fail', `/engine/${address}`]);
    expect(fail![2]).toContain(message);
    expect(more).toEqual([]);
  });
});

describe('pages', () => {
  it('are small enough, part no row, and lack nothing', async () => {
    const thread = await stage.serve();
    const ids = Array.from({ length: 300 }, (_, i) => `module-with-a-long-name-${i}`);
    await stage.engine.edit(ids.map((id) => ({ kind: 'create', type: 'attenuverter', id })));
    const replies = await thread.ask('module/list', [5]);
    const pages = said(replies).slice(0, -1);
    expect(pages.length).toBeGreaterThan(5);
    const sizes = replies.map(({ address, args }) => encodeMessage(address, args).length);
    expect(Math.max(...sizes)).toBeLessThan(1300);
    expect(Math.min(...sizes.slice(0, -2))).toBeGreaterThan(1300 - 60);
    expect(pages.map(([, page, of]) => [page, of])).toEqual(pages.map((_, i) => [i + 1, pages.length]));
    const items = pages.flatMap(([, , , ...rest]) => rest.slice(0, -1));
    expect(pages.every((page) => (page.length - 4) % 3 === 0)).toBe(true);
    expect(items.filter((_, i) => i % 3 === 0)).toEqual(['vco', 'pad', 'vcf', 'out', ...ids]);
  });

  it('of the patch are the patch', async () => {
    const thread = await stage.serve();
    await stage.engine.edit([{ kind: 'title', title: 'ünïcödé 🎛'.repeat(20) }]);
    thread.changes = [stage.change('vcf', 'cutoff', 123)];
    const replies = await thread.ask('patch/get');
    for (const { address, args } of replies) expect(encodeMessage(address, args).length).toBeLessThan(1300);
    const text = said(replies.slice(0, -1))
      .flatMap(([, , , ...rest]) => rest)
      .join('');
    expect(text).toBe(stage.engine.savePatch());
    expect(text).toContain('"cutoff": 123');
  });

  it('a /fail is cut where it is too long', async () => {
    const thread = await stage.serve({ patchFolders: [root] });
    for (const before of ['', 'a', 'ab', 'abc']) {
      const modules = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`m${i}`, { type: before + '\u{1f39b}'.repeat(11) }]));
      writeFileSync(join(root, 'bad.json'), JSON.stringify({ ...PATCH, cables: [], snapshots: {}, osc: {}, modules }));
      const [fail] = await thread.ask('patch/load', ['bad']);
      const text = fail!.args[1] as string;
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1000);
      expect(text.split('\n')[1]).toMatch(/^modules\.m1\.type: there is no module type/);
      expect(text).toMatch(/…$/);
      expect(text).not.toContain('\ufffd');
    }
  });
});

describe('transactions', () => {
  it('are carried out whole, for the sender who began them', async () => {
    const thread = await stage.serve();
    const edits = (): number => thread.told.filter(({ kind }) => kind === 'table').length;
    expect(said(await thread.ask('tx/begin'))).toEqual([['/done', '/engine/tx/begin']]);
    expect(said(await thread.ask('module/create', ['lfo', 'x', 1, 6]))).toEqual([['/done', '/engine/module/create', 'queued', 1, 6]]);
    await thread.ask('cable/connect', ['x.sine', 'vcf.cutoff']);
    await thread.ask('cable/gain', ['x.sine', 'vcf.cutoff', 0.125]);
    expect(stage.engine.patch.modules.has('x')).toBe(false);
    await thread.ask('module/create', ['lfo', 'other'], 2);
    expect(stage.engine.patch.modules.has('other')).toBe(true);
    const before = edits();
    expect(said(await thread.ask('tx/commit', [9]))).toEqual([['/done', '/engine/tx/commit', 3, 9]]);
    expect(stage.engine.patch.cables.at(-1)).toMatchObject({ gain: 0.125 });
    expect(edits()).toBe(before + 1);
    expect(said(await thread.ask('tx/commit'))[0]![2]).toMatch(/no transaction is open; begin one/);
  });

  it('change nothing when one edit is wrong', async () => {
    const thread = await stage.serve();
    const saved = stage.engine.savePatch();
    await thread.ask('tx/begin');
    await thread.ask('module/create', ['lfo', 'x']);
    await thread.ask('module/remove', ['vco']);
    await thread.ask('cable/connect', ['x.sin', 'vcf.cutoff']);
    expect(said(await thread.ask('tx/commit'))).toEqual([
      ['/fail', '/engine/tx/commit', "edits[2] cables[0].from: x (lfo) has no output 'sin'; did you mean 'sine'?"],
    ]);
    expect(stage.engine.savePatch()).toBe(saved);
    expect(said(await thread.ask('tx/begin'))).toHaveLength(1);
  });

  it('end with abort, or with the sender', async () => {
    const thread = await stage.serve();
    await thread.ask('tx/begin');
    expect(said(await thread.ask('tx/begin'))[0]![2]).toMatch(/open already/);
    await thread.ask('module/create', ['lfo', 'x']);
    expect(said(await thread.ask('tx/abort'))).toEqual([['/done', '/engine/tx/abort', 1]]);
    await thread.ask('tx/begin');
    await thread.ask('module/create', ['lfo', 'x']);
    thread.say({ kind: 'gone', client: 1 });
    expect(said(await thread.ask('tx/commit'))[0]![2]).toMatch(/no transaction is open/);
    expect(stage.engine.patch.modules.has('x')).toBe(false);
  });

  it('have an end', async () => {
    const thread = await stage.serve();
    await thread.ask('tx/begin');
    const replies = await Promise.all(Array.from({ length: 1001 }, (_, i) => thread.ask('module/create', ['lfo', `x${i}`])));
    expect(said(replies[999]!)).toEqual([['/done', '/engine/module/create', 'queued', 1000]]);
    expect(said(replies[1000]!)[0]![2]).toMatch(/at most 1000 edits; commit/);
  });
});
