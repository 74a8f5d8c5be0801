// The life cycle of modules by OSC: what the library can, a controller can.
import { expect, it } from 'vitest';
import { STATE } from '#src/shared/layout.js';
import { said, stage as setStage } from '../osc/server-rig.js';

const stage = setStage();

it('makes, finds, asks, revives, cleans up and removes', async () => {
  await stage.ownEngine();
  const { engine } = stage;
  const thread = await stage.serve();
  const ask = async (command: string, ...args: (string | number)[]): Promise<unknown[][]> => said(await thread.ask(command, args));
  const done = (command: string, ...values: unknown[]): unknown[] => ['/done', `/engine/${command}`, ...values];

  expect(await ask('module/running', 'vcf')).toEqual([done('module/running', 'vcf', false)]);
  await engine.start({ driver: 'null' });
  expect(await ask('module/create', 'lfo', 'lfo1')).toEqual([done('module/create', 'lfo', 'lfo1')]);
  expect(await ask('module/running', 'lfo1')).toEqual([done('module/running', 'lfo1', true)]);
  expect(await ask('module/find', 'lfo*')).toEqual([['/engine/module/find', 1, 1, 'lfo1'], done('module/find', 1)]);

  const fail = (id: string): void => {
    const { state, lane } = engine.liveModules().find((module) => module.id === id)!;
    Atomics.or(engine.arena.words, state / 4 + STATE.MUTED, 1 << (lane ?? 0));
  };
  fail('vcf');
  fail('lfo1');
  expect((await ask('module/info', 'vcf')).flat()).toContain('bypassed');
  expect(await ask('module/revive', 'vcf')).toEqual([done('module/revive', 'vcf')]);
  expect((await ask('module/info', 'vcf')).flat()).toContain('running');
  expect((await ask('module/revive', 'vcff'))[0]!.join(' ')).toMatch(/fail.*no module 'vcff'; did you mean 'vcf'/);
  expect(await ask('module/clean')).toEqual([['/engine/module/clean', 1, 1, 'lfo1'], done('module/clean', 1)]);
  expect(await ask('module/remove', 'vcf')).toEqual([done('module/remove', 'vcf')]);
  expect(await ask('module/running', 'vcf')).toEqual([done('module/running', 'vcf', false)]);
  const status = (await ask('status')).flat();
  for (const name of ['workersAlive', 'restarts[0]', 'faults[0]', 'underruns', 'abandoned', 'edits']) expect(status).toContain(name);
});
