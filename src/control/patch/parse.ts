// JSON text → value. Our own reader, because JSON.parse keeps the last of two equal keys without a word, turns 1e999 into
// Infinity, sets prototypes through `__proto__` and recurses as deep as it is told. One pass, linear, bounded depth.
import { LIMITS } from './limits.js';
import { join, quote, type Problems } from './problems.js';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys that mean something else to JavaScript than to the person who wrote them. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** What people write that is not JSON: where what was expected, and what to do. */
const MISTAKES: readonly (readonly [RegExp, RegExp, string])[] = [
  [/./, /\/[/*]/y, 'JSON has no comments: put notes in a field "x-note"'],
  [/name/, /\}/y, 'remove the comma before it'],
  [/value/, /\]/y, 'remove the comma before it'],
  [/name|value/, /['`’“]/y, 'text takes straight double quotes'],
  [/value/, /[+-]?(NaN|Infinity)/y, 'numbers must be finite'],
  [/value/, /[+-]?[.\d]/y, 'write numbers like 0.5, -12 or 1e3'],
  [/name|value/, /[A-Za-z_$]/y, 'names and text take double quotes'],
];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const BLANK = /[ \t\r\n]*/y;
const WORDS = new Map<string, Json>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class SyntaxFault extends Error {}

/** Reads `text`. Syntax errors stop it; equal keys, forbidden keys and numbers too large are noted and skipped. */
export function parseJson(text: string, problems: Problems): Json | undefined {
  const reader = new Reader(text, problems);
  try {
    return reader.document();
  } catch (fault) {
    if (fault instanceof SyntaxFault) return undefined;
    throw fault;
  }
}

class Reader {
  #at = 0;
  readonly #keys: (string | number)[] = [];
  #counted = 0;
  #line = 1;
  #lineStart = 0;

  constructor(
    readonly text: string,
    readonly problems: Problems,
  ) {}

  document(): Json {
    const value = this.#value();
    if (this.#peek() !== undefined) this.#fail('the end of the file');
    return value;
  }

  #value(): Json {
    const c = this.#peek();
    if (c === '{') return this.#nested(() => this.#object());
    if (c === '[') return this.#nested(() => this.#array());
    if (c === '"') return this.#string();
    const digits = this.#match(NUMBER);
    if (digits !== undefined) return this.#number(digits);
    for (const [word, value] of WORDS)
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    return this.#fail('a value');
  }

  #nested<T>(read: () => T): T {
    if (this.#keys.length >= LIMITS.depth) this.#fail(`at most ${LIMITS.depth} objects and arrays within each other`);
    this.#at++;
    return read();
  }

  #object(): JsonObject {
    const object: JsonObject = {};
    if (this.#take('}')) return object;
    do {
      if (this.#peek() !== '"') this.#fail('a name in double quotes');
      const start = this.#at;
      const key = this.#string();
      if (!this.#take(':')) this.#fail("':' after the name");
      this.#keys.push(key);
      const twice = Object.hasOwn(object, key);
      if (twice) this.#note(start, `${quote(key)} is there twice`, 'remove or rename one');
      const forbidden = FORBIDDEN_KEYS.has(key);
      if (forbidden) this.#note(start, `the name ${quote(key)} is not allowed`, 'choose another');
      const value = this.#value();
      if (!twice && !forbidden) object[key] = value;
      this.#keys.pop();
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail("',' or '}'");
    return object;
  }

  #array(): Json[] {
    const array: Json[] = [];
    if (this.#take(']')) return array;
    do {
      this.#keys.push(array.length);
      array.push(this.#value());
      this.#keys.pop();
    } while (this.#take(','));
    if (!this.#take(']')) this.#fail("',' or ']'");
    return array;
  }

  #string(): string {
    const { text } = this;
    let end = this.#at + 1;
    let escapes = false;
    for (; ; end++) {
      const code = text.charCodeAt(end);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escapes = true;
        end++;
      }
      // beyond the end charCodeAt is NaN: not ≥ a space either
      if (!(text.charCodeAt(end) >= 0x20)) {
        this.#at = Math.min(end, text.length);
        this.#fail('a closing double quote on the same line');
      }
    }
    const start = this.#at;
    this.#at = end + 1;
    if (!escapes) return text.slice(start + 1, end);
    try {
      return JSON.parse(text.slice(start, end + 1)) as string;
    } catch {
      this.#at = start;
      return this.#fail('text with the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 only');
    }
  }

  #number(digits: string): number {
    const value = Number(digits);
    if (!Number.isFinite(value)) this.#note(this.#at - digits.length, 'the number is too large', 'numbers must be finite');
    return value + 0; // −0 becomes 0, which is what a file can say
  }

  /** The next character that is not blank. */
  #peek(): string | undefined {
    this.#match(BLANK);
    return this.text[this.#at];
  }

  #take(c: string): boolean {
    if (this.#peek() !== c) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #note(at: number, message: string, hint?: string): void {
    this.problems.add(this.#keys.reduce<string>(join, ''), `${this.#place(at)}: ${message}`, hint);
  }

  #fail(expected: string): never {
    const found = this.text[this.#at];
    const mistake = MISTAKES.find(([when, pattern]) => {
      pattern.lastIndex = this.#at;
      return when.test(expected) && pattern.test(this.text);
    });
    const message = `expected ${expected}, found ${found === undefined ? 'the end of the file' : quote(found)}`;
    this.#note(this.#at, `${message}${mistake ? `; ${mistake[2]}` : ''}${this.#excerpt()}`);
    throw new SyntaxFault();
  }

  /** `line 3, column 14`, both from 1. Asked for ever later places, so that all of them together cost one pass. */
  #place(at: number): string {
    for (; this.#counted < at; this.#counted++)
      if (this.text[this.#counted] === '\n') {
        this.#line++;
        this.#lineStart = this.#counted + 1;
      }
    return `line ${this.#line}, column ${at - this.#lineStart + 1}`;
  }

  /** The line around the fault, and a caret under it. */
  #excerpt(): string {
    const { text } = this;
    const lineEnd = text.indexOf('\n', this.#at);
    const start = Math.max(text.lastIndexOf('\n', this.#at - 1) + 1, this.#at - 40);
    const end = Math.min(lineEnd < 0 ? text.length : lineEnd, this.#at + 30);
    // as many columns as characters, none of them a command to a terminal
    const shown = text.slice(start, end).replace(/[^ -~\u00a1-\uffff]|[\u200b-\u200f\u2028-\u202f\u2066-\u2069]/g, ' ');
    return `\n  ${shown}\n  ${' '.repeat(this.#at - start)}^`;
  }
}
