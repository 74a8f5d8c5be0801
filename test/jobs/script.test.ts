// Scripts: ticks on the sample clock, values on their frame, edits while playing, and whatever a script does wrong.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Engine, render, type EngineOptions, type OutputOptions } from '#src/index.js';
import { readFloatWav } from '../control/wav.js';
import { DEEP_MS } from '../deep.js';
import { CONTROL } from '#src/shared/layout.js';
import type { FaultEvent } from '#src/control/events.js';

const RATE = 8000;
const ENGINE = fileURLToPath(import.meta.resolve('#src/control/engine.js'));

/** A folder with scripts, and a patch beside them whose outputs are the script's cv1 and gate1. */
class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'krell-script-'));
  readonly source = join(this.path, 'patch.json');

  constructor(text: string, name = 'main.ts') {
    this.write(name, text);
  }
  write(name: string, text: string): this {
    writeFileSync(join(this.path, name), text);
    return this;
  }
  patch(params: object = {}, script = 'main.ts', seed = 1): string {
    const modules = { s: { type: 'script', script, params }, out: { type: 'out', params: { level: 0, limiter: false } } };
    const cables = [
      { from: 's.cv1', to: 'out.left', gain: 0.1 },
      { from: 's.gate1', to: 'out.right', gain: 0.1 },
    ];
    return JSON.stringify({ format: 'krell-patch', formatVersion: 1, tempo: 60, seed, modules, cables });
  }
  async render(
    seconds: number,
    patch = this.patch(),
    options: EngineOptions = {},
  ): Promise<{ cv: Float32Array; gate: Float32Array; sha256: string }> {
    const { channels, sha256 } = await render(patch, {
      sampleRate: RATE,
      workers: 1,
      ...options,
      seconds,
      keep: true,
      source: this.source,
    });
    return { cv: channels![0]!, gate: channels![1]!, sha256 };
  }
}
const script = (body: string, before = ''): string =>
  `import { defineScript } from 'krell/script';\n${before}\nexport default defineScript({\n  tick(ctx) {\n    ${body}\n  },\n});\n`;

/** Frames at which a signal jumps. The output keeps direct voltages away from loudspeakers, so between jumps it creeps. */
const changes = (signal: Float32Array): number[] =>
  [...signal].flatMap((value, i) => (i > 0 && Math.abs(value - signal[i - 1]!) > 0.01 ? [i] : []));

const engines: Engine[] = [];
afterEach(async () => void (await Promise.all(engines.splice(0).map((engine) => engine.stop()))));

/** An engine that plays a patch, and what it says of scripts. */
async function play(
  folder: Folder,
  patch = folder.patch(),
  output: OutputOptions = {},
  sampleRate = RATE,
): Promise<{ engine: Engine; faults: FaultEvent[]; knob: () => number }> {
  const engine = await Engine.create({ sampleRate, workers: 1, realtime: false });
  engines.push(engine);
  const faults: FaultEvent[] = [];
  engine.on('fault', (fault) => fault.what === 'script' && faults.push(fault));
  await engine.loadPatch(patch, { source: folder.source });
  await engine.start({ driver: 'null', ...output });
  return { engine, faults, knob: () => Number(engine.moduleInfo('s').params['cv1']) };
}
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await pause(5);
};

describe('ticks', () => {
  it('come `rate` times a second, and are heard two ticks later on their sample', async () => {
    const folder = new Folder(script('ctx.cv(1, ctx.frame % 800 === 0 ? 5 : 0);'));
    const { cv } = await folder.render(0.5, folder.patch({ rate: 100 }));
    // A tick is 80 frames: what it sets at 0, 800 … is heard 160 frames later, and taken back 80 after that.
    expect(changes(cv)).toEqual([160, 240, 960, 1040, 1760, 1840, 2560, 2640, 3360, 3440]);
  });

  it('open gates for a time exact to the sample, with a gap between two that touch', async () => {
    const folder = new Folder(script('if (ctx.every(0.1)) ctx.pulse(1, ctx.seconds < 0.15 ? 0.0123 : 0.2);'));
    const { gate } = await folder.render(0.5, folder.patch({ rate: 100 }));
    const length = Math.ceil(0.0123 * RATE);
    const gap = Math.ceil(0.001 * RATE);
    expect(changes(gate)).toEqual([160, 160 + length, 960, 960 + length, 1760, 2560, 2560 + gap, 3360, 3360 + gap]);
  });

  it('know frame, seconds, beats and knobs', async () => {
    const check = 'ctx.frame === ctx.seconds * 8000 && ctx.beat === ctx.seconds * 1.5 && ctx.knob(2) === 0.75 && ctx.rate === 50';
    const folder = new Folder(script(`ctx.cv(1, ${check} && ctx.sampleRate === 8000 ? 5 : -5);`));
    const patch = folder.patch({ rate: 50, knob2: 0.75 }).replace('"tempo":60', '"tempo":90');
    const { cv } = await folder.render(0.2, patch);
    expect(changes(cv)).toEqual([320]);
    expect(cv.at(-1)).toBeGreaterThan(0);
  });

  it('give the same bits in any blocks, on any number of threads, for the same seed', async () => {
    const folder = new Folder(script('ctx.cv(1, ctx.random() * 10); if (ctx.random() < 0.3) ctx.pulse(1, ctx.random() / 10);'));
    const renders = [
      await folder.render(1),
      await folder.render(1, folder.patch(), { blockFrames: 16 }),
      await folder.render(1, folder.patch(), { blockFrames: 1024, workers: 2 }),
    ];
    expect(changes(renders[0]!.cv).length).toBeGreaterThan(200);
    expect(new Set(renders.map(({ sha256 }) => sha256)).size).toBe(1);
    const other = await folder.render(1, folder.patch({}, 'main.ts', 2));
    expect(other.sha256).not.toBe(renders[0]!.sha256);
  });

  it('are waited for offline, however long they take', async () => {
    const wait = 'const end = performance.now() + 4 * ctx.knob(4); while (performance.now() < end);';
    const folder = new Folder(script(`${wait} ctx.cv(1, ctx.random() * 10);`));
    const [fast, slow] = [await folder.render(1), await folder.render(1, folder.patch({ knob4: 1 }))];
    expect(slow.sha256).toBe(fast.sha256);
  });

  it('are computed in time while the engine plays', async () => {
    const folder = new Folder(script('ctx.cv(1, ctx.random());'));
    const { engine } = await play(folder, folder.patch({ rate: 1000 }), {}, 48_000);
    await until(() => engine.scriptStats().ticks > 1000);
    // On a machine that stands still now and then, not all; if nothing woke the thread, hardly any.
    const { ticks, late } = engine.scriptStats();
    expect(late).toBeLessThan(ticks / 2);
  });

  it('give the same live as offline, when nothing comes too late', async () => {
    const folder = new Folder(script('if (ctx.every(0.05)) ctx.cv(1, ctx.random() * 10);'));
    const offline = await folder.render(0.6);
    expect(changes(offline.cv).length).toBeGreaterThan(5);
    for (let take = 1; ; take++) {
      const record = join(folder.path, `take${take}.wav`);
      const { engine } = await play(folder, folder.patch(), { record, latency: DEEP_MS });
      await until(() => engine.frame > RATE);
      const isClean = engine.stats().underruns === 0 && engine.scriptStats().late === 0;
      await engine.stop();
      // A machine that stood still: whatever was late has been counted.
      if (!isClean && take < 10) continue;
      const [live] = readFloatWav(record);
      const length = offline.cv.length;
      expect(Buffer.compare(Buffer.from(live!.slice(0, length).buffer), Buffer.from(offline.cv.slice().buffer))).toBe(0);
      break;
    }
  });

  it('are applied late or dropped as the script wants, and counted, when they come too late', async () => {
    const slow = 'const end = performance.now() + 300; while (ctx.state.n === 5 && performance.now() < end);';
    const late = async (policy: string): Promise<[number, number]> => {
      const body = `ctx.state.n = (ctx.state.n ?? 0) + 1; ${slow} ctx.cv(1, ctx.state.n === 5 ? 5 : ctx.state.n < 5 ? 0 : 1); if (ctx.state.n >= 5) ctx.cv(2, 7);`;
      const folder = new Folder(script(body).replace('tick(', `late: '${policy}',\n  tick(`));
      const { engine, faults } = await play(folder, folder.patch({ rate: 30 }));
      await until(() => engine.moduleInfo('s').params['cv2'] === 7 && engine.moduleInfo('s').params['cv1'] === 1);
      expect(faults).toEqual([]);
      return [engine.scriptStats().late, engine.arena.words[CONTROL.LATE_EVENTS]!];
    };
    const [applied, dropped] = [await late('apply'), await late('drop')];
    expect(applied[0]).toBeGreaterThanOrEqual(2);
    expect(dropped[0]).toBeGreaterThanOrEqual(2);
    // What was pushed although it was late, by the leader's own count.
    expect(applied[1]).toBeGreaterThanOrEqual(2);
    expect(dropped[1]).toBe(0);
  });

  it('drive several modules, each with its own state', async () => {
    const folder = new Folder(script("ctx.state['n'] = (ctx.state['n'] ?? 0) + 1; ctx.cv(1, ctx.state['n'] === 3 ? 5 : 0);"));
    const modules = {
      s: { type: 'script', script: 'main.ts', params: { rate: 100 } },
      t: { type: 'script', script: 'main.ts', params: { rate: 50 } },
      out: { type: 'out', params: { level: 0 } },
    };
    const cables = [
      { from: 's.cv1', to: 'out.left' },
      { from: 't.cv1', to: 'out.right' },
    ];
    const patch = JSON.stringify({ format: 'krell-patch', formatVersion: 1, modules, cables });
    const { cv, gate } = await folder.render(0.2, patch);
    expect([changes(cv)[0], changes(gate)[0]]).toEqual([2 * 80 + 2 * 80, 2 * 160 + 2 * 160]);
  });
});

describe('a script file', () => {
  /** Nothing that is refused changes it, so one does for all. */
  let engine: Engine;
  beforeAll(async () => void (engine = await Engine.create({ sampleRate: RATE, workers: 1, realtime: false })));
  afterAll(() => engine.stop());
  const refusal = (folder: Folder, patch = folder.patch()) => expect(engine.loadPatch(patch, { source: folder.source })).rejects;

  it('may be JavaScript, and import others', async () => {
    const folder = new Folder(script('ctx.cv(1, five());', "import { five } from './five.js';"), 'main.mjs');
    folder.write(
      'five.ts',
      "import { basename } from 'node:path';\nexport const five = (): number => Number(basename('/a/5' as string));\n",
    );
    const { cv } = await folder.render(0.1, folder.patch({}, 'main.mjs'));
    expect(changes(cv)).toHaveLength(1);
  });

  it.each([
    ['const a = 1;\nexport default (;', /main\.ts:2:17: Unexpected token/],
    ['export default 1;', /main\.ts:1:1: exports no script/],
    [`\n\n${script('').replace('tick', 'tock')}`, /exports no script/],
    ["import { a } from './missing.js';", /main\.ts:1:19: there is no file '\.\/missing\.js'/],
    ["import { a } from 'no-such-package';", /main\.ts:1:19: there is no package/],
    [`const a = 1;\nimport { Engine } from '${ENGINE}';`, /main\.ts:2:24: .*only the main thread may use that/],
    [script('', 'undefinedThing();'), /main\.ts:2:1: ReferenceError: undefinedThing/],
    [script('', 'for (;;);'), /did not come back/],
    [script('', 'process.exit(1);'), /took its thread with it/],
  ])('is refused with its place: %j', async (text, message) => {
    const folder = new Folder(text);
    await refusal(folder).toThrow(message);
  });

  it('has to be there, beside the patch', async () => {
    const folder = new Folder(script(''));
    await refusal(folder, folder.patch({}, 'other.ts')).toThrow(/other\.ts:1:1: cannot be read \(ENOENT\); there is main\.ts/);
    await refusal(folder, folder.patch({}, 'mian.ts')).toThrow(/mian\.ts:1:1: .*; did you mean 'main\.ts'\?/);
    for (const name of ['../main.ts', '/etc/main.ts', 'main.txt', 'a/../../main.ts'])
      await refusal(folder, folder.patch({}, name)).toThrow(/modules\.s\.script: .* is not a script's file/);
    const wrong = folder.patch().replace('"type":"script"', '"type":"lfo"').replace('s.cv1', 's.sine').replace('s.gate1', 's.sine');
    await refusal(folder, wrong).toThrow(/modules\.s\.script: a module of type 'lfo' runs no script/);
  });
});

describe('a script that plays', () => {
  it('goes on with what it was when its file is edited', async () => {
    const folder = new Folder(script("ctx.state['n'] ??= 3; ctx.cv(1, ctx.state['n']);"));
    const { knob, faults } = await play(folder);
    await until(() => knob() === 3);
    folder.write('main.ts', script("ctx.cv(1, ctx.state['n'] + 1);"));
    await until(() => knob() === 4);
    expect(faults).toEqual([]);
  });

  it('follows an edit of a file that it imports', async () => {
    const folder = new Folder(script('ctx.cv(1, level);', "import { level } from './level.js';")).write(
      'level.ts',
      'export const level = 1;',
    );
    const { knob } = await play(folder);
    await until(() => knob() === 1);
    folder.write('level.ts', 'export const level: number = 2;');
    await until(() => knob() === 2);
  });

  it('plays on as it was when the edit is broken, and says where', async () => {
    const folder = new Folder(script('ctx.cv(1, Math.floor(ctx.seconds * 20) % 8);'));
    const { engine, knob, faults } = await play(folder);
    folder.write('main.ts', script('ctx.cv(1, -1);').replace('-1)', '-1'));
    await until(() => faults.length === 1);
    expect(engine.moduleInfo('s').script).toMatchObject({ state: 'outdated', error: faults[0]!.message });
    expect(faults[0]).toMatchObject({
      kind: 'fault',
      what: 'script',
      id: 's',
      message: expect.stringMatching(/main\.ts:\d+:\d+: .*plays on/) as string,
    });
    folder.write('main.ts', script('ctx.cv(1, -2); null.x;'));
    await until(() => faults.length === 2);
    expect(faults[1]!.message).toMatch(/main\.ts:5:\d+: TypeError: .*plays on/);
    expect(engine.moduleInfo('s').script).toMatchObject({ state: 'outdated', error: faults[1]!.message });
    const seen = new Set<number>();
    await until(() => seen.add(knob()).size === 8);
  });

  it('loses only the tick at which it throws, and says so once', async () => {
    const folder = new Folder(script('ctx.cv(1, Math.floor(ctx.seconds * 20) % 8); if (ctx.seconds > 0.1) null.x;'));
    const { engine, knob, faults } = await play(folder);
    const seen = new Set<number>();
    await until(() => seen.add(knob()).size === 8);
    expect(faults).toHaveLength(1);
    expect(faults[0]!.message).toMatch(/main\.ts:5:\d+: TypeError/);
    expect(engine.moduleInfo('s').script).toMatchObject({ state: 'running', error: faults[0]!.message });
    expect(engine.moduleInfo('out')).not.toHaveProperty('script');
  });

  it('is ended when it hangs; others go on, and so does it once it is edited', async () => {
    const folder = new Folder(script('ctx.cv(1, 3); if (ctx.seconds > 0.1) for (;;);')).write(
      'other.ts',
      script('ctx.cv(1, Math.floor(ctx.seconds * 20) % 8);'),
    );
    const patch = folder.patch().replace('"out":', '"other":{"type":"script","script":"other.ts"},"out":');
    const { engine, knob, faults } = await play(folder, patch);
    await until(() => faults.length === 1);
    expect(faults[0]).toMatchObject({ id: 's', message: expect.stringContaining('did not come back') as string });
    const seen = new Set<unknown>();
    await until(() => seen.add(engine.moduleInfo('other').params['cv1']).size === 8);
    expect(knob()).toBe(3);
    folder.write('main.ts', script('ctx.cv(1, 4);'));
    await until(() => knob() === 4);
    expect(faults).toHaveLength(1);
  });

  it('is ended when its edit hangs as it is loaded, and comes back with the next', async () => {
    const folder = new Folder(script('ctx.cv(1, 3);'));
    const { engine, knob, faults } = await play(folder);
    await until(() => knob() === 3);
    folder.write('main.ts', script('', 'for (;;);'));
    await until(() => faults.length === 1 && engine.scriptStats().restarts === 1);
    expect(faults[0]!.message).toContain('did not come back');
    expect(engine.moduleInfo('s').script).toMatchObject({ state: 'resting', error: faults[0]!.message });
    expect(engine.scriptStats()).toMatchObject({ modules: 0, resting: 1 });
    folder.write('main.ts', script('ctx.cv(1, 4'));
    await until(() => faults.length === 2);
    expect(faults[1]!.message).toMatch(/main\.ts:6:3: .*; it rests/);
    expect(engine.moduleInfo('s').script).toMatchObject({ state: 'resting', error: faults[1]!.message });
    faults.pop();
    folder.write('main.ts', script('ctx.cv(1, 4);'));
    await until(() => knob() === 4);
    expect(engine.moduleInfo('s').script).toEqual({ file: join(folder.path, 'main.ts'), state: 'running' });
    expect(engine.scriptStats()).toMatchObject({ modules: 1, resting: 0 });
    expect(faults).toHaveLength(1);
  });

  it('is not disturbed by other edits, nor by a patch that cannot be loaded', async () => {
    const folder = new Folder(script('ctx.state.n = (ctx.state.n ?? 0) + 1; ctx.cv(1, Math.min(9, ctx.state.n / 50));'));
    const elsewhere = new Folder(script('null.x;')).write('main.ts', 'nonsense (');
    const { engine, knob, faults } = await play(folder);
    await until(() => knob() > 1);
    await engine.createModule('lfo', 'lfo');
    await expect(engine.loadPatch(elsewhere.patch(), { source: elsewhere.source })).rejects.toThrow('Unexpected token');
    await engine.edit([{ kind: 'tempo', bpm: 99 }]);
    const seen = [knob()];
    await until(() => seen.push(knob()) > 0 && knob() > seen[0]! + 1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(faults).toEqual([]);
  });

  it('counts beats on when the tempo changes', async () => {
    const text = `const { state } = ctx;
      state.most = Math.max(state.most ?? 0, Math.abs(ctx.beat - (state.beat ?? ctx.beat)));
      state.beat = ctx.beat;
      ctx.cv(1, state.most);
      ctx.cv(2, 5);`;
    const { engine, knob } = await play(new Folder(script(text)));
    await until(() => engine.frame > 8000 && knob() > 0);
    await engine.edit([{ kind: 'tempo', bpm: 300 }]);
    const { frame, beat, tempo } = engine.beats;
    expect({ beat, tempo }).toEqual({ beat: frame / engine.sampleRate, tempo: 300 });
    const end = engine.frame + 4000;
    await until(() => engine.frame > end);
    expect(knob()).toBeLessThan(1);
  });

  it('goes with its module, and comes back with it', async () => {
    const folder = new Folder(script('ctx.cv(1, 3);'));
    const { engine, faults } = await play(folder);
    await until(() => engine.moduleInfo('s').params['cv1'] === 3);
    // Of two voices it is another module, which knows nothing of what the script has set.
    await engine.loadPatch(folder.patch().replace('"type":"script"', '"type":"script","voices":2'), { source: folder.source });
    await until(() => String(engine.moduleInfo('s').params['cv1']) === '3,3' || engine.moduleInfo('s').params['cv1'] === 3);
    await engine.removeModule('s');
    await engine.loadPatch(folder.patch({ rate: 1000 }), { source: folder.source });
    await until(() => engine.moduleInfo('s').params['cv1'] === 3);
    expect(faults).toEqual([]);
  });
});
