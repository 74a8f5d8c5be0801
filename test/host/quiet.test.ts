// Outputs that are turned off for a moment come back, whoever else turns them off.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { loadKoffi } from '#src/realtime/native.js';

it.skipIf(process.platform === 'win32' || !loadKoffi())('three threads that silence the process by turns leave it as it was', () => {
  const url = JSON.stringify(import.meta.resolve('#src/host/quiet.js'));
  const thread = `
    const { workerData } = require('node:worker_threads');
    import(${url}).then(({ quietly, STDERR, takeTurns }) => {
      takeTurns(workerData);
      for (let i = 0; i < 200; i++) quietly([STDERR], () => { for (let k = 0; k < 20_000; k++); });
    });`;
  const script = `
    import { Worker } from 'node:worker_threads';
    import { writeSync } from 'node:fs';
    const workerData = new Int32Array(new SharedArrayBuffer(4));
    const ended = [1, 2, 3].map(() => new Promise((end) => new Worker(${JSON.stringify(thread)}, { eval: true, workerData, execArgv: [] }).once('exit', end)));
    await Promise.all(ended);
    writeSync(2, 'heard');`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect([stderr, status]).toEqual(['heard', 0]);
});
