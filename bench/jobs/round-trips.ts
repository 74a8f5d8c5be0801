// What it takes to hand something to another thread and to get it back.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { MESSAGE_BYTES, MESSAGE_REQUEST, MESSAGE_RING_WORDS, MESSAGE_SHUTDOWN, MessageRing } from '../../src/shared/messages.js';

/** Bytes of a request and its response. */
export const ECHO_BYTES = 64;
/** Turns that outlast a round trip. */
export const SPIN = 1e9;

/** Microseconds from request to response through two shared rings, one after the other. */
export async function roundTrips(count: number, spin: number): Promise<number[]> {
  const memory = new SharedArrayBuffer(2 * MESSAGE_RING_WORDS * 4);
  const requests = new MessageRing(memory, 0);
  const responses = new MessageRing(memory, MESSAGE_RING_WORDS);
  const bytes = new Uint8Array(MESSAGE_BYTES);
  const worker = new Worker(new URL('./echo.js', import.meta.url), { workerData: { memory, spin } });
  const exited = once(worker, 'exit');
  const times: number[] = [];
  for (let i = -count / 10; i < count; i++) {
    const begin = performance.now();
    requests.send(MESSAGE_REQUEST, i, 0, bytes, ECHO_BYTES);
    while (!responses.wait(spin, 1000));
    if (i >= 0) times.push((performance.now() - begin) * 1000);
    responses.take(bytes);
    // Now and then the other thread has time to fall asleep.
    if (spin === 0 && i % 50 === 0) await sleep(1);
  }
  requests.send(MESSAGE_SHUTDOWN, 0, 0, bytes, 0);
  await exited;
  return times;
}
