// OSC address patterns: `?` one character, `*` any number of them, `[a-z]` `[!a-z]` one of (not of) a set, `{a,b}` one of
// several strings, in which `? * []` work too. None but the strings of braces matches a '/'.
//
// All the ways in which a pattern may match are followed at once (Thompson's construction, 1968), so there is nothing to go back to: the
// work is at most the length of the pattern times that of the address, and a budget of steps bounds it further.

export type Match = 'match' | 'no match' | 'too hard';

export const PATTERN_LIMITS = { length: 256, steps: 10_000 } as const;

const STAR = 0x2a;
const QUESTION = 0x3f;
const SLASH = 0x2f;
const COMMA = 0x2c;
const SET_BEGIN = 0x5b;
const SET_END = 0x5d;
const BRACE_BEGIN = 0x7b;
const BRACE_END = 0x7d;
const MINUS = 0x2d;
const NOT = 0x21;

/** Whether an address has a character that makes it a pattern. */
export function isPattern(address: string): boolean {
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === STAR || code === QUESTION || code === SET_BEGIN || code === BRACE_BEGIN) return true;
  }
  return false;
}

/** Whether `pattern` matches `address`. A pattern whose brackets do not close matches nothing. */
export const match = (pattern: string, address: string): Match => new Pattern(pattern).match(address);

/** A pattern to be tried on many addresses. */
export class Pattern {
  /** Steps taken so far: who tries many addresses bounds the sum. */
  steps = 0;
  readonly #text: string;
  readonly #usable: 'yes' | 'malformed' | 'too long';
  /** For the start of a set and for each `{`, `,` and `}` of braces: where that set or those braces end. Else 0. */
  readonly #close: Int16Array;
  /** The places in the pattern where the next character of the address may go on. */
  #live = new Int16Array(PATTERN_LIMITS.length + 1);
  #next = new Int16Array(PATTERN_LIMITS.length + 1);
  #count = 0;
  /** For each place, when it last came among `#next`. */
  readonly #seen = new Int32Array(PATTERN_LIMITS.length + 1);
  #now = 0;

  constructor(text: string) {
    this.#text = text;
    this.#close = new Int16Array(Math.min(text.length, PATTERN_LIMITS.length) + 1);
    if (text.length > PATTERN_LIMITS.length) this.#usable = 'too long';
    else this.#usable = findEnds(text, this.#close) ? 'yes' : 'malformed';
  }

  match(address: string): Match {
    if (this.#usable !== 'yes') return this.#usable === 'too long' ? 'too hard' : 'no match';
    const last = this.steps + PATTERN_LIMITS.steps;
    this.#begin();
    this.#enter(0);
    this.#settle();
    for (let i = 0; i < address.length; i++) {
      const count = this.#count;
      if (count === 0) return 'no match';
      const live = this.#next;
      this.#next = this.#live;
      this.#live = live;
      this.#begin();
      const code = address.charCodeAt(i);
      for (let j = 0; j < count; j++) this.#take(live[j]!, code);
      this.#settle();
      if (this.steps > last) return 'too hard';
    }
    return this.#seen[this.#text.length] === this.#now ? 'match' : 'no match';
  }

  #begin(): void {
    this.#now = (this.#now + 1) | 0;
    this.#count = 0;
  }

  #enter(place: number): void {
    this.steps++;
    if (this.#seen[place] === this.#now) return;
    this.#seen[place] = this.#now;
    this.#next[this.#count++] = place;
  }

  /** Adds the places that are reached from those in `#next` without a character of the address. */
  #settle(): void {
    for (let j = 0; j < this.#count; j++) {
      const place = this.#next[j]!;
      const code = this.#text.charCodeAt(place);
      const close = this.#close[place]!;
      if (code === STAR) this.#enter(place + 1);
      else if (close !== 0 && code === BRACE_BEGIN) {
        this.#enter(place + 1);
        for (let k = place + 1; k < close; k++, this.steps++)
          if (this.#close[k] === close && this.#text.charCodeAt(k) === COMMA) this.#enter(k + 1);
      } else if (close !== 0 && code !== SET_BEGIN) this.#enter(close + 1);
    }
  }

  /** Goes on from `place` with one character of the address. */
  #take(place: number, code: number): void {
    this.steps++;
    const wanted = this.#text.charCodeAt(place);
    const close = this.#close[place]!;
    if (wanted === STAR) {
      if (code !== SLASH) this.#enter(place);
    } else if (wanted === QUESTION) {
      if (code !== SLASH) this.#enter(place + 1);
    } else if (wanted === SET_BEGIN) {
      if (code !== SLASH && this.#inSet(place + 1, close, code)) this.#enter(close + 1);
    } else if (close === 0 && wanted === code) this.#enter(place + 1);
  }

  #inSet(start: number, end: number, code: number): boolean {
    const negated = start < end && this.#text.charCodeAt(start) === NOT;
    let found = false;
    for (let i = negated ? start + 1 : start; i < end; i++) {
      this.steps++;
      const low = this.#text.charCodeAt(i);
      const isRange = i + 2 < end && this.#text.charCodeAt(i + 1) === MINUS;
      if (isRange) i += 2;
      found ||= low <= code && code <= this.#text.charCodeAt(i);
    }
    return found !== negated;
  }
}

/** Fills in `close`. @returns false when a bracket does not close, or braces are within braces. */
function findEnds(text: string, close: Int16Array): boolean {
  let brace = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === SET_BEGIN) {
      const end = text.indexOf(']', i);
      if (end < 0) return false;
      close[i] = end;
      i = end;
    } else if (code === BRACE_BEGIN) {
      if (brace >= 0) return false;
      brace = i;
    } else if (code === BRACE_END || code === SET_END) {
      if (code === SET_END || brace < 0) return false;
      markBraces(text, close, brace, i);
      brace = -1;
    }
  }
  return brace < 0;
}

/** Marks `{`, `}` and the commas between them, but not those in sets. */
function markBraces(text: string, close: Int16Array, begin: number, end: number): void {
  close[begin] = close[end] = end;
  for (let i = begin + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === SET_BEGIN) i = close[i]!;
    else if (code === COMMA) close[i] = end;
  }
}
