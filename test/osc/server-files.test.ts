// Patches and recordings by the names that OSC gives: never outside of their folders.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PATCH, said, stage as setStage, temporaryFolder, until } from './server-rig.js';

const root = temporaryFolder();
const stage = setStage();

describe('files', () => {
  const outside = join(root, 'outside');
  const patches = join(root, 'patches');
  const more = join(root, 'more');
  const takes = join(root, 'takes');
  for (const folder of [outside, patches, more, join(patches, 'sub')]) mkdirSync(folder, { recursive: true });
  const written = (title: string): string => JSON.stringify({ ...PATCH, title });
  writeFileSync(join(outside, 'secret.json'), written('Secret'));
  writeFileSync(join(patches, 'acid.json'), written('Acid'));
  writeFileSync(join(patches, 'sub', 'deep.json'), written('Deep'));
  writeFileSync(join(patches, 'broken.json'), '{ "format": ');
  writeFileSync(join(patches, 'latin.json'), Buffer.from([0xff, 0xfe]));
  writeFileSync(join(patches, 'notes.txt'), 'x');
  writeFileSync(join(more, 'pad.json'), written('Pad'));
  writeFileSync(join(more, 'acid.json'), written('Another acid'));
  symlinkSync(join(outside, 'secret.json'), join(patches, 'link.json'));
  symlinkSync(outside, join(patches, 'way-out'));
  symlinkSync(join(patches, 'acid.json'), join(patches, 'alias.json'));
  const options = { patchFolders: [patches, more], recordFolder: takes };
  const load = async (name: string): Promise<unknown[]> =>
    said(await (stage.threads.at(-1) ?? (await stage.serve(options))).ask('patch/load', [name]))[0]!;

  it('are loaded by name, from the first folder that has them', async () => {
    expect(await load('acid')).toEqual(['/done', '/engine/patch/load', 'Acid']);
    expect(await load('acid.json')).toEqual(['/done', '/engine/patch/load', 'Acid']);
    expect(await load('pad')).toEqual(['/done', '/engine/patch/load', 'Pad']);
    expect(await load('sub/deep')).toEqual(['/done', '/engine/patch/load', 'Deep']);
    expect(await load('alias')).toEqual(['/done', '/engine/patch/load', 'Acid']);
    expect(stage.engine.patch.title).toBe('Acid');
    expect(said(await stage.threads[0]!.ask('patch/list'))[0]!.slice(3)).toEqual(['acid', 'alias', 'broken', 'latin', 'link', 'pad']);
  });

  it.each([
    '../../etc/passwd',
    '../outside/secret',
    '..',
    '.',
    '',
    '/etc/passwd',
    '/tmp/secret.json',
    'sub/../../outside/secret',
    'sub//deep',
    './acid',
    '.hidden',
    'sub\\deep',
    'acid\n',
    'x'.repeat(300),
    'link',
    'way-out/secret',
    'way-out/../acid',
  ])('are not loaded from elsewhere: %j', async (name) => {
    const [address, , text] = await load(name);
    expect(address).toBe('/fail');
    expect(text).toContain("is not the name of a file in 'patches' or 'more'");
    expect(text).not.toContain(root);
    expect(stage.engine.patch.title).toBe('First');
  });

  it('are named when there is none, or when there is something wrong with them', async () => {
    expect((await load('acdi'))[2]).toBe("there is no patch 'acdi' in 'patches' or 'more'; did you mean 'acid'?");
    expect((await load('sub'))[2]).toMatch(/^there is no patch 'sub'/);
    expect((await load('notes.txt'))[2]).toMatch(/^there is no patch/);
    expect((await load('broken'))[2]).toMatch(/^format: line 1, column 13: expected a value, found the end of the file\n {2}\{ "format":/);
    expect((await load('latin'))[2]).toBe('latin.json: is not UTF-8 text; a patch is a JSON file');
    expect(stage.engine.patch.title).toBe('First');
  });

  it('are loaded before what was sent after', async () => {
    const thread = await stage.serve(options);
    await Promise.all([thread.ask('patch/load', ['acid']), thread.ask('module/create', ['lfo', 'after'])]);
    expect([...stage.engine.patch.modules.keys()]).toContain('after');
  });

  it('that are loaded do not take what was set before', async () => {
    const thread = await stage.serve(options);
    thread.changes = [stage.change('vcf', 'cutoff', 777)];
    await thread.ask('patch/load', ['acid']);
    // What the thread had not yet reported then.
    thread.say({ kind: 'changes', changes: thread.changes });
    await until(() => thread.told.some(({ kind }) => kind === 'changed'));
    expect(stage.engine.patch.modules.get('vcf')!.params.has('cutoff')).toBe(false);
    await thread.ask('patch/clear');
    expect(stage.engine.patch.modules.size).toBe(0);
    expect(said(await thread.ask('patch/save'))[0]![2]).toMatch(/has no name yet; give it one/);
  });

  it('are saved whole, under their own name or a new one', async () => {
    const thread = await stage.serve({ ...options, patchName: 'first' });
    thread.changes = [stage.change('vcf', 'cutoff', 777)];
    expect(said(await thread.ask('patch/save'))).toEqual([['/done', '/engine/patch/save', 'first.json']]);
    expect(readFileSync(join(patches, 'first.json'), 'utf8')).toBe(stage.engine.savePatch());
    expect(stage.engine.savePatch()).toContain('"cutoff": 777');
    expect(said(await thread.ask('patch/save', ['sub/two']))).toEqual([['/done', '/engine/patch/save', 'sub/two.json']]);
    expect(readFileSync(join(patches, 'sub', 'two.json'), 'utf8')).toBe(stage.engine.savePatch());
    expect(readdirSync(patches).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    // Another patch is not to be saved under that name.
    await stage.engine.loadPatch(PATCH);
    expect(said(await thread.ask('patch/save'))[0]![2]).toMatch(/has no name yet/);
    // A link is replaced, not followed.
    await thread.ask('patch/save', ['link']);
    expect(readFileSync(join(outside, 'secret.json'), 'utf8')).toBe(written('Secret'));
  });

  it.each(['../x', '/tmp/x', 'way-out/x', '..', 'none/x', 'a\0b'])('are not saved elsewhere: %j', async (name) => {
    const thread = await stage.serve(options);
    const before = readdirSync(outside);
    const [address, , text] = said(await thread.ask('patch/save', [name]))[0]!;
    expect(address).toBe('/fail');
    expect(text).toMatch(/is not the name of a file in 'patches'|cannot be written to 'patches' \(ENOENT\)/);
    expect(text).not.toContain(root);
    expect(readdirSync(outside)).toEqual(before);
  });

  it('are not there without folders', async () => {
    const thread = await stage.serve();
    expect(said(await thread.ask('patch/load', ['acid']))[0]![2]).toMatch(/there is no folder for patches/);
    expect(said(await thread.ask('patch/save', ['acid']))[0]![2]).toMatch(/there is no folder for patches/);
    expect(said(await thread.ask('record/start'))[0]![2]).toMatch(/there is no folder for recordings; start/);
    expect(said(await thread.ask('patch/list'))).toEqual([
      ['/engine/patch/list', 1, 1],
      ['/done', '/engine/patch/list', 0],
    ]);
  });

  it('are recorded, and never over another', async () => {
    await stage.ownEngine();
    const thread = await stage.serve(options);
    await stage.engine.start({ driver: 'null' });
    expect(said(await thread.ask('record/stop'))[0]![2]).toMatch(/nothing is being recorded/);
    expect(said(await thread.ask('record/start', ['take1']))).toEqual([['/done', '/engine/record/start', 'take1.wav']]);
    const [busy] = said(await thread.ask('record/start', ['take2']));
    expect(busy![2]).toMatch(/takes\/take1\.wav' is being recorded; stop that first/);
    expect(busy![2]).not.toContain(root);
    await until(() => stage.engine.frame > 4800);
    const [done] = said(await thread.ask('record/stop'));
    expect(done!.slice(0, 3)).toEqual(['/done', '/engine/record/stop', 'take1.wav']);
    expect(done![3]).toBeGreaterThan(0);
    expect(said(await thread.ask('record/start', ['take1']))[0]![2]).toMatch(/there is a recording 'take1.wav' already; choose/);
    expect(said(await thread.ask('record/start', ['../take']))[0]![2]).toMatch(/is not the name of a file in 'takes'/);
    expect(existsSync(join(root, 'take.wav'))).toBe(false);
    expect(said(await thread.ask('record/start'))[0]![2]).toMatch(/^krell-\d{4}-\d\d-\d\dT\d{6}\.wav$/);
    await thread.ask('record/stop');
  });
});
