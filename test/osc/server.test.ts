// The server and its OSC thread, which is scripted here: what the thread is told, and what happens when it dies.
import { describe, expect, it } from 'vitest';
import type { FromOsc, OscThreadOptions } from '#src/osc/protocol.js';
import { OscServer, type OscThread } from '#src/osc/server.js';
import { PATCH, said, ScriptedThread, stage as setStage, until } from './server-rig.js';

const stage = setStage();

describe('the server', () => {
  it('starts the thread with its ports, and tells it what there is', async () => {
    const thread = await stage.serve({ oscPort: 0, httpPort: false, bind: '0.0.0.0', trustLoopback: false });
    expect(thread.options).toMatchObject({ bind: '0.0.0.0', oscPort: 0, httpPort: undefined, trustLoopback: false, version: '0.1.0' });
    await until(() => thread.told.length > 0);
    const [table] = thread.tables();
    expect(table!.types.map(({ type }) => type)).toEqual(['vco', 'vcf', 'out']);
    expect(table!.types[0]!.params['freq']).toMatchObject({ unit: 'Hz' });
    expect(table!.modules).toEqual(stage.engine.liveModules());
    expect(table!.removed).toEqual([]);
    expect(table!.aliases).toEqual([{ address: '/1/fader1', id: 'vcf', param: 'cutoff', range: [200, 8000] }]);
  });

  it('asks for the usual ports on this machine only', async () => {
    expect((await stage.serve()).options).toMatchObject({ bind: '127.0.0.1', oscPort: 9000, httpPort: 9001, trustLoopback: true });
  });

  it('tells what differs after an edit, and nothing else', async () => {
    const thread = await stage.serve();
    await stage.engine.createModule('lfo', 'lfo');
    await stage.engine.createModule('vco', 'vco2');
    await stage.engine.edit([{ kind: 'title', title: 'nothing new' }]);
    await stage.engine.edit([{ kind: 'removeAlias', address: '/1/fader1' }]);
    await stage.engine.loadPatch({ ...PATCH, modules: { vco: { type: 'lfo' } }, cables: [], snapshots: {}, osc: {} });
    await until(() => thread.tables().length >= 5);
    const [, ...tables] = thread.tables();
    const seen = tables.map(({ types, modules, removed, aliases }) => [
      types.map(({ type }) => type),
      modules.map(({ id }) => id),
      removed,
      aliases,
    ]);
    expect(seen).toEqual([
      [['lfo'], ['lfo'], [], undefined],
      [[], ['vco2'], [], undefined],
      [[], [], [], []],
      [[], ['vco'], ['pad', 'vcf', 'out', 'lfo', 'vco2'], undefined],
    ]);
  });

  it('pushes what happens', async () => {
    const thread = await stage.serve();
    await stage.engine.createModule('lfo', 'lfo');
    await stage.engine.removeModule('lfo');
    await stage.engine.loadPatch({ ...PATCH, title: 'Sec\0ond' });
    stage.engine.report({ kind: 'fault', what: 'nan', id: 'vcf', frame: 7, message: 'gave NaN' });
    stage.engine.report({ kind: 'fault', what: 'worker', worker: 1, frame: 7, message: 'died ' + 'x'.repeat(5000) });
    stage.engine.report({ kind: 'underrun', count: 2, total: 5 });
    stage.engine.report({ kind: 'device', state: 'lost', output: { driver: 'portaudio', device: 'USB' } });
    await until(() => thread.pushes().length >= 7);
    expect(said(thread.pushes())).toEqual([
      ['/engine/module/created', 'lfo', 'lfo'],
      ['/engine/module/removed', 'lfo'],
      ['/engine/patch/loaded', 'Second'],
      ['/fail', 'module', 'nan', 'vcf', 'gave NaN'],
      ['/fail', 'worker', 1, expect.stringMatching(/^died x{990,995}…$/)],
      ['/engine/underrun', 2, 5],
      ['/engine/device', 'lost', 'portaudio', 'USB'],
    ]);
  });

  it('keeps what OSC has set, and says so', async () => {
    const thread = await stage.serve();
    thread.say({ kind: 'changes', changes: [stage.change('vcf', 'cutoff', 440)] });
    await until(() => thread.told.some(({ kind }) => kind === 'changed'));
    expect(stage.engine.patch.modules.get('vcf')!.params.get('cutoff')).toEqual([440]);
  });

  it.each<[string, FromOsc, RegExp]>([
    [
      'a taken port',
      { kind: 'failed', code: 'port', message: 'port 9000 is taken', hint: 'give another' },
      /port 9000 is taken; give another/,
    ],
  ])('fails on %s', async (_, answer, message) => {
    const startThread = (options: OscThreadOptions): OscThread => new ScriptedThread(options, answer);
    await expect(OscServer.start(stage.engine, { startThread })).rejects.toThrow(message);
  });

  it('fails when the thread does', async () => {
    const startThread = (options: OscThreadOptions): OscThread => {
      const thread = new ScriptedThread(options, { kind: 'flushed', request: 0 });
      setTimeout(() => thread.die(new Error('out of memory')), 10);
      return thread;
    };
    await expect(OscServer.start(stage.engine, { startThread })).rejects.toThrow(/the OSC thread failed: out of memory/);
  });

  it('starts a thread that died anew, at the same ports, and tells it all', async () => {
    const first = await stage.serve({ oscPort: 0 });
    await stage.engine.createModule('lfo', 'lfo');
    const faults: string[] = [];
    stage.engine.on('fault', ({ message }) => faults.push(message));
    first.die(new Error('boom'));
    await until(() => stage.threads.length === 2 && stage.threads[1]!.pushes().length > 0);
    expect(stage.threads[1]!.options.oscPort).toBe(5000);
    expect(stage.threads[1]!.tables()[0]!.modules).toEqual(stage.engine.liveModules());
    expect(said(stage.threads[1]!.pushes())).toEqual([['/engine/restarted']]);
    expect(faults).toEqual(['the OSC thread died (boom) and is started anew']);
    expect(said(await stage.threads[1]!.ask('tempo'))).toEqual([['/done', '/engine/tempo', 100]]);
  });

  it('tells the next thread who was registered', async () => {
    const first = await stage.serve();
    const registered = [{ host: '127.0.0.1', port: 5000, at: 7000 }];
    first.say({ kind: 'registered', registered });
    first.say({ kind: 'flushed', request: 0 });
    await first.ask('tempo');
    first.die();
    await until(() => stage.threads.length === 2);
    expect([first.options.registered, stage.threads[1]!.options.registered]).toEqual([[], registered]);
  });

  it('keeps nothing that was set in a module that is another now', async () => {
    const thread = await stage.serve();
    const change = stage.change('vcf', 'cutoff', 440);
    await stage.engine.loadPatch({ ...PATCH, modules: { ...PATCH.modules, vcf: { type: 'vcf', voices: 2 } } });
    thread.say({ kind: 'changes', changes: [change] });
    await until(() => thread.told.some(({ kind }) => kind === 'changed'));
    expect(stage.engine.patch.modules.get('vcf')!.params.get('cutoff')).toBeUndefined();
  });

  it('gives up when it dies again and again', async () => {
    const faults: string[] = [];
    stage.engine.on('fault', ({ message }) => faults.push(message));
    await stage.serve();
    for (let deaths = 1; deaths <= 6; deaths++) {
      stage.threads.at(-1)!.die();
      await until(() => faults.length === deaths);
      if (deaths < 6) await until(() => stage.threads.length === deaths + 1 && stage.threads.at(-1)!.tables().length > 0);
    }
    expect(faults.at(-1)).toMatch(/too often and stays away/);
    await stage.engine.createModule('lfo', 'lfo');
  });

  it('ends with the engine', async () => {
    await stage.ownEngine();
    const thread = await stage.serve();
    await stage.engine.stop();
    await until(() => thread.told.at(-1)?.kind === 'stop');
    expect(said(thread.pushes()).at(-1)).toEqual(['/engine/stopped']);
  });
});
