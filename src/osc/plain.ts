// Arguments of commands as plain values, and as text.
import type { EngineCommand } from './commands.js';
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

/** How a command is written. */
export const usageOf = ({ address, args }: EngineCommand): string =>
  [address, ...args.map(({ name, optional }) => (optional ? `[${name}]` : `<${name}>`))].join(' ');

/** A command's arguments and the token after them, or what is wrong. */
export function bindArgs(
  command: EngineCommand,
  args: readonly Plain[],
): { readonly values: readonly Plain[]; readonly token?: number } | string {
  const { args: wanted } = command;
  const values = args.slice(0, wanted.length);
  const rest = args.slice(wanted.length);
  const token = rest[0];
  const isRight =
    values.every((value, i) => isKind(value, wanted[i]!.kind)) &&
    wanted.slice(values.length).every(({ optional }) => optional) &&
    (rest.length === 0 || (rest.length === 1 && Number.isInteger(token)));
  if (!isRight) return `write ${usageOf(command)}`;
  return rest.length === 0 ? { values } : { values, token: token as number };
}

function isKind(value: Plain, kind: EngineCommand['args'][number]['kind']): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'integer':
      return Number.isInteger(value);
    case 'toggle':
      return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
    case 'value':
      return value !== null;
  }
}
