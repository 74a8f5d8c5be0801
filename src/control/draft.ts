// A plan on its way: words that point to one another before it is known where they will lie.
import { MAX_SLOTS } from '../shared/layout.js';
import type { Arena } from './arena.js';

/** Where an output's samples lie: in the plan (word index) or in the arena (byte address, for loops). */
export interface Buffer {
  readonly word: number;
  readonly address: number;
}
export const NO_BUFFER: Buffer = { word: -1, address: 0 };

/** Words and buffers of a plan, addressed from its start until it is known where that is. */
export class Draft {
  readonly words: number[] = [];
  /** Words that hold an address within the plan. */
  readonly #relative = new Set<number>();
  /** Buffers follow the words; offsets from their start. */
  #bufferWords = 0;
  readonly #bufferPointers: { word: number; offset: number }[] = [];

  /** Makes room for `count` words at a multiple of 64 bytes. @returns the first's index */
  room(count: number): number {
    while (this.words.length % 16) this.words.push(0);
    const at = this.words.length;
    for (let i = 0; i < count; i++) this.words.push(0);
    return at;
  }
  /** Sets a word to the address of another word of the plan. */
  point(word: number, target: number): void {
    this.words[word] = target * 4;
    this.#relative.add(word);
  }
  list(values: readonly number[], relative = false): number {
    const at = this.room(values.length);
    values.forEach((value, i) => (relative ? this.point(at + i, value) : (this.words[at + i] = value)));
    return at;
  }

  /** Makes room for a buffer of `count` words. @returns its offset among the buffers */
  buffer(count: number): number {
    this.#bufferWords += count;
    return this.#bufferWords - count;
  }
  /** Sets a word to the address of a buffer, and `bytes` on from there. */
  pointAt(word: number, buffer: Buffer, bytes: number): void {
    this.words[word] = buffer.address + bytes;
    if (buffer.address === 0) this.#bufferPointers.push({ word, offset: buffer.word });
  }

  /**
   * Copies it into the arena, now that its address can be known. `table`: the word that is to point to
   * the table of slots; `slots`: what stands where in that. @returns the address. @throws KrellError `memory`
   */
  publish(arena: Arena, table: number, slots: readonly (readonly [number, number])[]): number {
    const { words } = this;
    const wordBytes = Math.ceil(words.length / 16) * 64;
    const tableBytes = MAX_SLOTS * 4;
    const address = arena.take(wordBytes + tableBytes + this.#bufferWords * 4, 'the plan');
    const memory = arena.words;
    const first = address / 4;
    memory.set(words, first);
    for (const word of this.#relative) memory[first + word] = words[word]! + address;
    const start = first + wordBytes / 4;
    memory[first + table] = start * 4;
    memory.fill(-1, start, start + MAX_SLOTS);
    for (const [slot, value] of slots) memory[start + slot] = value;
    const buffers = address + wordBytes + tableBytes;
    for (const { word, offset } of this.#bufferPointers) memory[first + word] = buffers + offset * 4 + words[word]!;
    return address;
  }
}
