// Writing packets. What cannot be written is the caller's mistake, so unlike the other direction this throws.
import { padded, paddedText } from './bytes.js';
import type { Arg, Decoded } from './decode.js';
import { BUNDLE_HEADER } from './validate.js';

/**
 * What an argument may be written as: with its type tag, or as a plain value. A plain number is `i` if it is a whole number of 32 bits and else `f`;
 * a bigint is `h`.
 */
export type Value = Arg | number | string | boolean | null | bigint | Uint8Array | readonly Value[];

/** A message as a packet of its own. */
export const encodeMessage = (address: string, args: readonly Value[] = []): Uint8Array =>
  encode({ kind: 'message', address, args: args.map(typed) });

/** A bundle as a packet of its own. Its elements are packets. */
export function encodeBundle(timetag: bigint, elements: readonly Uint8Array[]): Uint8Array {
  const packet = Buffer.alloc(bundleSize(elements));
  putBundle(packet, timetag, elements);
  return packet;
}

/** What `decode` gave, as a packet. */
export function encode(decoded: Decoded): Uint8Array {
  if (decoded.kind === 'bundle') return encodeBundle(decoded.timetag, decoded.elements.map(encode));
  const packet = Buffer.alloc(messageSize(decoded.address, decoded.args));
  putMessage(packet, decoded.address, decoded.args);
  return packet;
}

/** Writes a message to the beginning of `target`. @returns its size, or 0 when `target` is too small, which is then untouched. */
export function encodeMessageInto(target: Uint8Array, address: string, values: readonly Value[] = []): number {
  const args = values.map(typed);
  const size = messageSize(address, args);
  if (size > target.length) return 0;
  putMessage(asBuffer(target, size), address, args);
  return size;
}

/** Writes a bundle to the beginning of `target`, which must not overlap its elements. @returns its size, or 0 as above. */
export function encodeBundleInto(target: Uint8Array, timetag: bigint, elements: readonly Uint8Array[]): number {
  const size = bundleSize(elements);
  if (size > target.length) return 0;
  putBundle(asBuffer(target, size), timetag, elements);
  return size;
}

/** The first `size` bytes of `bytes`, zeroed: padding is not written one by one. */
const asBuffer = (bytes: Uint8Array, size: number): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, size).fill(0);

function typed(value: Value): Arg {
  if (value === null) return { type: 'N', value };
  if (value === true) return { type: 'T', value };
  if (value === false) return { type: 'F', value };
  if (typeof value === 'number') return { type: (value | 0) === value && !Object.is(value, -0) ? 'i' : 'f', value };
  if (typeof value === 'string') return { type: 's', value };
  if (typeof value === 'bigint') return { type: 'h', value };
  if (value instanceof Uint8Array) return { type: 'b', value };
  if (isList(value)) return { type: '[', value: value.map(typed) };
  return value;
}

const isList = (value: Arg | readonly Value[]): value is readonly Value[] => Array.isArray(value);

// ── sizes ──

const bundleSize = (elements: readonly Uint8Array[]): number =>
  elements.reduce((size, element) => size + 4 + element.length, BUNDLE_HEADER);

function messageSize(address: string, args: readonly Arg[]): number {
  if (!address.startsWith('/')) throw new TypeError(`OSC address '${address}' does not begin with '/'`);
  return textSize(address) + textSize(tagsOf(args)) + argsSize(args);
}

const argsSize = (args: readonly Arg[]): number => args.reduce((size, arg) => size + argSize(arg), 0);

function argSize(arg: Arg): number {
  switch (arg.type) {
    case 's':
    case 'S':
      return textSize(arg.value);
    case 'b':
      return 4 + padded(arg.value.length);
    case '[':
      return argsSize(arg.value);
    case 'h':
    case 't':
    case 'd':
      return 8;
    case 'i':
    case 'f':
    case 'c':
    case 'r':
    case 'm':
      return 4;
    default:
      return 0;
  }
}

function textSize(text: string): number {
  if (text.includes('\0')) throw new TypeError(`OSC string ${JSON.stringify(text)} contains a zero byte; send it as a blob`);
  return paddedText(Buffer.byteLength(text));
}

const tagsOf = (args: readonly Arg[]): string => `,${args.map(tagOf).join('')}`;
const tagOf = (arg: Arg): string => (arg.type === '[' ? `[${arg.value.map(tagOf).join('')}]` : arg.type);

// ── bytes ──

function putBundle(packet: Buffer, timetag: bigint, elements: readonly Uint8Array[]): void {
  packet.write('#bundle', 0);
  packet.writeBigUInt64BE(timetag, 8);
  let at = BUNDLE_HEADER;
  for (const element of elements) {
    at = packet.writeInt32BE(element.length, at);
    packet.set(element, at);
    at += element.length;
  }
}

function putMessage(packet: Buffer, address: string, args: readonly Arg[]): void {
  putArgs(packet, args, putText(packet, tagsOf(args), putText(packet, address, 0)));
}

const putText = (packet: Buffer, text: string, at: number): number => at + paddedText(packet.write(text, at));
const putArgs = (packet: Buffer, args: readonly Arg[], at: number): number => args.reduce((next, arg) => putArg(packet, arg, next), at);

/** @returns where the next argument begins. */
function putArg(packet: Buffer, arg: Arg, at: number): number {
  switch (arg.type) {
    case 'i':
      return packet.writeInt32BE(arg.value, at);
    case 'f':
      return packet.writeFloatBE(arg.value, at);
    case 'd':
      return packet.writeDoubleBE(arg.value, at);
    case 's':
    case 'S':
      return putText(packet, arg.value, at);
    case 'b':
      packet.set(arg.value, packet.writeInt32BE(arg.value.length, at));
      return at + 4 + padded(arg.value.length);
    case 'h':
      return packet.writeBigInt64BE(arg.value, at);
    case 't':
      return packet.writeBigUInt64BE(arg.value, at);
    case 'c':
      return packet.writeInt32BE(asciiOf(arg.value), at);
    case 'r':
    case 'm':
      return packet.writeUInt32BE(arg.value, at);
    case '[':
      return putArgs(packet, arg.value, at);
    default:
      return at;
  }
}

function asciiOf(text: string): number {
  const code = text.charCodeAt(0);
  if (text.length !== 1 || code > 0x7f) throw new TypeError(`OSC character ${JSON.stringify(text)} is not one ASCII character`);
  return code;
}
