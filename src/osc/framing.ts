// Packets in a stream: each with its length before it (OSC 1.0), or between END bytes (OSC 1.1: SLIP, RFC 1055). What a connection uses shows in
// its first byte: a length below 16 MiB begins with a zero.
//
// Room is made for bytes that have come, never for bytes that are announced.
import { readInt32 } from './bytes.js';
import { LIMITS } from './validate.js';

export type Framing = 'length' | 'slip';

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;
const SLASH = 0x2f;
const HASH = 0x23;

/** What the first byte of a connection tells. */
export function framingOf(first: number): Framing | undefined {
  if (first === 0) return 'length';
  return first === END || first === SLASH || first === HASH ? 'slip' : undefined;
}

/** A packet as it goes into a stream. */
export function frame(packet: Uint8Array, framing: Framing): Uint8Array {
  if (framing === 'length') {
    const framed = Buffer.allocUnsafe(packet.length + 4);
    framed.writeInt32BE(packet.length, 0);
    framed.set(packet, 4);
    return framed;
  }
  const framed = Buffer.allocUnsafe(2 * packet.length + 2);
  let at = framed.writeUInt8(END, 0);
  for (const byte of packet) {
    if (byte === END || byte === ESC) framed[at++] = ESC;
    framed[at++] = byte === END ? ESC_END : byte === ESC ? ESC_ESC : byte;
  }
  framed[at++] = END;
  return framed.subarray(0, at);
}

/** Takes packets out of a stream. */
export class Unframer {
  readonly #packet: (packet: Uint8Array) => void;
  #framing: Framing | undefined;
  #buffer = Buffer.alloc(1024);
  #size = 0;
  #isEscaped = false;

  /** `packet` is only valid until the next bytes come. */
  constructor(packet: (packet: Uint8Array) => void) {
    this.#packet = packet;
  }

  get framing(): Framing | undefined {
    return this.#framing;
  }

  /** Takes what came. @returns false when that is no stream of packets, or a packet is too large: nothing after it can be made out */
  take(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    this.#framing ??= framingOf(chunk[0]!);
    if (this.#framing === undefined) return false;
    return this.#framing === 'slip' ? this.#takeSlip(chunk) : this.#takeLengths(chunk);
  }

  #takeLengths(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length;) {
      const missing = this.#missing();
      if (missing < 0) return false;
      const count = Math.min(missing, chunk.length - at);
      this.#reserve(count);
      this.#buffer.set(chunk.subarray(at, at + count), this.#size);
      this.#size += count;
      at += count;
      if (this.#size > 4 && this.#missing() === 0) {
        this.#packet(this.#buffer.subarray(4, this.#size));
        this.#size = 0;
      }
    }
    return this.#missing() >= 0;
  }

  /** Bytes until the length, or the packet, is complete; −1 for a length that cannot be. */
  #missing(): number {
    if (this.#size < 4) return 4 - this.#size;
    const length = readInt32(this.#buffer, 0);
    return length > 0 && length <= LIMITS.bytes ? length + 4 - this.#size : -1;
  }

  #takeSlip(chunk: Uint8Array): boolean {
    for (const byte of chunk) {
      if (byte === END) {
        if (this.#size > 0) this.#packet(this.#buffer.subarray(0, this.#size));
        this.#size = 0;
        this.#isEscaped = false;
      } else if (byte === ESC && !this.#isEscaped) this.#isEscaped = true;
      else {
        if (this.#size === LIMITS.bytes) return false;
        this.#reserve(1);
        this.#buffer[this.#size++] = !this.#isEscaped ? byte : byte === ESC_END ? END : byte === ESC_ESC ? ESC : byte;
        this.#isEscaped = false;
      }
    }
    return true;
  }

  #reserve(count: number): void {
    if (this.#size + count <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#size + count, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#size));
    this.#buffer = larger;
  }
}
