// `krell stats` tells of every DSP thread what it does and how the system lets it.
import { expect, it } from 'vitest';
import { SCHEDULINGS } from '#src/realtime/priority.js';
import { file, folder, krell, TONE } from './krell.js';
import { play, until } from './playing.js';

it('tells how each DSP thread is doing', async () => {
  const playing = await play(file('tone.json', TONE), folder);
  const port = String(playing.oscPort);
  let status: Record<string, unknown> = {};
  await until(async () => {
    status = JSON.parse((await krell(['stats', '--port', port, '--json'])).stdout) as Record<string, unknown>;
    return Number(status['costUs[0]']) > 0;
  });
  for (let worker = 0; worker < Number(status['workers']); worker++) {
    expect(SCHEDULINGS).toContain(status[`scheduling[${worker}]`]);
    expect(status).toMatchObject({ [`flushesDenormals[${worker}]`]: expect.any(Boolean) as boolean, [`restarts[${worker}]`]: 0 });
  }
  expect(status['partitions[0]']).toBe(1);
  expect(status['load[0]']).toBeGreaterThan(0);
  const { stdout } = await krell(['stats', '--port', port]);
  for (const name of ['load', 'partitions', 'costUs', 'maxBlockMs', 'scheduling', 'flushesDenormals', 'restarts', 'faults'])
    expect(stdout).toMatch(new RegExp(`^${name}\\[0\\] +\\S+$`, 'm'));
  await playing.stop();
});
