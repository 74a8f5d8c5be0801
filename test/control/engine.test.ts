// The engine while it plays: edits, and failures that leave everything as it was.
import { describe, expect, it } from 'vitest';
import { create, largestStep, most, OUT, patch, record, usage } from './engine-fixture.js';

const SINE = { vco: { type: 'vco', params: { freq: 200 } }, ...OUT };
const SINE_CABLES: [string, string][] = [['vco.sine', 'out.left']];
/** A steady 5 V: half of full scale. `out` blocks DC, slowly. */
const STEADY = { dc: { type: 'attenuverter', params: { offset: 5 } }, ...OUT };

describe('edits while playing', () => {
  it('leave a sine untouched, sample by sample', async () => {
    const alone = await create();
    await alone.loadPatch(patch(SINE, SINE_CABLES));
    const frames = 48_000 * 20;
    const [expected] = await record(alone, frames);
    const edited = await create();
    await edited.loadPatch(patch(SINE, SINE_CABLES));
    let edits = 0;
    const [heard] = await record(edited, frames, async () => {
      for (let i = 0; i < 10; i++) {
        await edited.createModule('lfo', `lfo${i}`, { params: { rate: 3 } });
        await edited.createModule('vca', `vca${i}`, { voices: 4 });
        await edited.connect(`lfo${i}.sine`, `vca${i}.in`, 0.5);
        await edited.set(`lfo${i}`, 'rate', 5);
        await edited.disconnect(`lfo${i}.sine`, `vca${i}.in`);
        await edited.removeModule(`lfo${i}`);
        edits += 6;
      }
    });
    expect(edits).toBe(60);
    expect(Buffer.compare(Buffer.from(heard.buffer), Buffer.from(expected.buffer))).toBe(0);
  });

  it('let cables come and go within 5 ms, without a step', async () => {
    const engine = await create();
    await engine.loadPatch(patch(STEADY));
    // The out's filter against DC, which would add to a step, has come to rest by then too.
    const faded = async (): Promise<void> => {
      const end = engine.frame + 48_000;
      while (engine.frame < end) await new Promise((resolve) => setImmediate(resolve));
    };
    const [heard] = await record(engine, 48_000 * 60, async () => {
      await engine.connect('dc.out', 'out.left');
      await faded();
      await engine.disconnect('dc.out', 'out.left');
      await engine.connect('dc.out', 'out.left', 0.5);
      await faded();
      await engine.removeModule('dc');
    });
    // 0 → 0.5 of full scale in 240 frames.
    expect(most(heard)).toBeGreaterThan(0.4);
    expect(largestStep(heard)).toBeLessThan(0.5 / 230);
    expect(Math.abs(heard.at(-1)!)).toBeLessThan(1e-3);
  });

  it('give all memory back', async () => {
    const engine = await create();
    await engine.loadPatch(patch(SINE, SINE_CABLES));
    const before = usage(engine);
    await engine.start({ driver: 'null' });
    for (let i = 0; i < 30; i++) {
      await engine.createModule('delay', 'echo', { voices: 2 });
      await engine.connect('vco.sine', 'echo.left');
      await engine.connect('echo.left', 'out.left', 0.3);
      await engine.removeModule('echo');
    }
    for (let i = 0; i < 100 && usage(engine) > before; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    // A mixer before out.left may stay, and plans differ by a few steps.
    expect(usage(engine) - before).toBeLessThan(64 * 1024);
  });

  it('keep the state of modules that both patches have', async () => {
    const engine = await create();
    const counter = { lfo: { type: 'lfo', params: { rate: 0.05 } }, ...OUT };
    await engine.loadPatch(patch(counter, [['lfo.saw', 'out.left']]));
    const [heard] = await record(engine, 48_000 * 15, async () => {
      while (engine.frame < 48_000 * 5) await new Promise((resolve) => setTimeout(resolve, 1));
      await engine.loadPatch(patch({ ...counter, other: { type: 'vco' } }, [['lfo.saw', 'out.left']]));
    });
    expect(largestStep(heard.subarray(100, 48_000 * 9))).toBeLessThan(1e-3);
  });
});

it('a chain of thousands of modules goes as quickly as it came', async () => {
  const engine = await create();
  const ids = Array.from({ length: 2500 }, (_, i) => `m${i}`);
  const chain = ids.map((id, i): [string, string] => [`${id}.out`, i > 0 ? `m${i - 1}.in` : 'out.left']);
  await engine.loadPatch(patch({ ...Object.fromEntries(ids.map((id) => [id, { type: 'attenuverter' }])), ...OUT }, chain));
  await engine.start({ driver: 'file', file: { frames: 48_000 * 3600, bits: '32f' } });
  // The modules play on until they are silent, which takes a search through all of them.
  await engine.loadPatch(patch(OUT));
  expect(engine.listModules().map(({ id }) => id)).toEqual(['out']);
});

describe('failures', () => {
  it('leave the patch and the sound as they were', async () => {
    const engine = await create({ memoryBytes: 16 * 1024 * 1024 });
    await engine.loadPatch(patch(SINE, SINE_CABLES));
    await engine.start({ driver: 'null' });
    const saved = engine.savePatch();
    const used = usage(engine);
    await expect(engine.createModule('delay', 'long', { voices: 16 })).rejects.toThrow(/memory budget exceeded/);
    await expect(engine.createModule('oscillator', 'x')).rejects.toThrow(/no module type/);
    await expect(engine.createModule('vco', 'vco')).rejects.toThrow(/already/);
    await expect(engine.createModule('vco', '../etc/passwd')).rejects.toThrow(/passwd/);
    await expect(engine.connect('vco.sine', 'out.middle')).rejects.toThrow(/middle/);
    await expect(engine.removeModule('nobody')).rejects.toThrow(/nobody/);
    await expect(engine.loadPatch('{')).rejects.toThrow(/patch: 1 error/);
    expect(engine.savePatch()).toBe(saved);
    expect(usage(engine)).toBe(used);
    await engine.createModule('lfo', 'lfo1');
    expect(engine.listModules().map(({ id }) => id)).toEqual(['vco', 'out', 'lfo1']);
  });
});
