// The beat of a device that has none, by a clock of ours.
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Metronome } from '#src/host/metronome.js';
import { plainClock } from '#src/realtime/clock.js';

const PERIOD = 128;
const RATE = 44_100;

/** A metronome whose clock begins at `start` and goes on by sleeping only. */
function byHand(start: number) {
  const time = { ns: start, slept: [] as number[] };
  const metronome = new Metronome(
    PERIOD,
    RATE,
    () => time.ns | 0,
    (ns) => {
      time.slept.push(ns);
      time.ns += ns;
    },
  );
  return { time, metronome };
}

it('keeps time to the nanosecond over a day, across every wrap of its clock', () => {
  const { time, metronome } = byHand(2 ** 31 - 1000);
  const periods = 3_000_000;
  let late = 0;
  for (let n = 0; n < periods; n++) if (!metronome.wait()) late++;
  expect(late).toBe(0);
  expect(time.ns - (2 ** 31 - 1000)).toBe(Math.floor((periods * PERIOD * 1e9) / RATE));
});

it.each([0.006, 1, 2.2, 3, 4.2, 10])('goes on at once after standing still for %f s', (seconds) => {
  const { time, metronome } = byHand(-5);
  metronome.wait();
  time.slept = [];
  time.ns += seconds * 1e9;
  expect(metronome.wait()).toBe(false);
  expect(time.slept).toEqual([]);
  expect(metronome.wait()).toBe(true);
  expect(Math.abs(time.slept[0]! - metronome.periodNs)).toBeLessThan(2);
});

it('reads one time in all threads, also without native functions', async () => {
  const url = JSON.stringify(import.meta.resolve('#src/realtime/clock.js'));
  // A thread that is started later has a later origin.
  const code = `const { parentPort } = require('node:worker_threads');
    import(${url}).then(({ plainClock }) => parentPort.on('message', () => parentPort.postMessage(plainClock())));`;
  const worker = new Worker(code, { eval: true });
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage('');
    });
  const before = plainClock();
  const there = await ask();
  const after = plainClock();
  await worker.terminate();
  // It was read between the two; a millisecond for origins that are rounded.
  expect((there - before) | 0).toBeGreaterThan(-1e6);
  expect((after - there) | 0).toBeGreaterThan(-1e6);
});
