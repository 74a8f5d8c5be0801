// Kernels compiled on other threads: the same bytes, the same errors, and nothing of it on the control thread.
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { modules } from '#modules/index.js';
import { compileElsewhere } from '#src/control/compiler.js';
import { Engine } from '#src/control/engine.js';
import { Kernels } from '#src/control/kernels.js';
import { compileKernel, type KernelRequest } from '#src/kernel/compile.js';
import { KernelError, type InputKind } from '#src/kernel/index.js';
import { defineModule, cv, type ModuleDefinition } from '#src/module.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-kernels-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const module = (type: string): ModuleDefinition => modules.find((each) => each.type === type)!;
const need = (definition: ModuleDefinition, kind: InputKind = '-', voices = 1) => ({
  definition,
  variant: {
    sampleRate: 48_000,
    voices,
    inputs: Object.keys(definition.inputs).map(() => kind),
    outputs: Object.keys(definition.outputs).map(() => true),
  },
});
const request = (definition: ModuleDefinition, kind?: InputKind, voices?: number): KernelRequest => ({
  ...need(definition, kind, voices),
  path: undefined,
});

/** A module from outside the package whose source is wrong in its third line. */
const path = join(folder, 'wrong.ts');
const wrong = defineModule({ type: 'wrong', summary: '', tags: [], inputs: {}, outputs: { out: cv() }, params: {}, process() {} });
writeFileSync(
  path,
  "export const wrong = defineModule({\n  type: 'wrong',\n  process({ output }) { while (true) output.out = 1; },\n});\n",
);

// First of all: a source that has been read once is not read again.
it('no source is read on the control thread, however many modules a patch has', async () => {
  const read = vi.spyOn(fs, 'readFileSync');
  syncBuiltinESMExports();
  const sources = (): string[] => read.mock.calls.map(([file]) => String(file)).filter((file) => /\/(modules|dsp)\/\w+\.ts$/.test(file));
  const all = Object.fromEntries(modules.filter(({ role }) => role !== 'script').map(({ type }) => [type, { type }]));
  const engine = await Engine.create({ workers: 1, realtime: false });
  try {
    await engine.loadPatch({ format: 'krell-patch', formatVersion: 1, modules: all, cables: [] } as never);
    await engine.start({ driver: 'null' });
    await engine.createModule('reverb', 'another', { voices: 2 });
    expect(sources()).toEqual([]);
  } finally {
    await engine.stop();
  }
  // It would have been seen.
  compileKernel(request(module('vca')));
  expect(sources()).toContainEqual(expect.stringMatching(/vca\.ts$/));
});

describe('a kernel compiled on another thread', () => {
  it('is the same, byte for byte', async () => {
    for (const definition of modules)
      for (const [kind, voices] of [
        ['-', 1],
        ['m', 1],
        ['p', 6],
      ] as const) {
        const [here, there] = [compileKernel(request(definition, kind, voices)), await compileElsewhere(request(definition, kind, voices))];
        expect(Buffer.compare(there.bytes, here.bytes), definition.type).toBe(0);
        expect(there.operations).toBe(here.operations);
      }
  });

  it('fails with the same error', async () => {
    const of = (work: () => unknown): Promise<unknown> =>
      Promise.resolve()
        .then(work)
        .catch((error: unknown) => error);
    const there = await of(() => compileElsewhere({ ...request(wrong), path }));
    expect(there).toBeInstanceOf(KernelError);
    expect(there).toMatchObject({ line: 3, file: path });
    expect(there).toEqual(await of(() => compileKernel({ ...request(wrong), path })));
  });

  it('is compiled here when it cannot get there', async () => {
    const definition = { ...module('vca'), note: () => 'functions do not travel' };
    expect(await compileElsewhere(request(definition))).toEqual(compileKernel(request(module('vca'))));
  });
});

describe('the kernels of an engine', () => {
  const posted: number[] = [];
  const fresh = (): Kernels => {
    posted.length = 0;
    const post = (messages: readonly { index: number }[]): number => posted.push(...messages.map(({ index }) => index));
    return new Kernels({ post }, ({ type }) => (type === 'wrong' ? path : undefined));
  };

  it('are each posted once, in the order of their numbers', async () => {
    const kernels = fresh();
    const [vca, lfo, again] = await kernels.all([need(module('vca')), need(module('lfo')), need(module('vca'))]);
    expect(vca).toBe(again);
    expect([vca!.index, lfo!.index]).toEqual([0, 1]);
    const [more, known] = await kernels.all([need(module('vca'), 'm'), need(module('lfo'))]);
    expect([more!.index, known]).toEqual([2, lfo]);
    expect(posted).toEqual([0, 1, 2]);
    expect([kernels.posted, kernels.count]).toEqual([3, 3]);
  });

  it('are all posted, or none when one is wrong', async () => {
    const kernels = fresh();
    await expect(kernels.all([need(module('vca')), need(wrong)])).rejects.toBeInstanceOf(KernelError);
    expect(posted).toEqual([]);
    expect(await kernels.all([need(module('vca'))])).toMatchObject([{ index: 0 }]);
  });

  it('are not posted before somebody needs them', async () => {
    const kernels = fresh();
    const stopped = new AbortController();
    await kernels.warm([wrong, module('vca'), module('gate')], 48_000, stopped.signal);
    expect(posted).toEqual([]);
    stopped.abort();
    await kernels.warm(modules, 48_000, stopped.signal);
  });
});
