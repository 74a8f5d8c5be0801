// Arguments of commands as plain values, and as text; texts as long as a reply has room for.
import { decodeMessage, type Arg } from './decode.js';
import type { Message } from './message.js';
import { shortest } from './query/values.js';

export type Plain = number | string | boolean | null;

/** Arguments as plain values, or `undefined` when there are some that no command takes (a blob, an array). */
export function plainArgs(message: Message): Plain[] | undefined {
  // N and I say no more than that the message came: so does a button that OSCQuery tells to send one.
  const args = decodeMessage(message)
    .args.filter(({ type }) => type !== 'N' && type !== 'I')
    .map(plain);
  return args.includes(undefined) ? undefined : (args as Plain[]);
}

function plain({ type, value }: Arg): Plain | undefined {
  switch (type) {
    case 'f':
      return shortest(value);
    case 'h':
    case 't':
      return Number(value);
    case 'b':
    case 'r':
    case 'm':
    case '[':
      return undefined;
    default:
      return value;
  }
}

/** Arguments for people to read. */
export const argsText = (message: Message): string => decodeMessage(message).args.map(argText).join(' ');

function argText({ type, value }: Arg): string {
  if (type === 'b') return `<${value.length} bytes>`;
  if (type === '[') return `[${value.map(argText).join(' ')}]`;
  if (type === 'f') return String(shortest(value));
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Bytes of a text and of an address in a reply: with all else they fit into a datagram. */
const TEXT_BYTES = 1000;
export const ADDRESS_BYTES = 300;

/** As much of a text as has room in a reply. */
export function shortened(text: string, most = TEXT_BYTES): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  // Not within a character.
  return `${new TextDecoder().decode(bytes.subarray(0, most - 3), { stream: true })}…`;
}
