// What is wrong with a patch, collected in one pass, and how values and paths are shown to people.
import { PatchError, type Problem } from '../../errors.js';
import { LIMITS } from './limits.js';

export class Problems {
  readonly list: Problem[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Notes a problem. Returns `undefined`, so that a check that fails can `return problems.add(…)`. */
  add(path: string, message: string, hint?: string | (() => string | undefined)): undefined {
    this.#count++;
    if (this.list.length >= LIMITS.problems) return;
    const told = typeof hint === 'function' ? (this.#count <= LIMITS.hints ? hint() : undefined) : hint;
    this.list.push(told === undefined ? { path, message } : { path, message, hint: told });
  }

  /** @throws PatchError when a problem was noted. */
  throwIfAny(source?: string): void {
    if (this.#count > 0) throw new PatchError(this.list, { source, count: this.#count });
  }
}

const SHOWN_LENGTH = 48;
/** What a terminal could take for a command is shown as its code. */
const UNPRINTABLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202f\u2066-\u2069\ufeff]/g;

/** Text from a file or the network, made safe for a terminal. */
export const printable = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same in quotes, short enough for a message: `'cutof'`. */
export const quote = (text: string): string => `'${printable(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text)}'`;

/** Any JSON value in a few words: `'abc'`, `12`, `an array`. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** `modules.vcf1`, `cables[3]`, `snapshots.bright['vcf1.cutoff']`. */
export function join(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!/^[\w$-]{1,64}$/.test(key)) return `${path}[${quote(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
