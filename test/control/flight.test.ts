// The flight recorder: blocks and events of the last seconds, and a file that names the cause when the device ran dry.
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Engine } from '#src/control/engine.js';
import type { Flight } from '#src/control/flight.js';
import { planted } from '#src/control/kernels.js';
import { CONTROL } from '#src/shared/layout.js';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';

let engine: Engine | undefined;
afterEach(async () => {
  planted.clear();
  await engine?.stop();
});

const PATCH = {
  format: 'krell-patch',
  formatVersion: 1,
  title: 'test',
  modules: { noise: { type: 'noise' }, out: { type: 'out' } },
  cables: [{ from: 'noise.white', to: 'out.left' }],
} as never;

it('keeps every block, with its times, and what was done meanwhile', async () => {
  engine = await Engine.create({ workers: 1, realtime: false });
  await engine.loadPatch(PATCH);
  await engine.start({ driver: 'file', file: { frames: 48_000 * 3600, bits: '32f' } });
  await engine.createModule('lfo', 'lfo1');
  while (engine.frame < 48_000 * 20) await sleep(1);
  await engine.stop();
  const { workers, events, blockFrames, frame } = engine.flight();
  const [blocks] = workers as [Flight['workers'][number]];
  expect(blocks.length).toBeGreaterThan(8000);
  blocks.slice(1).forEach((block, i) => expect(block.frame).toBe(blocks[i]!.frame + blockFrames));
  expect(blocks.at(-1)!.frame).toBe(frame - blockFrames);
  blocks.slice(1).forEach(({ wallUs, busyUs, sinceUs, wakeUs }, i) => {
    expect(busyUs).toBeGreaterThan(0);
    expect(wallUs).toBeGreaterThanOrEqual(busyUs);
    expect(sinceUs).toBeGreaterThanOrEqual(blocks[i]!.wallUs);
    expect(wakeUs).toBe(0);
  });
  expect(events.every((event) => event.frame > frame - 48_000 * 11)).toBe(true);
});

it('keeps what came by OSC', async () => {
  engine = await Engine.create({ workers: 1, realtime: false });
  const { words } = engine.arena;
  Atomics.add(words, CONTROL.OSC_PACKETS, 3);
  Atomics.add(words, CONTROL.OSC_LATE, 1);
  const told = (): string[] => engine!.flight().events.flatMap(({ kind, message }) => (kind === 'osc' ? [message] : []));
  while (told().length === 0) await sleep(5);
  expect(told()).toEqual(['3 packets, 1 late']);
});

it('writes a file that names the module when the device ran dry', async () => {
  // Slow once a word of the control block, which nobody uses, says so: the first blocks must come in time for a device to run dry.
  const FLAG = 31;
  const slow = new Bytes();
  slow
    .int(1)
    .int(30_000_000)
    .int(0)
    .memory(OP.i32Load, FLAG * 4)
    .op(OP.i32Mul)
    .op(OP.i32Add)
    .set(2)
    .block(OP.loop)
    .get(2)
    .int(1)
    .op(OP.i32Sub)
    .tee(2)
    .branch(OP.brIf, 0)
    .end();
  planted.set('noise', encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [], body: slow }]));
  const flightFolder = join(mkdtempSync(join(tmpdir(), 'krell-flight-')), 'flights');
  engine = await Engine.create({ workers: 1, realtime: false, flightFolder });
  const underrun = new Promise((resolve) => engine!.on('underrun', resolve));
  await engine.loadPatch(PATCH);
  await engine.start({ driver: 'null' });
  while (engine.frame < 4800) await sleep(1);
  Atomics.store(engine.arena.words, FLAG, 1);
  await underrun;
  while (!existsSync(flightFolder) || readdirSync(flightFolder).length === 0) await sleep(5);
  await engine.stop();
  const [file] = readdirSync(flightFolder);
  const flight = JSON.parse(readFileSync(join(flightFolder, file!), 'utf8')) as Flight;
  expect(flight.cause).toMatch(/'noise'/);
  expect(flight.workers[0]!.some(({ busyUs }) => busyUs > 1333)).toBe(true);
  expect(flight.events.map(({ kind }) => kind)).toContain('underrun');
});

it('blames no fault that costs no time', async () => {
  engine = await Engine.create({ workers: 1, realtime: false });
  const fault = { kind: 'fault', frame: 0, message: 'rubbish came by OSC' } as const;
  for (const what of ['osc', 'script', 'nan']) engine.report({ ...fault, what });
  engine.report({ kind: 'underrun', count: 1, total: 1 });
  const cause = (): string | undefined => engine!.flight().events.findLast(({ kind }) => kind === 'underrun')?.message;
  while (cause() === undefined) await sleep(5);
  expect(cause()).not.toMatch(/dry: rubbish/);
  engine.report({ ...fault, what: 'trap', message: 'a module trapped' });
  engine.report({ kind: 'underrun', count: 1, total: 2 });
  while (!/dry: a module trapped/.test(cause()!)) await sleep(5);
});

it('says once that its folder cannot be written, and the show goes on', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'krell-flight-')), 'no-folder');
  writeFileSync(file, '');
  engine = await Engine.create({ workers: 1, realtime: false, flightFolder: join(file, 'flights') });
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.message);
  const printers = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', onWarning);
  engine.report({ kind: 'underrun', count: 1, total: 1 });
  await engine.stop();
  while (warnings.length === 0) await sleep(1);
  expect(warnings).toEqual([expect.stringMatching(/the flight recorder cannot write: .*(ENOTDIR|EEXIST)/)]);
  process.off('warning', onWarning);
  for (const printer of printers) process.on('warning', printer);
});
