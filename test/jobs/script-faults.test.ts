// What scripts do wrong, and what becomes of the others: the patch plays, every fault has its place, and nothing waits for ever.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Engine, render } from '#src/index.js';
import type { FaultEvent } from '#src/control/events.js';
import { loadScript } from '#src/jobs/script/load.js';
import { ModuleTicks, type ScriptArena } from '#src/jobs/script/ticks.js';
import { MAX_SCRIPT_THREADS } from '#src/shared/layout.js';

const RATE = 8000;
const script = (tick: string, before = '', more = ''): string =>
  `import { defineScript } from 'krell/script';\n${before}\nexport default defineScript({\n  ${more}\n  tick(ctx) {\n    ${tick}\n  },\n});\n`;
const COUNT = 'ctx.state.n = (ctx.state.n ?? 0) + 1; ctx.cv(1, ctx.state.n / 1000);';

class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'krell-faults-'));
  readonly source = join(this.path, 'patch.json');

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }
  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), text);
  }
  /** A patch of a module for each script. */
  patch(...scripts: readonly string[]): string {
    const modules = Object.fromEntries(scripts.map((file, i) => [`s${i}`, { type: 'script', script: file }]));
    return JSON.stringify({
      format: 'krell-patch',
      formatVersion: 1,
      tempo: 60,
      modules: { ...modules, out: { type: 'out' } },
      cables: [],
    });
  }
}

const engines: Engine[] = [];
afterEach(async () => void (await Promise.all(engines.splice(0).map((engine) => engine.stop()))));
async function newEngine(): Promise<{ engine: Engine; faults: FaultEvent[]; cv: (id?: string) => number }> {
  const engine = await Engine.create({ sampleRate: RATE, workers: 1, realtime: false });
  engines.push(engine);
  const faults: FaultEvent[] = [];
  engine.on('fault', (fault) => fault.what === 'script' && faults.push(fault));
  return { engine, faults, cv: (id = 's0') => Number(engine.moduleInfo(id).params['cv1']) };
}
async function play(folder: Folder, ...scripts: readonly string[]): ReturnType<typeof newEngine> {
  const all = await newEngine();
  await all.engine.loadPatch(folder.patch(...scripts), { source: folder.source });
  await all.engine.start({ driver: 'null' });
  return all;
}
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await pause(5);
};

describe('a setup that throws', () => {
  const broken = script('ctx.cv(1, 3);', '', 'setup() { null.x; },');

  it('is a fault with its place; the patch plays, and so does the script once it is edited', async () => {
    const folder = new Folder({ 'a.ts': broken, 'b.ts': script('ctx.cv(1, 2);') });
    const { engine, faults, cv } = await play(folder, 'a.ts', 'b.ts');
    await until(() => cv('s1') === 2);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ id: 's0', message: expect.stringMatching(/a\.ts:4:\d+: TypeError: .*rests until/) as string });
    // What has nothing to do with it neither tries nor tells it again.
    await engine.createModule('lfo', 'lfo');
    await engine.createModule('lfo', 'lfo2');
    folder.write('a.ts', script('ctx.cv(1, 4);'));
    await until(() => cv() === 4);
    expect(faults).toHaveLength(1);
  });

  it('leaves all modules of the file as they were when it is an edit', async () => {
    const folder = new Folder({ 'a.ts': script('ctx.cv(1, Math.floor(ctx.seconds * 20) % 4);') });
    const { faults, cv } = await play(folder, 'a.ts', 'a.ts');
    folder.write('a.ts', script('ctx.cv(1, 9);', 'let setups = 0;', 'setup() { if (++setups === 2) null.x; },'));
    await until(() => faults.length > 0);
    for (const id of ['s0', 's1']) {
      const seen = new Set<number>();
      await until(() => seen.add(cv(id)).size === 4);
      expect(seen.has(9)).toBe(false);
    }
  });
});

describe('a script that hangs', () => {
  it('disturbs no other: those keep thread and state', async () => {
    const folder = new Folder({ 'a.ts': script('if (ctx.seconds > 0.3) for (;;);'), 'b.ts': script(COUNT) });
    const { engine, faults, cv } = await play(folder, 'a.ts', 'b.ts');
    expect(engine.scriptStats()).toMatchObject({ modules: 2, threads: 2 });
    const seen: number[] = [];
    await until(() => seen.push(cv('s1')) > 0 && faults.length > 0);
    const atFault = cv('s1');
    await until(() => seen.push(cv('s1')) > 0 && cv('s1') > atFault);
    expect(seen).toEqual([...seen].sort((x, y) => x - y));
    // It went on while the other hung, which took a second to notice.
    expect(new Set(seen).size).toBeGreaterThan(5);
    expect(engine.scriptStats()).toMatchObject({ modules: 1, restarts: 1 });
  });

  it('does not keep a load waiting when the engine is stopped', async () => {
    const folder = new Folder({ 'a.ts': script('', 'for (;;);') });
    const { engine } = await newEngine();
    const loading = engine.loadPatch(folder.patch('a.ts'), { source: folder.source }).then(
      () => 'loaded',
      () => 'refused',
    );
    await pause(300);
    await engine.stop();
    expect(await loading).toBe('refused');
  });

  it('shares its thread only when there are more files than threads', async () => {
    const files = Array.from({ length: MAX_SCRIPT_THREADS + 2 }, (_, i) => `${i}.ts`);
    const folder = new Folder(Object.fromEntries(files.map((file) => [file, script(COUNT)])));
    folder.write('0.ts', script('if (ctx.seconds > 0.5) for (;;);'));
    const { engine, faults, cv } = await play(folder, ...files);
    expect(engine.scriptStats().threads).toBe(MAX_SCRIPT_THREADS);
    await until(() => faults.length > 0);
    const before = files.map((_, i) => cv(`s${i}`));
    // Of those that shared its thread the count begins anew.
    await until(() => files.every((_, i) => i === 0 || cv(`s${i}`) !== before[i]));
    expect(engine.scriptStats()).toMatchObject({ modules: files.length - 1, restarts: 1 });
  });
});

it('names file and line of what kills a thread between ticks, and begins it anew', async () => {
  const folder = new Folder({ 'a.ts': script('ctx.cv(1, 3);', "setTimeout(() => {\n  throw new Error('later');\n}, 300);") });
  const { faults } = await play(folder, 'a.ts');
  await until(() => faults.length > 0);
  expect(faults[0]).toMatchObject({ id: 's0', message: expect.stringMatching(/a\.ts:3:9: .*later.*begins anew/) as string });
});

it('lives with whatever is thrown, and tells it in bounds', async () => {
  const folder = new Folder({
    'a.ts': script(`ctx.state.n = (ctx.state.n ?? 0) + 1; throw new Error('\\u0001'.repeat(5000) + ctx.state.n);`),
  });
  const { engine, faults } = await play(folder, 'a.ts');
  await until(() => engine.scriptStats().errors > 100);
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.length).toBeLessThan(engine.scriptStats().errors / 4);
});

it('sets its values again after a patch was loaded again', async () => {
  const folder = new Folder({
    'a.ts': script('ctx.cv(1, 5); ctx.state.n = (ctx.state.n ?? 0) + 1; ctx.cv(2, Math.min(9, ctx.state.n / 100));'),
  });
  const { engine, cv } = await play(folder, 'a.ts');
  await until(() => cv() === 5);
  const count = Number(engine.moduleInfo('s0').params['cv2']);
  await engine.loadPatch(folder.patch('a.ts'), { source: folder.source });
  const { ticks } = engine.scriptStats();
  await until(() => engine.scriptStats().ticks > ticks + 50);
  await until(() => cv() === 5);
  expect(Number(engine.moduleInfo('s0').params['cv2'])).toBeGreaterThanOrEqual(count);
  await engine.set('s0', 'cv1', 1);
  await until(() => cv() === 5);
});

describe('files', () => {
  it('may come, go and come back', async () => {
    const folder = new Folder({ 'a.ts': script('ctx.cv(1, 1);') });
    const { faults, cv } = await play(folder, 'a.ts');
    await until(() => cv() === 1);
    rmSync(join(folder.path, 'a.ts'));
    await until(() => faults.length === 1);
    expect(faults[0]!.message).toMatch(/a\.ts:1:1: cannot be read \(ENOENT\); .*plays on/);
    folder.write('a.ts', script('ctx.cv(1, two);', "import { two } from './two.js';"));
    await until(() => faults.length === 2);
    expect(faults[1]!.message).toMatch(/a\.ts:2:21: there is no file '\.\/two\.js'/);
    // What was missing is waited for.
    folder.write('two.ts', 'export const two: number = 2;');
    await until(() => cv() === 2);
  });

  it('that several import are one module', async () => {
    const folder = new Folder({
      'a.ts': script('ctx.cv(1, box.n);', "import './b.js';\nimport './c.js';\nimport { box } from './box.js';"),
      'b.ts': "import { box } from './box.js';\nbox.n += 1;",
      'c.ts': "import { box } from './box.js';\nbox.n += 2;",
      'box.ts': 'export const box: { n: number } = { n: 0 };',
    });
    const { cv } = await play(folder, 'a.ts');
    await until(() => cv() === 3);
  });

  it('may be hundreds', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `part${i}`);
    const folder = new Folder(Object.fromEntries(names.map((name) => [`${name}.ts`, 'export {};'])));
    folder.write('a.ts', script('ctx.cv(1, 1);', names.map((name) => `import './${name}.js';`).join('\n')));
    const { cv } = await play(folder, 'a.ts');
    await until(() => cv() === 1);
  });

  it('may import a package that has ES modules only', async () => {
    const folder = new Folder({
      'a.ts': script(
        '',
        "import { five } from 'only';\nimport { six } from '@scope/only/six';\nif (five + six !== 11) throw new Error('wrong');",
      ),
      'node_modules/only/package.json':
        '{ "name": "only", "type": "module", "exports": { ".": { "types": "./x.d.ts", "import": "./index.js" } } }',
      'node_modules/only/index.js': 'export const five = 5;',
      'node_modules/@scope/only/package.json': '{ "type": "module", "exports": { "./six": { "import": { "default": "./six.js" } } } }',
      'node_modules/@scope/only/six.js': 'export const six = 6;',
    });
    const { files } = await loadScript(join(folder.path, 'a.ts'));
    expect(files).toEqual([join(folder.path, 'a.ts')]);
  });
});

describe('ctx', () => {
  /** Ticks without a thread; what is sent is kept. */
  function ticksOf(sampleRate: number, rate: number, tempo: number): { ticks: ModuleTicks; sent: Int32Array[] } {
    const sent: Int32Array[] = [];
    const names = ['rate', ...['cv', 'gate'].flatMap((kind) => [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `${kind}${n}`))];
    const floats = new Float32Array(names.length);
    floats[0] = rate;
    const commands = { push: (command: Int32Array) => sent.push(command.slice()) > 0 } as never;
    const arena: ScriptArena = { floats, commands, sampleRate, frame: () => 0, isOffline: () => true };
    const params = Object.fromEntries(names.map((name, index) => [name, { index, word: index }]));
    return {
      ticks: new ModuleTicks({ id: 's', file: '', seed: 1, beats: { frame: 0, beat: 0, tempo }, address: 1, voice: -1, params }, arena),
      sent,
    };
  }

  it.each([
    [48_000, 250, 120],
    [44_100, 1000, 97],
    [44_100, 333, 133.7],
    [48_000, 30, 60],
    [96_000, 1000, 174],
  ])('every: each beat once at %i Hz, %i ticks, %d BPM', (sampleRate, rate, tempo) => {
    for (const beats of [1 / 4, 1 / 3, 0.1, 0.7, 1]) {
      const { ticks } = ticksOf(sampleRate, rate, tempo);
      let fired = 0;
      const script = { tick: () => void (ticks.every(beats) && fired++) };
      ticks.script = script;
      while (ticks.seconds < 60) ticks.run();
      const wanted = Math.ceil(ticks.beat / beats - 1e-9);
      expect(fired).toBe(wanted);
    }
  });

  it.each([
    [60, 200],
    [200, 60],
    [999, 10],
  ])('every: each beat once when the tempo goes from %i to %i, and beats count on', (tempo, next) => {
    for (let at = 1; at < 2; at += 0.017) {
      const { ticks } = ticksOf(48_000, 250, tempo);
      let fired = 0;
      ticks.script = { tick: () => void (ticks.every(1) && fired++) };
      while (ticks.seconds < at) ticks.run();
      // It changes where the engine is, a little before the tick that is to be computed.
      const frame = ticks.frame - 480;
      const beat = (frame / 48_000) * (tempo / 60);
      ticks.move({ ...ticks.module, beats: { frame, beat, tempo: next } });
      expect(ticks.beat).toBeCloseTo(beat + 0.01 * (next / 60), 9);
      while (ticks.seconds < 10) ticks.run();
      expect(fired).toBe(Math.ceil(ticks.beat - 1e-9));
    }
  });

  it('every: refuses what is no time', () => {
    const { ticks } = ticksOf(48_000, 250, 120);
    for (const beats of [0, -1, NaN]) expect(() => ticks.every(beats)).toThrow(RangeError);
  });

  it('gate: closes what a pulse is about to open', () => {
    const { ticks, sent } = ticksOf(48_000, 1000, 120);
    ticks.gate(1, true);
    ticks.pulse(1, 0.5);
    ticks.gate(1, false);
    const frames = sent.map((command) => command[5]!);
    expect(frames).toEqual([...frames].sort((a, b) => a - b));
    expect(sent.at(-1)![4]).toBe(0);
  });
});

it('counts ticks, errors, what was dropped, and what a tick takes', async () => {
  const busy = 'const end = performance.now() + 2; while (performance.now() < end);';
  const folder = new Folder({ 'a.ts': script(`${busy} if (ctx.frame % 2 === 0) null.x;`) });
  const { engine } = await play(folder, 'a.ts');
  await until(() => engine.scriptStats().ticks > 20);
  const { errors, tickMs } = engine.scriptStats();
  expect(errors).toBeGreaterThan(0);
  expect(tickMs.p50).toBeGreaterThan(1);
  expect(tickMs.p99).toBeGreaterThanOrEqual(tickMs.p50);
});

it('renders on when a script fails, and says so', async () => {
  const folder = new Folder({ 'a.ts': script('null.x;') });
  const faults: string[] = [];
  await render(folder.patch('a.ts'), {
    source: folder.source,
    sampleRate: RATE,
    seconds: 0.2,
    onFault: ({ message }) => faults.push(message),
  });
  expect(faults).toEqual([expect.stringMatching(/a\.ts:6:\d+: TypeError/)]);
});

it('gives the same bits from several files at once, in any blocks', async () => {
  const files = ['a.ts', 'b.ts', 'c.ts'];
  const folder = new Folder(
    Object.fromEntries(files.map((file) => [file, script('ctx.cv(1, ctx.random() * 10); ctx.pulse(1, ctx.random() / 20);')])),
  );
  const plain = JSON.parse(folder.patch(...files)) as { cables: object[] };
  const outputs = files.flatMap((_, i) => [`s${i}.cv1`, `s${i}.gate1`]);
  const patch = JSON.stringify({
    ...plain,
    cables: outputs.map((from, i) => ({ from, to: i % 2 ? 'out.left' : 'out.right', gain: 0.05 })),
  });
  const hashes = new Set<string>();
  for (const [blockFrames, workers] of [
    [16, 1],
    [256, 2],
    [1024, 2],
  ] as const) {
    const { sha256, peak } = await render(patch, { source: folder.source, sampleRate: RATE, seconds: 1, blockFrames, workers });
    expect(peak).toBeGreaterThan(0.01);
    hashes.add(sha256);
  }
  expect(hashes.size).toBe(1);
});
