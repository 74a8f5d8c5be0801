// Message rings: requests and responses from thread to thread, whole and in order.
import { describe, expect, it } from 'vitest';
import { RING } from '#src/shared/layout.js';
import {
  MESSAGE,
  MESSAGE_BYTES,
  MESSAGE_REQUEST,
  MESSAGE_RESPONSE,
  MESSAGE_RING_WORDS,
  MESSAGE_SHUTDOWN,
  MESSAGE_SLOTS,
  MessageRing,
} from '#src/shared/messages.js';
import { onThread } from './threads.js';

const newRing = (): MessageRing => new MessageRing(new SharedArrayBuffer(MESSAGE_RING_WORDS * 4), 0);
const payload = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);

describe('a message ring', () => {
  it('gives back kind, number, frame and payload', () => {
    const ring = newRing();
    const frame = 3 * 2 ** 32 + 0xf000_0001;
    expect(ring.send(MESSAGE_REQUEST, 7, frame, payload(MESSAGE_BYTES, 3), MESSAGE_BYTES)).toBe(true);
    expect(ring.send(MESSAGE_SHUTDOWN, 8, 0, payload(0, 0), 0)).toBe(true);
    expect([ring.fill(), ring.field(MESSAGE.KIND), ring.field(MESSAGE.ID), ring.frame()]).toEqual([2, MESSAGE_REQUEST, 7, frame]);
    const target = new Uint8Array(MESSAGE_BYTES + 1).fill(255);
    expect(ring.take(target)).toBe(MESSAGE_BYTES);
    expect(target.subarray(0, -1)).toEqual(payload(MESSAGE_BYTES, 3));
    expect(target.at(-1)).toBe(255);
    expect([ring.field(MESSAGE.KIND), ring.field(MESSAGE.ID), ring.take(target), ring.fill()]).toEqual([MESSAGE_SHUTDOWN, 8, 0, 0]);
  });

  it('refuses and counts what does not fit', () => {
    const ring = newRing();
    expect(ring.send(MESSAGE_REQUEST, 0, 0, new Uint8Array(MESSAGE_BYTES + 1), MESSAGE_BYTES + 1)).toBe(false);
    for (let i = 0; i < MESSAGE_SLOTS; i++) expect(ring.send(MESSAGE_REQUEST, i, 0, payload(1, i), 1)).toBe(true);
    expect(ring.send(MESSAGE_REQUEST, 0, 0, payload(1, 0), 1)).toBe(false);
    expect(ring.drops()).toBe(2);
    const target = new Uint8Array(MESSAGE_BYTES);
    for (let i = 0; i < MESSAGE_SLOTS; i++) expect([ring.field(MESSAGE.ID), ring.take(target), target[0]]).toEqual([i, 1, i]);
    expect(ring.wait(10, 1)).toBe(false);
  });

  it('works across the wrap of its counts at 2³²', () => {
    const ring = newRing();
    ring.words[RING.READ] = ring.words[RING.WRITE] = -3;
    for (let i = 0; i < 9; i++) ring.send(MESSAGE_REQUEST, i, 0, payload(2, i), 2);
    const target = new Uint8Array(2);
    for (let i = 0; i < 9; i++)
      expect([ring.wait(0, 0), ring.field(MESSAGE.ID), ring.take(target), target[1]]).toEqual([true, i, 2, i + 1]);
  });

  it('answers ten thousand requests, asleep or awake, until the end', async () => {
    const memory = new SharedArrayBuffer(2 * MESSAGE_RING_WORDS * 4);
    const url = JSON.stringify(import.meta.resolve('#src/shared/messages.js'));
    const served = onThread<number>(
      memory,
      `const { MessageRing, MESSAGE, MESSAGE_SHUTDOWN, MESSAGE_RESPONSE, MESSAGE_RING_WORDS } = await import(${url});
       const requests = new MessageRing(memory, 0);
       const responses = new MessageRing(memory, MESSAGE_RING_WORDS);
       const bytes = new Uint8Array(4096);
       for (let served = 0; ; ) {
         while (!requests.wait(served % 2 * 100, 1000));
         const [kind, id, frame] = [requests.field(MESSAGE.KIND), requests.field(MESSAGE.ID), requests.frame()];
         const length = requests.take(bytes);
         if (kind === MESSAGE_SHUTDOWN) return served;
         bytes[0]++;
         while (!responses.send(MESSAGE_RESPONSE, id, frame + 1, bytes, length));
         served++;
       }`,
    );
    const requests = new MessageRing(memory, 0);
    const responses = new MessageRing(memory, MESSAGE_RING_WORDS);
    const target = new Uint8Array(MESSAGE_BYTES);
    const mistakes: number[] = [];
    for (let sent = 0, received = 0; received < 10_000;) {
      while (sent < 10_000 && sent - received < 50)
        requests.send(MESSAGE_REQUEST, sent, 2 * sent, payload(1 + (sent % 90), sent++), 1 + ((sent - 1) % 90));
      if (!responses.wait(0, 1000)) continue;
      const [kind, id, frame, length] = [
        responses.field(MESSAGE.KIND),
        responses.field(MESSAGE.ID),
        responses.frame(),
        responses.take(target),
      ];
      const right = kind === MESSAGE_RESPONSE && id === received && frame === 2 * id + 1 && length === 1 + (id % 90);
      if (!right || target[0] !== ((id + 1) & 255)) mistakes.push(received);
      received++;
    }
    requests.send(MESSAGE_SHUTDOWN, 0, 0, target, 0);
    expect(await served).toBe(10_000);
    expect(mistakes).toEqual([]);
  });
});
