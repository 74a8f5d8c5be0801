// Edits that wait for one another are played with one plan; each succeeds or fails by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import type { EngineEvent } from '#src/control/events.js';
import { CLAIM_ABANDONED, CLAIM_ENDED, CONTROL, PARTITION, PLAN } from '#src/shared/layout.js';
import { readFloatWav } from './wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-together-'));
afterAll(() => rmSync(folder, { recursive: true }));
let engine: Engine;
afterEach(() => engine.stop());

const patch = (modules: object, cables: readonly (readonly [string, string])[] = []): never =>
  ({
    format: 'krell-patch',
    formatVersion: 1,
    modules: { out: { type: 'out', params: { limiter: false } }, ...modules },
    cables: cables.map(([from, to]) => ({ from, to })),
  }) as never;

async function play(modules: object = {}): Promise<void> {
  engine = await Engine.create({ workers: 1, realtime: false, memoryBytes: 16 * 1024 * 1024, maxModules: 12 });
  await engine.loadPatch(patch(modules));
  await engine.start({ driver: 'null' });
}
const plans = (): number => Atomics.load(engine.arena.words, CONTROL.ADOPTED);
const ids = (): string[] => [...engine.patch.modules.keys()];
const liveIds = (): string[] => engine.liveModules().map(({ id }) => id);
/** `fulfilled`, or why not. */
const outcomes = async (edits: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(edits)).map((result) => (result.status === 'fulfilled' ? result.status : String(result.reason)));
const EIGHT = Array.from({ length: 8 }, (_, i) => `m${i}`);

describe('eight modules made at once', () => {
  it('are one plan and one event', async () => {
    await play();
    const before = plans();
    const events: EngineEvent[] = [];
    engine.on('edit', (event) => events.push(event));
    const infos = await Promise.all(EIGHT.map((id) => engine.createModule('lfo', id)));
    expect(infos.map(({ id }) => id)).toEqual(EIGHT);
    expect(plans()).toBe(before + 1);
    expect(events).toEqual([{ kind: 'edit', added: EIGHT, removed: [], changed: [] }]);
    expect(liveIds()).toEqual(['out', ...EIGHT]);
  });

  it('are seven when one is wrong, still with one plan', async () => {
    await play();
    const before = plans();
    const made = await outcomes(EIGHT.map((id, i) => engine.createModule(i === 3 ? 'lfoo' : 'lfo', id)));
    expect(made.map((outcome) => outcome === 'fulfilled')).toEqual(EIGHT.map((_, i) => i !== 3));
    expect(made[3]).toMatch(/there is no module type 'lfoo'.*did you mean 'lfo'/s);
    expect(plans()).toBe(before + 1);
    expect(ids()).toEqual(['out', ...EIGHT.toSpliced(3, 1)]);
    expect(liveIds()).toEqual(ids());
  });

  it('are seven when there is no memory for one, and nothing of that is kept', async () => {
    await play();
    await engine.createModule('lfo', 'first');
    await engine.removeModule('first');
    const made = await outcomes(
      EIGHT.map((id, i) => (i === 5 ? engine.createModule('delay', id, { voices: 16 }) : engine.createModule('lfo', id))),
    );
    expect(made.map((outcome) => outcome === 'fulfilled')).toEqual(EIGHT.map((_, i) => i !== 5));
    expect(made[5]).toMatch(/memory budget exceeded/);
    expect(ids()).toEqual(['out', ...EIGHT.toSpliced(5, 1)]);
    expect(liveIds()).toEqual(ids());
    const { used } = engine.stats().memory;
    await expect(engine.createModule('delay', 'm5', { voices: 16 })).rejects.toThrow('memory');
    expect(engine.stats().memory.used).toBe(used);
  });

  it('are as many as there may be', async () => {
    await play({ a: { type: 'vca' }, b: { type: 'vca' }, c: { type: 'vca' }, d: { type: 'vca' } });
    const made = await outcomes([...EIGHT, 'm8'].map((id) => engine.createModule('lfo', id)));
    expect(made.map((outcome) => outcome === 'fulfilled')).toEqual([...EIGHT, 'm8'].map((_, i) => i < 7));
    expect(made[8]).toMatch(/13 modules are more than the 12/);
    expect(engine.patch.modules.size).toBe(12);
  });
});

describe('edits that are asked for without waiting', () => {
  it('see what those before them have done', async () => {
    await play();
    const before = plans();
    await Promise.all([engine.createModule('lfo', 'lfo'), engine.connect('lfo.sine', 'out.left'), engine.saveSnapshot('now')]);
    expect(plans()).toBe(before + 1);
    expect(engine.patch.cables).toHaveLength(1);
    expect(engine.patch.snapshots.get('now')!.some(({ id }) => id === 'lfo')).toBe(true);
  });

  it('are not wrong because of one before them that could not be had', async () => {
    await play(Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'k'].map((id) => [id, { type: 'vca' }])));
    const [big, small, cable] = await outcomes([
      engine.edit([
        { kind: 'create', type: 'delay', id: 'big', voices: 16 },
        { kind: 'connect', from: 'a.out', to: 'out.left' },
      ]),
      // One too many, and the same cable, if that had been made.
      engine.createModule('lfo', 'small'),
      engine.connect('a.out', 'out.left'),
    ]);
    expect(big).toMatch(/memory/);
    expect([small, cable]).toEqual(['fulfilled', 'fulfilled']);
    expect(ids()).toHaveLength(12);
  });

  it('fail when what they need could not be had', async () => {
    await play();
    const [big, cable, other] = await outcomes([
      engine.createModule('delay', 'big', { voices: 16 }),
      engine.connect('big.left', 'out.left'),
      engine.createModule('lfo', 'lfo'),
    ]);
    expect(big).toMatch(/memory/);
    expect(cable).toMatch(/there is no module 'big'/);
    expect(other).toBe('fulfilled');
  });

  it('make a module anew that another has removed', async () => {
    await play({ a: { type: 'lfo' } });
    const address = (): number => engine.liveModules().find(({ id }) => id === 'a')!.address;
    const old = address();
    await Promise.all([engine.removeModule('a'), engine.createModule('lfo', 'a')]);
    expect(address()).not.toBe(old);
  });

  it('tell of a module that is removed right away', async () => {
    await play();
    const events: EngineEvent[] = [];
    engine.on('edit', (event) => events.push(event));
    const [info] = await Promise.all([engine.createModule('lfo', 'a'), engine.removeModule('a')]);
    expect(info).toMatchObject({ id: 'a', type: 'lfo' });
    expect(events).toMatchObject([{ added: ['a'] }, { removed: ['a'] }]);
    expect(ids()).toEqual(['out']);
  });

  it('go before and after a load in their order', async () => {
    await play();
    const made = await outcomes([
      engine.createModule('lfo', 'before'),
      engine.loadPatch(patch({ loaded: { type: 'vca' } })),
      engine.createModule('lfo', 'after'),
    ]);
    expect(made).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(ids()).toEqual(['out', 'loaded', 'after']);
    expect(liveIds()).toEqual(ids());
  });

  it('are refused when the engine has stopped', async () => {
    await play();
    await engine.stop();
    expect(await outcomes(EIGHT.map((id) => engine.createModule('lfo', id)))).toEqual(EIGHT.map(() => expect.stringMatching(/stopped/)));
  });
});

it('a plan that nobody takes is withdrawn, and everything is as it was', async () => {
  engine = await Engine.create({ workers: 1, realtime: false });
  await engine.loadPatch(patch({ a: { type: 'lfo' } }));
  const { words } = engine.arena;
  const [partitions, used, saved] = [
    words[words[CONTROL.PLAN]! / 4 + PLAN.PARTITIONS]! / 4,
    engine.stats().memory.used,
    engine.savePatch(),
  ];
  // As when a thread is late and does not come back.
  words[partitions + PARTITION.CLAIM] = CLAIM_ABANDONED;
  const edits = [engine.createModule('lfo', 'b'), engine.connect('a.sine', 'out.left'), engine.saveSnapshot('s')];
  for (const outcome of await outcomes(edits)) expect(outcome).toMatch(/did not take the new plan; try again/);
  expect([ids(), liveIds(), engine.savePatch()]).toEqual([['out', 'a'], ['out', 'a'], saved]);
  expect(engine.stats().memory.used).toBe(used);
  words[partitions + PARTITION.CLAIM] = CLAIM_ENDED;
  await engine.createModule('lfo', 'b');
  expect(liveIds()).toEqual(['out', 'a', 'b']);
});

it('what has faded out is dropped when nobody edits any more', async () => {
  await play({ a: { type: 'lfo' } });
  await engine.connect('a.sine', 'out.left');
  await Promise.all([engine.removeModule('a'), engine.createModule('lfo', 'b')]);
  const count = (): number => engine.stats().edits.count;
  const before = count();
  for (let i = 0; i < 400 && count() === before; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(count()).toBe(before + 1);
  expect(liveIds()).toEqual(['out', 'b']);
});

it('what fades out is waited for when an edit wants its memory', async () => {
  await play({ a: { type: 'vco' } });
  const more = (): Promise<unknown> => engine.createModule('delay', `d${ids().length}`);
  while ((await outcomes([more()]))[0] === 'fulfilled');
  await expect(more()).rejects.toThrow(/memory budget exceeded: module d/);
  await engine.edit([
    { kind: 'connect', from: 'a.saw', to: 'd2.left' },
    { kind: 'connect', from: 'd2.left', to: 'out.left' },
  ]);
  await engine.removeModule('d2');
  await engine.createModule('delay', 'again');
  expect(liveIds()).toContain('again');
});

it('two outs that meet on the bus keep their channels apart', async () => {
  engine = await Engine.create({ workers: 1, realtime: false });
  const second = { type: 'out', params: { limiter: false } };
  const cables = [
    ['a.saw', 'out.left'],
    ['b.saw', 'second.right'],
  ] as const;
  await engine.loadPatch(patch({ a: { type: 'vco' }, b: { type: 'vco', params: { freq: 777 } }, second }, cables));
  const path = join(folder, 'outs.wav');
  await engine.start({ driver: 'file', file: { path, frames: 4800, bits: '32f' } });
  await engine.ended;
  const [left, right] = readFloatWav(path);
  const crossings = (signal: Float32Array): number => signal.filter((value, i) => value >= 0 && i > 0 && signal[i - 1]! < 0).length;
  expect(crossings(right!)).toBeGreaterThan(1.5 * crossings(left!));
});
