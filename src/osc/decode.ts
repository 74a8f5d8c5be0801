// A packet as objects, for what is not in a hurry: commands, tools, tests.
import { endOfText, readFloat32, readFloat64, readInt32, readText, readUint32, readUint64 } from './bytes.js';
import { Message } from './message.js';
import { TAG } from './tags.js';
import { BUNDLE_HEADER, validate, type Fault } from './validate.js';

/** An argument with its type tag; `[` is an array. */
export type Arg =
  | { readonly type: 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 's' | 'S'; readonly value: string }
  | { readonly type: 'b'; readonly value: Uint8Array }
  | { readonly type: 'T'; readonly value: true }
  | { readonly type: 'F'; readonly value: false }
  | { readonly type: 'N'; readonly value: null }
  | { readonly type: 'I'; readonly value: typeof Infinity }
  /** Signed and unsigned (a time tag), 64 bits. */
  | { readonly type: 'h' | 't'; readonly value: bigint }
  /** One ASCII character. */
  | { readonly type: 'c'; readonly value: string }
  /** `0xRRGGBBAA`; a MIDI message `0xPPSSD1D2`: port, status, data. */
  | { readonly type: 'r' | 'm'; readonly value: number }
  | { readonly type: '['; readonly value: readonly Arg[] };

export interface DecodedMessage {
  readonly kind: 'message';
  readonly address: string;
  readonly args: readonly Arg[];
}
export interface DecodedBundle {
  readonly kind: 'bundle';
  readonly timetag: bigint;
  readonly elements: readonly Decoded[];
}
export type Decoded = DecodedMessage | DecodedBundle;

const HASH = 0x23;
const view = new Message();

/** What a packet says, in objects of its own, or why it is refused. */
export function decode(packet: Uint8Array): Decoded | Fault {
  return validate(packet) ?? decodeElement(packet, 0, packet.length);
}

function decodeElement(packet: Uint8Array, start: number, end: number): Decoded {
  if (packet[start] !== HASH) {
    view.open(packet, start, end);
    return decodeMessage(view);
  }
  const elements: Decoded[] = [];
  for (let at = start + BUNDLE_HEADER; at < end;) {
    const next = at + 4 + readInt32(packet, at);
    elements.push(decodeElement(packet, at + 4, next));
    at = next;
  }
  return { kind: 'bundle', timetag: readUint64(packet, start + 8), elements };
}

/** What an open message says. */
export function decodeMessage(message: Message): DecodedMessage {
  const args: Arg[] = [];
  const open = [args];
  for (let i = 0; i < message.argCount; i++) {
    const tag = message.tag(i);
    if (tag === TAG.arrayEnd) open.pop();
    else if (tag === TAG.arrayBegin) {
      const value: Arg[] = [];
      open.at(-1)!.push({ type: '[', value });
      open.push(value);
    } else open.at(-1)!.push(decodeArg(message.packet, tag, message.offset(i)));
  }
  return { kind: 'message', address: message.address(), args };
}

function decodeArg(packet: Uint8Array, tag: number, at: number): Arg {
  switch (tag) {
    case TAG.int32:
      return { type: 'i', value: readInt32(packet, at) };
    case TAG.float32:
      return { type: 'f', value: readFloat32(packet, at) };
    case TAG.float64:
      return { type: 'd', value: readFloat64(packet, at) };
    case TAG.string:
      return { type: 's', value: readText(packet, at, endOfText(packet, at)) };
    case TAG.symbol:
      return { type: 'S', value: readText(packet, at, endOfText(packet, at)) };
    case TAG.blob:
      return { type: 'b', value: Uint8Array.from(packet.subarray(at + 4, at + 4 + readInt32(packet, at))) };
    case TAG.int64:
      return { type: 'h', value: BigInt.asIntN(64, readUint64(packet, at)) };
    case TAG.timetag:
      return { type: 't', value: readUint64(packet, at) };
    case TAG.char:
      return { type: 'c', value: String.fromCharCode(readInt32(packet, at)) };
    case TAG.colour:
      return { type: 'r', value: readUint32(packet, at) };
    case TAG.midi:
      return { type: 'm', value: readUint32(packet, at) };
    case TAG.true:
      return { type: 'T', value: true };
    case TAG.false:
      return { type: 'F', value: false };
    case TAG.nil:
      return { type: 'N', value: null };
    default:
      return { type: 'I', value: Infinity };
  }
}
