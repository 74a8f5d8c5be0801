// Benches do not rot: each runs once, quickly, and its report makes sense. Nothing here depends on how fast the machine is.
import { describe, expect, it, vi } from 'vitest';
import * as create from '#bench/create.js';
import * as jitter from '#bench/jitter.js';
import * as kernels from '#bench/kernels.js';
import * as osc from '#bench/osc.js';
import * as peers from '#bench/peers.js';
import { findProgram } from '#bench/peers/program.js';
import { findScsynth } from '#bench/peers/scsynth.js';
import * as renders from '#bench/render.js';
import { deviation, median, quantile, type Report } from '#bench/report.js';
import { countCollections, run as runSoak, soak } from '#bench/soak.js';
import * as voices from '#bench/voices.js';
import { modules } from '#modules/index.js';

const QUICK = { quick: true };
vi.setConfig({ testTimeout: 120_000 });

const isTime = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < 1e6;

function checkReport({ title, rows, notes }: Report): void {
  expect(title).toMatch(/\w/);
  expect(rows.length).toBeGreaterThan(0);
  for (const value of rows.flatMap((row) => Object.values(row)))
    expect(typeof value === 'string' || Number.isFinite(value), `value ${value}`).toBe(true);
  expect(notes.at(-1)).toMatch(/ cores, Node\.js \d+\.\d+\.\d+ on .+ \d{4}-\d\d-\d\d$/);
}

describe('statistics', () => {
  it('takes medians, deviations and quantiles', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(deviation([1, 2, 3, 10, 4])).toBe(1);
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 50, 99, 100]);
  });
});

describe('voices', () => {
  it('measures both forms with one and two workers, and scsynth where it is', async () => {
    const report = await voices.run(QUICK);
    checkReport(report);
    const krell = report.rows.filter(({ engine }) => engine === 'krell');
    expect(krell.map(({ form, workers }) => `${form} ${workers}`)).toEqual(['poly 1', 'poly 2', 'mono 1', 'mono 2']);
    for (const row of report.rows) expect(isTime(row['ns/voice-sample'])).toBe(true);
    for (const row of report.rows.filter(({ workers }) => workers === 1)) {
      const cores = Number(row['voices/core']) * Number(row['ns/voice-sample']) * 48_000;
      expect(cores / 1e9).toBeCloseTo(1, 1);
    }
    const peers = report.rows.filter(({ engine }) => engine === 'scsynth');
    expect(peers).toHaveLength(findScsynth() ? 2 : 0);
    expect(report.notes.some((note) => note.includes('not installed'))).toBe(!findScsynth());
  });
});

describe('kernels', () => {
  it('measures every module in every form, and the standard voice as the sum of its kernels', async () => {
    const report = await kernels.run(QUICK);
    checkReport(report);
    const names = report.rows.map(({ module }) => module);
    expect(names.slice(0, modules.length)).toEqual(modules.map(({ type }) => type));
    for (const row of report.rows) {
      // What only passes parameters on has nothing to do for each sample.
      expect(row['operations'], String(row['module'])).toBeGreaterThanOrEqual(['gate', 'script'].includes(String(row['module'])) ? 0 : 1);
      for (const form of ['scalar', 'simd']) expect(isTime(row[form]), `${row['module']} ${form}`).toBe(true);
    }
    const parts = report.rows.filter(({ module }) => String(module).startsWith('voice: ') && module !== 'voice: sum');
    const sum = report.rows.find(({ module }) => module === 'voice: sum')!;
    for (const column of ['operations', 'scalar', 'packed', 'simd']) {
      const total = parts.reduce((all, row) => all + Number(row[column]), 0);
      expect(Number(sum[column]) / total, column).toBeCloseTo(1, 1);
    }
  });
});

describe('create', () => {
  it('edits a patch of thirty modules', async () => {
    expect(Object.keys(create.thirtyModules().modules)).toHaveLength(30);
    const report = await create.run(QUICK);
    checkReport(report);
    expect(report.title).toContain('30 modules');
    const times = new Map(report.rows.map((row) => [String(row['request']), Number(row['times'])]));
    expect(times.get('create')! + times.get('create, a type’s first')!).toBe(30);
    expect(times.get('remove')).toBe(30);
    expect(times.get('its thread')).toBe(29);
    expect(times.get('create, one of 8 at once')).toBe(8 * times.get('all of 8 at once')!);
    for (const row of report.rows) expect(Number(row['max ms'])).toBeGreaterThanOrEqual(Number(row['p50 ms']));
    expect(report.notes[0]).toMatch(/^\d+ underruns and \d+ stalls in /);
  });
});

describe('render', () => {
  it('renders every patch that comes along', async () => {
    const report = await renders.run(QUICK);
    checkReport(report);
    expect(report.rows.map(({ patch }) => patch)).toEqual(expect.arrayContaining(['krell', 'acid', 'pad', 'drone', 'keys']));
    for (const row of report.rows) for (const column of ['× real time, 1 worker', '2 workers']) expect(isTime(row[column])).toBe(true);
  });
});

describe('jitter', () => {
  it('sees every period of every run', async () => {
    const report = await jitter.run(QUICK);
    checkReport(report);
    // 1 s of 375 periods a second, less what an interrupted machine misses: which may be most.
    for (const row of report.rows) expect(Number(row['periods'])).toBeGreaterThan(20);
    const [quiet, loaded] = report.rows as [Report['rows'][0], Report['rows'][0]];
    expect(Number(loaded['load %'])).toBeGreaterThan(Number(quiet['load %']));
    expect(report.distributions).toHaveLength(2 * report.rows.length);
  });
});

describe('osc', () => {
  it('floods a playing engine and loses no last value', async () => {
    const report = await osc.run(QUICK);
    checkReport(report);
    expect(report.distributions![0]!.samples.length).toBeGreaterThan(100);
    for (const row of report.rows) {
      expect(row['last values right']).toBe('16 of 16');
      expect(Number(row['received'])).toBeGreaterThan(0.5 * Number(row['packets sent']));
      expect(row['refused']).toBe(0);
    }
  });
});

describe('peers', () => {
  it('has every engine that is installed render the voices, and says which are not', async () => {
    const report = await peers.run(QUICK);
    checkReport(report);
    const timed = (engine: string): boolean[] =>
      report.rows.filter((row) => row['engine'] === engine).map((row) => row['ns/voice-sample'] !== undefined);
    expect(timed('krell')).toEqual([true, true]);
    for (const program of ['scsynth', 'supernova', 'csound'])
      expect(new Set(timed(program))).toEqual(new Set([findProgram(program) !== undefined]));
    for (const row of report.rows) expect(String(row['how']).startsWith('not installed')).toBe(row['ns/voice-sample'] === undefined);
  });
});

describe('soak', () => {
  const line = (isolate: string, reason: string): string =>
    `[77:${isolate}]     1234 ms: Scavenge 4.9 (5.5) -> 4.1 (6.5) MB, 0.69 / 0.00 ms  (average mu = 1.000) ${reason};`;
  const trace = (...lines: [string, string][]): string => lines.map(([isolate, reason]) => line(isolate, reason)).join('\n');

  const [main, compiler, dsp, host] = ['0x55a0', '0x7f00', '0x7f10', '0x7f20'];
  const start: [string, string][] = [
    [main, 'task'],
    [compiler, 'allocation failure'],
    [main, 'testing'],
    [compiler, 'task'],
    [dsp, 'allocation failure'],
    [main, 'testing'],
    [host, 'allocation failure'],
    [main, 'testing'],
  ];

  it('counts collections between the marks, by thread', () => {
    const text = trace(
      ...start,
      [main, 'task'],
      [dsp, 'task'],
      [dsp, 'task'],
      [compiler, 'task'],
      [host, 'task'],
      [main, 'testing'],
      [dsp, 'task'],
    );
    expect(countCollections(`${text}\nsomething else\n`, 1)).toEqual({ main: 1, dsp: 2, others: 1 });
  });

  it('takes the end of a collection that was under way for no mark', () => {
    const text = trace(...start, [main, '(+ 3.3 ms in 2 steps since start of marking, walltime 49 ms) testing'], [main, 'testing']);
    expect(countCollections(text, 1)).toEqual({ main: 1, dsp: 0, others: 0 });
  });

  it('does not take a trace that it cannot read for silence', () => {
    expect(() => countCollections('', 1)).toThrow('no trace');
    expect(() => countCollections(trace(...start), 1)).toThrow('no trace');
    expect(() => countCollections(trace(...start, [main, 'testing']), 2)).toThrow('cannot tell them apart');
  });

  it.each(['early', 'late'] as const)('sees a thread that makes garbage, started %s', async (plantGarbage) => {
    const { collections } = await soak({ seconds: 0.5, plantGarbage });
    expect(plantGarbage === 'early' ? collections.dsp : collections.others).toBeGreaterThan(0);
  });

  it('plays without a collection in the DSP threads', async () => {
    const report = await runSoak(QUICK);
    checkReport(report);
    const value = (what: string): unknown => report.rows.find((row) => row['what'] === what)?.['value'];
    expect(value('seconds played')).toBeGreaterThan(3);
    expect(value('garbage collections, main thread')).toBeGreaterThan(0);
    expect(value('garbage collections, DSP threads')).toBe(0);
    expect(value('kernel faults')).toBe(0);
  });
});
