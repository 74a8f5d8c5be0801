// One pass over a packet before anything of it is believed. What passes can be read without another check.
//
// A packet passes or fails as a whole, so a bundle is never half applied. Nothing is allocated but the fault.
import { isUtf8 } from 'node:buffer';
import { padded, paddedText, readInt32 } from './bytes.js';
import { sizeOf, TAG, UNKNOWN, VARIABLE } from './tags.js';

export const LIMITS = {
  /** Of a packet: four times what UDP can carry, for streams. */
  bytes: 256 * 1024,
  /** Bundles within bundles, and arrays within arrays. */
  depth: 8,
  /** Bundle elements in a packet, at all depths. */
  elements: 1024,
  /** Type tags of a message. */
  tags: 4096,
} as const;

export type Reason =
  | 'the packet is empty'
  | 'the packet is larger than 256 KiB'
  | 'the size of the packet is not a multiple of 4'
  | 'neither a message nor a bundle begins here'
  | 'the bundle has no time tag'
  | 'bundles are nested more than 8 deep'
  | 'more than 1024 bundle elements'
  | 'the size of a bundle element is not a positive multiple of 4'
  | 'a bundle element is larger than what contains it'
  | 'a string does not end'
  | 'a string is not UTF-8'
  | 'the padding is not zero'
  | 'there is something other than type tags after the address'
  | 'more than 4096 type tags'
  | 'unknown type tag'
  | 'an array does not end'
  | 'an array ends that did not begin'
  | 'arrays are nested more than 8 deep'
  | 'an argument is missing'
  | 'a blob is larger than its message'
  | 'a character is not ASCII'
  | 'there are more arguments than type tags';

/** Why a packet is refused, and at which of its bytes that was seen. */
export interface Fault {
  readonly kind: 'fault';
  readonly reason: Reason;
  readonly at: number;
}

const SLASH = 0x2f;
const HASH = 0x23;
const COMMA = 0x2c;
/** `#bundle` and its zero byte. */
const BUNDLE_HIGH = 0x2362756e;
const BUNDLE_LOW = 0x646c6500;
/** `#bundle` and the time tag. */
export const BUNDLE_HEADER = 16;

/** Instead of an offset: `fault` is set. */
const FAILED = -1;

let packet: Uint8Array = new Uint8Array(0);
let elements = 0;
let fault: Fault | undefined;

function fail(reason: Reason, at: number): typeof FAILED {
  fault = { kind: 'fault', reason, at };
  return FAILED;
}

/** What is wrong with a packet, or `undefined`. */
export function validate(bytes: Uint8Array): Fault | undefined {
  packet = bytes;
  elements = 0;
  fault = undefined;
  const { length } = bytes;
  if (length === 0) fail('the packet is empty', 0);
  else if (length > LIMITS.bytes) fail('the packet is larger than 256 KiB', LIMITS.bytes);
  else if (length % 4 !== 0) fail('the size of the packet is not a multiple of 4', length);
  else element(0, length, 0);
  return fault;
}

// Each of the following looks at something between `at` and `end`, both multiples of 4, and returns where it ends, or FAILED.

function element(at: number, end: number, depth: number): number {
  if (packet[at] === SLASH) return message(at, end);
  if (packet[at] === HASH) return bundle(at, end, depth + 1);
  return fail('neither a message nor a bundle begins here', at);
}

function bundle(start: number, end: number, depth: number): number {
  if (end - start < 8 || readInt32(packet, start) !== BUNDLE_HIGH || readInt32(packet, start + 4) !== BUNDLE_LOW)
    return fail('neither a message nor a bundle begins here', start);
  if (end - start < BUNDLE_HEADER) return fail('the bundle has no time tag', end);
  if (depth > LIMITS.depth) return fail('bundles are nested more than 8 deep', start);
  let at = start + BUNDLE_HEADER;
  while (at < end) {
    if (++elements > LIMITS.elements) return fail('more than 1024 bundle elements', at);
    const size = readInt32(packet, at);
    if (size <= 0 || size % 4 !== 0) return fail('the size of a bundle element is not a positive multiple of 4', at);
    if (size > end - at - 4) return fail('a bundle element is larger than what contains it', at);
    at = element(at + 4, at + 4 + size, depth);
    if (at === FAILED) return FAILED;
  }
  return end;
}

function message(start: number, end: number): number {
  const tags = text(start, end);
  // Some old programs leave the type tags away where there are no arguments.
  if (tags === FAILED || tags === end) return tags;
  if (packet[tags] !== COMMA) return fail('there is something other than type tags after the address', tags);
  let at = text(tags, end);
  if (at === FAILED) return FAILED;

  let depth = 0;
  for (let i = tags + 1; packet[i] !== 0; i++) {
    const tag = packet[i]!;
    if (i - tags > LIMITS.tags) return fail('more than 4096 type tags', i);
    if (tag === TAG.arrayBegin && ++depth > LIMITS.depth) return fail('arrays are nested more than 8 deep', i);
    if (tag === TAG.arrayEnd && --depth < 0) return fail('an array ends that did not begin', i);
    const size = sizeOf(tag);
    if (size === UNKNOWN) return fail('unknown type tag', i);
    if (size !== 0 && at === end) return fail('an argument is missing', i);
    if (size === VARIABLE) at = tag === TAG.blob ? blob(at, end) : text(at, end);
    else if (size > end - at) return fail('an argument is missing', i);
    else if (tag === TAG.char && (readInt32(packet, at) & ~0x7f) !== 0) return fail('a character is not ASCII', at);
    else at += size;
    if (at === FAILED) return FAILED;
  }
  if (depth !== 0) return fail('an array does not end', tags);
  return at === end ? end : fail('there are more arguments than type tags', at);
}

function text(start: number, end: number): number {
  let at = start;
  let bits = 0;
  for (; at < end && packet[at] !== 0; at++) bits |= packet[at]!;
  if (at === end) return fail('a string does not end', start);
  if (bits > 0x7f && !isUtf8(packet.subarray(start, at))) return fail('a string is not UTF-8', start);
  return padding(at, start + paddedText(at - start));
}

function blob(start: number, end: number): number {
  const size = readInt32(packet, start);
  const data = start + 4;
  if (size < 0 || size > end - data) return fail('a blob is larger than its message', start);
  return padding(data + size, data + padded(size));
}

function padding(start: number, end: number): number {
  for (let at = start; at < end; at++) if (packet[at] !== 0) return fail('the padding is not zero', at);
  return end;
}
