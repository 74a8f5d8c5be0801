// Messages between control and a thread that plays along: requests, responses and the end, each with a number, a frame and a payload.
//
// A link is two rings, one for each direction. A ring is single producer, single consumer, like those in ring.ts: WRITE counts
// what was put in, READ what was taken out, both wrap at 2³². The write index is also the gate: it only ever counts up, so a
// consumer that sleeps while it has the value last seen misses nothing.
//
//   producer                                  consumer
//     send: fills the slot behind WRITE         wait: sleeps while WRITE = READ
//           WRITE + 1, notifies      ──────►    kind, id, frame…: of the oldest message
//           READ                     ◄──────    take: copies its payload out, READ + 1
//
// Nothing here allocates. What does not fit into a slot is sent in pieces by whoever sends it, or lies in the arena.
import { RING } from './layout.js';

/** One message, MESSAGE.WORDS long. */
export const MESSAGE = {
  KIND: 0, // a MESSAGE_* kind
  ID: 1, // the sender's number for it; a response has its request's
  FRAME_LO: 2, // frame that it is of, low word
  FRAME_HI: 3,
  BYTES: 4, // of the payload
  PAYLOAD: 16,
  WORDS: 16 + 1024,
} as const;
export const MESSAGE_REQUEST = 1;
export const MESSAGE_RESPONSE = 2;
export const MESSAGE_SHUTDOWN = 3;

export const MESSAGE_SLOTS = 256; // power of two
/** Bytes that a payload may have. */
export const MESSAGE_BYTES = (MESSAGE.WORDS - MESSAGE.PAYLOAD) * 4;
/** Words of a ring. */
export const MESSAGE_RING_WORDS = RING.DATA + MESSAGE_SLOTS * MESSAGE.WORDS;

export class MessageRing {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly base: number;

  // setup
  /** `base`: word index of the ring's header. */
  constructor(memory: SharedArrayBuffer, base: number) {
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.base = base;
  }

  /** Messages waiting to be taken. Either side. */
  fill(): number {
    return (Atomics.load(this.words, this.base + RING.WRITE) - Atomics.load(this.words, this.base + RING.READ)) | 0;
  }

  private slot(index: number): number {
    return this.base + RING.DATA + (index & (MESSAGE_SLOTS - 1)) * MESSAGE.WORDS;
  }

  /**
   * Producer: sends the first `bytes` bytes of `payload`.
   * @returns false when the ring is full or the payload too large; the message is then dropped and counted.
   */
  send(kind: number, id: number, frame: number, payload: Uint8Array, bytes: number): boolean {
    const { words, base } = this;
    if (this.fill() >= MESSAGE_SLOTS || bytes > MESSAGE_BYTES) {
      Atomics.add(words, base + RING.DROPS, 1);
      return false;
    }
    const write = Atomics.load(words, base + RING.WRITE);
    const slot = this.slot(write);
    words[slot + MESSAGE.KIND] = kind;
    words[slot + MESSAGE.ID] = id;
    words[slot + MESSAGE.FRAME_LO] = frame | 0;
    words[slot + MESSAGE.FRAME_HI] = Math.floor(frame / 2 ** 32) | 0;
    words[slot + MESSAGE.BYTES] = bytes;
    const to = (slot + MESSAGE.PAYLOAD) << 2;
    for (let i = 0; i < bytes; i++) this.bytes[to + i] = payload[i]!;
    Atomics.store(words, base + RING.WRITE, (write + 1) | 0);
    Atomics.notify(words, base + RING.WRITE);
    return true;
  }

  /**
   * Consumer: returns when there is a message, or after `timeoutMs`. Spins `spin` turns before it sleeps.
   * @returns whether there is one
   */
  wait(spin: number, timeoutMs: number): boolean {
    const { words, base } = this;
    const read = Atomics.load(words, base + RING.READ);
    for (let turn = 0; turn < spin; turn++) if (Atomics.load(words, base + RING.WRITE) !== read) return true;
    Atomics.wait(words, base + RING.WRITE, read, timeoutMs);
    return Atomics.load(words, base + RING.WRITE) !== read;
  }

  /** Consumer: a field of the oldest message, when there is one. */
  field(field: number): number {
    return this.words[this.slot(Atomics.load(this.words, this.base + RING.READ)) + field]!;
  }

  /** Consumer: the frame of the oldest message, when there is one. */
  frame(): number {
    return this.field(MESSAGE.FRAME_HI) * 2 ** 32 + (this.field(MESSAGE.FRAME_LO) >>> 0);
  }

  /** Consumer: copies the payload of the oldest message to the beginning of `target`, and frees its place. @returns bytes copied */
  take(target: Uint8Array): number {
    const { words, base } = this;
    const read = Atomics.load(words, base + RING.READ);
    const slot = this.slot(read);
    const bytes = words[slot + MESSAGE.BYTES]!;
    const from = (slot + MESSAGE.PAYLOAD) << 2;
    for (let i = 0; i < bytes; i++) target[i] = this.bytes[from + i]!;
    Atomics.store(words, base + RING.READ, (read + 1) | 0);
    return bytes;
  }

  /** Messages dropped by `send`, wrapping. */
  drops(): number {
    return Atomics.load(this.words, this.base + RING.DROPS);
  }
}
