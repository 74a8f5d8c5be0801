// OSC values as people write them on a command line, and as they read them in a terminal.
import { printable, quote } from '../../control/patch/problems.js';
import { UsageError } from '../../errors.js';
import { unixFromTimetag } from '../../osc/timetag.js';
import type { Arg } from '../../osc/decode.js';
import { shortest } from '../../osc/query/values.js';

/** What `krell send` can send: a type tag, and what osc-js wants with it. */
export type Sendable =
  | { readonly type: 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 'h'; readonly value: bigint }
  | { readonly type: 's'; readonly value: string }
  | { readonly type: 'T'; readonly value: true }
  | { readonly type: 'F'; readonly value: false }
  | { readonly type: 'N'; readonly value: null };

const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const FORCED = /^([ifdhs]):(.*)$/s;
const WORDS: Readonly<Record<string, Sendable>> = {
  true: { type: 'T', value: true },
  false: { type: 'F', value: false },
  nil: { type: 'N', value: null },
};

const isInt32 = (value: number): boolean => (value | 0) === value;

/**
 * An argument by its look: `3` is an int, `3.5` a float, `true`, `false` and `nil` are themselves, all else is a string.
 * `i:` `f:` `d:` `h:` `s:` before it force int, float, double, 64-bit int or string.
 * @throws UsageError
 */
export function readArg(text: string): Sendable {
  const [, type, rest] = FORCED.exec(text) ?? [];
  if (type !== undefined) return forced(type as 'i' | 'f' | 'd' | 'h' | 's', rest!, text);
  if (Object.hasOwn(WORDS, text)) return WORDS[text]!;
  if (INTEGER.test(text) && isInt32(Number(text))) return { type: 'i', value: Number(text) };
  if (NUMBER.test(text)) return { type: 'f', value: Number(text) };
  return { type: 's', value: text };
}

function forced(type: 'i' | 'f' | 'd' | 'h' | 's', text: string, all: string): Sendable {
  const invalid = (hint: string): UsageError => new UsageError(`${quote(all)} is not possible`, { hint });
  if (type === 's') return { type, value: text };
  if (type === 'h') {
    if (!INTEGER.test(text)) throw invalid('write a whole number after h:');
    const value = BigInt(text.replace('+', ''));
    if (BigInt.asIntN(64, value) !== value) throw invalid('it has more than 64 bits');
    if (value === 0n) throw invalid('osc-js cannot write it; write i:0');
    return { type, value };
  }
  if (!NUMBER.test(text)) throw invalid(`write a number after ${type}:`);
  const value = Number(text);
  if (type === 'i' && !isInt32(value)) throw invalid('write a whole number of 32 bits after i:');
  return { type, value };
}

/** A value for a terminal: numbers as short as they can be, texts in quotes where they would not be one word. */
export function showArg(arg: Arg): string {
  switch (arg.type) {
    case 'f':
      return String(shortest(arg.value));
    case 's':
    case 'S':
      return showText(arg.value);
    case 'c':
      return `'${arg.value}'`;
    case 'b':
      return `<${arg.value.length} bytes>`;
    case 'N':
      return 'nil';
    case 't':
      return arg.value === 1n ? 'now' : new Date(unixFromTimetag(arg.value) * 1000).toISOString();
    case 'r':
    case 'm':
      return `0x${arg.value.toString(16).padStart(8, '0')}`;
    case '[':
      return `[${arg.value.map(showArg).join(' ')}]`;
    default:
      return String(arg.value);
  }
}

export const showMessage = ({ address, args }: { address: string; args: readonly Arg[] }): string =>
  [showText(address), ...args.map(showArg)].join(' ');

const WORD = /^[!-&(-~\u00c0-\u024f]+$/;
const showText = (text: string): string => (WORD.test(text) ? text : `'${printable(text)}'`);

/** A value for JSON: what it has no notation for becomes text. */
export function plainArg(arg: Arg): unknown {
  if (arg.type === '[') return arg.value.map(plainArg);
  if (arg.type === 'f') return Number.isFinite(arg.value) ? shortest(arg.value) : String(arg.value);
  if (typeof arg.value === 'bigint') return String(arg.value);
  if (arg.value instanceof Uint8Array) return Buffer.from(arg.value).toString('hex');
  return typeof arg.value === 'number' && !Number.isFinite(arg.value) ? String(arg.value) : arg.value;
}
