// Address patterns: which entries one reaches. The last few are remembered, so a fader on `/vco*/freq` costs no more than one on `/vco1/freq`.
import { hashOf, isAt, type AddressTable, type Entry } from './addresses.js';
import { isPattern, Pattern } from './match.js';

/** An entry that a pattern reaches; `voice` of a parameter, −1 = all. */
export interface Hit {
  readonly entry: Entry;
  readonly voice: number;
}

const REMEMBERED = 8;

interface Known {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly hits: readonly Hit[];
}

/** Steps a packet may still cost: matching, and carrying out what was matched. */
export interface Budget {
  steps: number;
}

/** Whether the bytes of an address are those of a pattern. */
export function hasPattern(packet: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = packet[at];
    if (code === 0x2a || code === 0x3f || code === 0x5b || code === 0x7b) return true;
  }
  return false;
}

export class Patterns {
  readonly #table: AddressTable;
  #known: Known[] = [];
  #oldest = 0;
  #version = 0;

  constructor(table: AddressTable) {
    this.#table = table;
  }

  /** What a pattern reaches, or `undefined` when finding out costs more than the budget has. */
  find(packet: Uint8Array, start: number, end: number, budget: Budget): readonly Hit[] | undefined {
    if (this.#version !== this.#table.version) this.#forget();
    const hash = hashOf(packet, start, end);
    for (const known of this.#known) if (known.hash === hash && isAt(known.bytes, packet, start, end)) return known.hits;
    const bytes = Uint8Array.from(packet.subarray(start, end));
    const hits = this.#search(Buffer.from(bytes).toString('utf8'), budget);
    if (hits) this.#known[this.#oldest++ % REMEMBERED] = { hash, bytes, hits };
    return hits;
  }

  #forget(): void {
    this.#known = [];
    this.#oldest = 0;
    this.#version = this.#table.version;
  }

  #search(text: string, budget: Budget): Hit[] | undefined {
    const pattern = new Pattern(text);
    const prefix = literalPrefix(text);
    const hits: Hit[] = [];
    let tooHard = false;
    const matches = (address: string): boolean => {
      budget.steps--;
      if (!address.startsWith(prefix)) return false;
      const before = pattern.steps;
      const result = pattern.match(address);
      budget.steps -= pattern.steps - before;
      tooHard ||= result === 'too hard';
      return result === 'match';
    };
    const voicesToo = parts(text) > 2;
    const isEngines = text.startsWith('/engine/');
    for (const entry of this.#table.all()) {
      // To set or ask all modules is not to speak to the engine.
      if (entry.kind === 'command' && !isEngines) continue;
      if (matches(entry.address)) hits.push({ entry, voice: -1 });
      if (voicesToo && entry.kind === 'param' && entry.target.module.voices > 1)
        for (let voice = 0; voice < entry.target.module.voices; voice++)
          if (matches(`${entry.address}/${voice}`)) hits.push({ entry, voice });
      if (tooHard || budget.steps <= 0) return undefined;
    }
    return hits;
  }
}

/** What every address begins with that the pattern matches. */
function literalPrefix(text: string): string {
  let end = 0;
  while (end < text.length && !isPattern(text.charAt(end))) end++;
  return text.slice(0, end);
}

const parts = (text: string): number => text.split('/').length - 1;
