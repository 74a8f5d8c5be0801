// A thread that answers every request of a ring with what it says.
import { workerData } from 'node:worker_threads';
import { MESSAGE, MESSAGE_BYTES, MESSAGE_RESPONSE, MESSAGE_RING_WORDS, MESSAGE_SHUTDOWN, MessageRing } from '../../src/shared/messages.js';

const { memory, spin } = workerData as { memory: SharedArrayBuffer; spin: number };
const requests = new MessageRing(memory, 0);
const responses = new MessageRing(memory, MESSAGE_RING_WORDS);
const bytes = new Uint8Array(MESSAGE_BYTES);
for (;;) {
  while (!requests.wait(spin, 1000));
  const id = requests.field(MESSAGE.ID);
  if (requests.field(MESSAGE.KIND) === MESSAGE_SHUTDOWN) break;
  const length = requests.take(bytes);
  responses.send(MESSAGE_RESPONSE, id, 0, bytes, length);
}
