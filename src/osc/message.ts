// Reading a validated packet in place: one `Message` and one `Reader` serve a socket for ever and allocate nothing.
import { endOfText, padded, paddedText, readInt32, readText, readUint32 } from './bytes.js';
import { sizeOf, TAG, VARIABLE } from './tags.js';
import { isEarlier } from './timetag.js';
import { BUNDLE_HEADER, LIMITS, validate, type Fault } from './validate.js';

const HASH = 0x23;

const scratch = new DataView(new ArrayBuffer(8));
const read = new Float64Array(1);

/** A message in a packet. Valid until its packet is overwritten or another message is opened. */
export class Message {
  packet: Uint8Array = new Uint8Array(0);
  /** The bytes of the address in `packet`, without its zero byte. */
  addressStart = 0;
  addressEnd = 0;
  /** How many type tags there are, brackets of arrays included. */
  argCount = 0;
  #tags = 0;
  readonly #offsets = new Int32Array(LIMITS.tags);

  /** Looks at the message between two bytes of a packet that has passed `validate`. */
  open(packet: Uint8Array, start: number, end: number): void {
    this.packet = packet;
    this.addressStart = start;
    this.addressEnd = endOfText(packet, start);
    this.argCount = 0;
    const tags = start + paddedText(this.addressEnd - start);
    if (tags === end) return;
    this.#tags = tags + 1;
    const tagsEnd = endOfText(packet, tags);
    let at = tags + paddedText(tagsEnd - tags);
    for (let tag = tags + 1; tag < tagsEnd; tag++) {
      this.#offsets[this.argCount++] = at;
      const size = sizeOf(packet[tag]!);
      at += size === VARIABLE ? variableSize(packet, packet[tag]!, at) : size;
    }
  }

  /** The type tag of argument `i`, as in `TAG`. */
  tag(i: number): number {
    return this.packet[this.#tags + i]!;
  }

  /** Where the bytes of argument `i` begin in `packet`. */
  offset(i: number): number {
    return this.#offsets[i]!;
  }

  /** Argument `i` as a number, 1 and 0 for true and false. NaN if it is none: to a parameter that is as bad as a NaN that was sent. */
  number(i: number): number {
    this.readNumber(i, read, 0);
    return read[0]!;
  }

  /** The same into `target`: a number that a function returns may become an object on the heap. */
  readNumber(i: number, target: Float64Array, at: number): void {
    if (i >= this.argCount) {
      target[at] = NaN;
      return;
    }
    const { packet } = this;
    const offset = this.#offsets[i]!;
    switch (this.tag(i)) {
      case TAG.float32:
        scratch.setInt32(0, readInt32(packet, offset));
        target[at] = scratch.getFloat32(0);
        return;
      case TAG.int32:
        target[at] = readInt32(packet, offset);
        return;
      case TAG.float64:
        scratch.setInt32(0, readInt32(packet, offset));
        scratch.setInt32(4, readInt32(packet, offset + 4));
        target[at] = scratch.getFloat64(0);
        return;
      case TAG.int64:
        target[at] = readInt32(packet, offset) * 2 ** 32 + readUint32(packet, offset + 4);
        return;
      case TAG.true:
        target[at] = 1;
        return;
      case TAG.false:
        target[at] = 0;
        return;
      default:
        target[at] = NaN;
    }
  }

  /** Argument `i` as a string if it is one. Allocates it. */
  string(i: number): string | undefined {
    if (i >= this.argCount) return undefined;
    const tag = this.tag(i);
    if (tag !== TAG.string && tag !== TAG.symbol) return undefined;
    const start = this.#offsets[i]!;
    return readText(this.packet, start, endOfText(this.packet, start));
  }

  /** The address. Allocates it. */
  address(): string {
    return readText(this.packet, this.addressStart, this.addressEnd);
  }
}

function variableSize(packet: Uint8Array, tag: number, at: number): number {
  return tag === TAG.blob ? 4 + padded(readInt32(packet, at)) : paddedText(endOfText(packet, at) - at);
}

/**
 * The messages of a packet one after the other, whatever bundles they are in.
 * Usage: `if (!reader.open(packet)) while (reader.next()) … reader.message …`.
 */
export class Reader {
  readonly message = new Message();
  /**
   * The two words of the time tag of the bundle that `message` is in; (0, 1), immediately, outside of any. What is in a bundle does not happen
   * before it, so an earlier one within takes its time.
   */
  timeSeconds = 0;
  timeFraction = 1;
  /** How many bundles `message` is in. */
  depth = 0;
  #packet: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Where each bundle ends, and its time. */
  readonly #ends = new Int32Array(LIMITS.depth + 1);
  readonly #seconds = new Uint32Array(LIMITS.depth + 1);
  readonly #fractions = new Uint32Array(LIMITS.depth + 1);

  /** Validates a packet and stands before its first message. */
  open(packet: Uint8Array): Fault | undefined {
    const fault = validate(packet);
    this.#packet = packet;
    this.depth = 0;
    this.#fractions[0] = 1;
    this.#useTime();
    this.#at = fault ? packet.length : 0;
    this.#ends[0] = packet.length;
    return fault;
  }

  /** Goes to the next message; false when there is none. */
  next(): boolean {
    for (;;) {
      while (this.#at === this.#ends[this.depth]) {
        if (this.depth === 0) return false;
        this.depth--;
        this.#useTime();
      }
      const start = this.depth === 0 ? this.#at : this.#at + 4;
      const end = this.depth === 0 ? this.#ends[0]! : start + readInt32(this.#packet, this.#at);
      if (this.#packet[start] !== HASH) {
        this.message.open(this.#packet, start, end);
        this.#at = end;
        return true;
      }
      this.#enter(start, end);
      this.#at = start + BUNDLE_HEADER;
    }
  }

  #enter(start: number, end: number): void {
    const outer = this.depth++;
    const seconds = readUint32(this.#packet, start + 8);
    const fraction = readUint32(this.#packet, start + 12);
    const early = isEarlier(seconds, fraction, this.#seconds[outer]!, this.#fractions[outer]!);
    this.#ends[this.depth] = end;
    this.#seconds[this.depth] = early ? this.#seconds[outer]! : seconds;
    this.#fractions[this.depth] = early ? this.#fractions[outer]! : fraction;
    this.#useTime();
  }

  #useTime(): void {
    this.timeSeconds = this.#seconds[this.depth]!;
    this.timeFraction = this.#fractions[this.depth]!;
  }
}
