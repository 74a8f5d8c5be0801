// The life of an engine: what it can be told, beginning, recording, and the end, which may come at any moment.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '#src/control/options.js';
import { Engine } from '#src/index.js';
import { CONTROL, RUN_STOP } from '#src/shared/layout.js';
import { create, folder, OUT, outcomes, patch, TWO, TWO_CABLES, until } from './engine-fixture.js';

describe('options', () => {
  it.each([
    { blockFrames: 0 },
    { blockFrames: 100 },
    { workers: 0 },
    { workers: 17 },
    { channels: 9 },
    { sampleRate: 1 },
    { memoryBytes: 0 },
    { memoryBytes: NaN },
    { maxModules: 4097 },
    { seed: 1.5 },
    { seed: -1 },
    { spin: -1 },
    { handoffNs: -1 },
    { maxThreadAgeS: 0 },
    { maxThreadAgeS: NaN },
  ])('%j is refused', async (options) => {
    await expect(Engine.create(options)).rejects.toThrow(/is .*; give|is not possible; give/);
  });

  it('a machine with many cores is not asked for more threads than there may be', () => {
    expect(settingsOf({}, 64).workers).toBe(16);
    expect(settingsOf({}, 1).workers).toBe(1);
  });

  it.each([
    [{ driver: 'jackk' }, /there is no driver 'jackk'; did you mean 'jack'/],
    [{ driver: 'file' }, /needs to know how much to write; give file/],
    [{ latency: -1 }, /latency is -1; give/],
    [{ latency: NaN }, /latency is NaN; give/],
    [{ periodFrames: 0 }, /periodFrames is 0; give/],
    [{ inputs: 3 }, /inputs is 3; give/],
  ])('of the output: %j is refused, and may be set right', async (options, message) => {
    const engine = await create();
    await expect(engine.start({ driver: 'null', ...options } as never)).rejects.toThrow(message);
    await engine.start({ driver: 'null' });
  });

  it('refuses an unknown device', async () => {
    const engine = await create();
    await expect(engine.start({ driver: 'portaudio', device: 'no such device' })).rejects.toThrow(/device|sound card|koffi|PortAudio/);
  });
});

describe('what can be begun only once', () => {
  it('is the output, also at the same moment', async () => {
    const engine = await create();
    const record = join(folder, 'once.wav');
    const [first, second] = await outcomes([engine.start({ driver: 'null', record }), engine.start({ driver: 'null' })]);
    expect(first).toBe('fulfilled');
    expect(second).toMatch(/started already; create another/);
  });

  it('is not one whose recording cannot be written', async () => {
    const engine = await create();
    await expect(engine.start({ driver: 'null', record: join(folder, 'none', 'x.wav') })).rejects.toThrow(/cannot write/);
    await engine.start({ driver: 'null' });
  });

  it('is a recording, also at the same moment', async () => {
    const engine = await create();
    const [a, b] = [join(folder, 'a.wav'), join(folder, 'b.wav')];
    const [first, second] = await outcomes([engine.startRecording(a), engine.startRecording(b)]);
    expect(first).toBe('fulfilled');
    expect(second).toMatch(/'.*a\.wav' is being recorded; stop that first/);
    expect(existsSync(b)).toBe(false);
    const [one, other] = await Promise.all([engine.stopRecording(), engine.stopRecording()]);
    expect(one).toMatchObject({ path: a, frames: 0 });
    expect(other).toBeUndefined();
  });
});

describe('stop', () => {
  const isStopped = /engine has been stopped; create another/;

  it('may be told again and again, and then all is refused', async () => {
    const engine = await create({ workers: 2 });
    await engine.loadPatch(patch(TWO, TWO_CABLES, { snapshots: { s: { 'a.offset': 1 } } }));
    await engine.start({ driver: 'null' });
    await Promise.all([engine.stop(), engine.stop()]);
    await engine.stop();
    const refused = await outcomes([
      engine.createModule('lfo', 'x'),
      engine.loadPatch(patch(OUT)),
      engine.set('a', 'offset', 1),
      engine.recallSnapshot('s'),
      engine.start(),
      Promise.resolve().then(() => engine.startRecording('x.wav')),
    ]);
    for (const outcome of refused) expect(outcome).toMatch(isStopped);
    expect(engine.patch.modules.get('a')!.params.size).toBe(0);
    expect(engine.listModules().map(({ id }) => id)).toEqual(['a', 'b', 'out']);
  });

  it('refuses edits that wait or are under way, at once', async () => {
    const engine = await create();
    await engine.loadPatch(patch(OUT));
    await engine.start({ driver: 'null' });
    const edits = [
      ...Array.from({ length: 12 }, (_, i) => engine.createModule('reverb', `r${i}`)),
      engine.loadPatch(patch(TWO, TWO_CABLES)),
      engine.connect('a.out', 'out.left'),
    ];
    const settled = outcomes(edits);
    await Promise.resolve();
    const stop = engine.stop();
    for (const outcome of await settled) expect(outcome).toMatch(isStopped);
    await stop;
    expect(engine.listModules().map(({ id }) => id)).toEqual(['out']);
  });

  it('ends what waits for the output to end, although that never began', async () => {
    const engine = await create();
    await engine.stop();
    expect(await engine.ended).toEqual({ driver: 'none' });
  });

  it.each([0, 1, 20])('while the output opens (%i ms in) starts nothing any more', async (ms) => {
    const engine = await create();
    await engine.loadPatch(patch(OUT));
    const kinds: string[] = [];
    for (const kind of ['device', 'stopped'] as const) engine.on(kind, () => kinds.push(kind));
    const start = outcomes([engine.start({ driver: 'null', record: join(folder, `opening-${ms}.wav`) })]);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    await engine.stop();
    const [started] = await start;
    if (started !== 'fulfilled') expect(started).toMatch(isStopped);
    expect(kinds.at(-1)).toBe('stopped');
    expect(engine.arena.words[CONTROL.RUN]).toBe(RUN_STOP);
    expect(await engine.stopRecording()).toBeUndefined();
  });

  it('comes to an end by itself from a listener', async () => {
    const engine = await create();
    await engine.loadPatch(patch(OUT));
    let stopping: Promise<void> | undefined;
    engine.on('edit', () => void (stopping = engine.stop()));
    await outcomes([engine.createModule('lfo', 'lfo')]);
    await stopping;
    await until(() => engine.arena.words[CONTROL.RUN] === RUN_STOP);
  });
});
