// A device that goes away is told of as every fault is: by an event, and in the flight recorder.
import { afterEach, expect, it } from 'vitest';
import type { EngineEvent } from '#src/index.js';
import { hasJack, startJack } from '../host/jack.js';
import { create, OUT, patch, until } from './engine-fixture.js';

let end = async (): Promise<void> => {};
afterEach(() => end());

it.skipIf(!hasJack)('the loss of a device is an event, whatever a listener does', async () => {
  end = await startJack();
  const engine = await create();
  const events: Extract<EngineEvent, { kind: 'device' }>[] = [];
  engine.on('device', (event) => events.push(event));
  await engine.loadPatch(patch(OUT));
  const onDevice = (): never => {
    throw new Error('a listener threw');
  };
  await engine.start({ driver: 'jack', onDevice });
  await until(() => engine.frame > 1000);
  await end();
  await until(() => events.length === 2);
  expect(events).toMatchObject([
    { state: 'open', output: { driver: 'jack' } },
    { state: 'lost', output: { driver: 'null', reason: expect.stringMatching(/'system \(JACK\)'/) as string } },
  ]);
  expect(
    engine
      .flight()
      .events.filter(({ kind }) => kind === 'device')
      .at(-1)!.message,
  ).toMatch(/^lost: .*'system/);
});
