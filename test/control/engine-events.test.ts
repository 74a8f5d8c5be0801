// What the engine tells its listeners.
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '#src/control/events.js';
import { CONTROL } from '#src/shared/layout.js';
import { create, OUT, patch, until } from './engine-fixture.js';

describe('events', () => {
  it('tell of edits, loads and the end, and survive their listeners', async () => {
    const engine = await create();
    const events: EngineEvent[] = [];
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    const printers = process.listeners('warning');
    process.removeAllListeners('warning').on('warning', onWarning);
    const note = (event: EngineEvent): void => void events.push(event);
    engine.on('edit', () => {
      throw new Error('a listener threw');
    });
    engine.on('edit', async () => Promise.reject(new Error('a listener rejected')));
    for (const kind of ['edit', 'load', 'device', 'stopped'] as const) engine.on(kind, note);
    await engine.loadPatch(patch({ a: { type: 'vco' }, b: { type: 'vco' }, ...OUT }));
    await engine.loadPatch(patch({ a: { type: 'lfo' }, c: { type: 'vco' }, ...OUT }));
    await expect(engine.removeModule('nobody')).rejects.toThrow();
    engine.off('edit', note);
    await engine.removeModule('c');
    const output = await engine.start({ driver: 'null' });
    await engine.stop();
    await engine.stop();
    expect(events).toEqual([
      { kind: 'edit', added: ['a', 'b', 'out'], removed: [], changed: [] },
      { kind: 'load', title: 'test' },
      { kind: 'edit', added: ['c'], removed: ['b'], changed: ['a'] },
      { kind: 'load', title: 'test' },
      { kind: 'device', state: 'open', output },
      { kind: 'stopped' },
    ]);
    await until(() => warnings.includes('a listener threw') && warnings.includes('a listener rejected'));
    process.off('warning', onWarning);
    for (const printer of printers) process.on('warning', printer);
  });

  it('count underruns', async () => {
    const engine = await create();
    const events: EngineEvent[] = [];
    engine.on('underrun', (event) => events.push(event));
    Atomics.add(engine.arena.words, CONTROL.UNDERRUNS, 3);
    await until(() => events.length > 0);
    expect(events).toEqual([{ kind: 'underrun', count: 3, total: 3 }]);
  });
});
