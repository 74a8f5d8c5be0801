// Allocation in the arena, by control only. Everything a plan or a module needs is taken before it is published.
import { KrellError } from '../errors.js';
import { formatBytes } from './format.js';
import { HEAP } from '../shared/layout.js';

const ALIGN = 64;
const PAGE = 65536;
/** Bytes zeroed at a time: a polyphonic delay line at once would hold up the thread for tens of milliseconds. */
const SLICE = 1024 * 1024;
/** Bytes that modules leave to plans. */
const MAX_RESERVE = 1024 * 1024;
export const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;

interface Span {
  start: number;
  bytes: number;
}

/** @throws KrellError `memory` when the system does not give that much */
function sharedMemory(pages: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new KrellError('memory', `the system does not give ${formatBytes(pages * PAGE)} of memory`, {
      hint: 'give a smaller memoryBytes',
      cause,
    });
  }
}

/** The shared memory and its free list. Addresses are bytes, multiples of 64; memory is zero when given out. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** Free spans in order of address; no two touch. */
  readonly #free: Span[];
  /** Given back, and not yet zero. */
  readonly #dirty: Span[] = [];
  #cleaning = false;
  readonly #taken = new Map<number, number>();
  readonly #budget: number;
  readonly #reserve: number;
  #used = 0;

  constructor(budgetBytes = DEFAULT_MEMORY_BYTES) {
    const pages = Math.ceil((HEAP + budgetBytes) / PAGE);
    if (!(budgetBytes > 0) || pages > 65536)
      throw new KrellError('memory', `a memory budget of ${budgetBytes} bytes is not possible`, { hint: 'give 1 MiB to 4 GiB' });
    this.memory = sharedMemory(pages);
    this.words = new Int32Array(this.memory.buffer);
    this.floats = new Float32Array(this.memory.buffer);
    this.#budget = pages * PAGE - HEAP;
    this.#reserve = Math.min(MAX_RESERVE, this.#budget / 16);
    this.#free = [{ start: HEAP, bytes: this.#budget }];
  }

  get buffer(): SharedArrayBuffer {
    return this.memory.buffer;
  }
  get usage(): { used: number; budget: number } {
    return { used: this.#used, budget: this.#budget };
  }

  /**
   * Takes `bytes`, zeroed. Modules leave a reserve, so that there is room for the plan that removes them again.
   * @throws KrellError `memory` when they do not fit; `what` names the wanted thing.
   */
  take(bytes: number, what: string, isModule = false): number {
    const size = Math.max(ALIGN, Math.ceil(bytes / ALIGN) * ALIGN);
    const left = this.#budget - this.#used - (isModule ? this.#reserve : 0);
    const find = (): number => (size > left ? -1 : this.#free.findIndex((span) => span.bytes >= size));
    let at = find();
    while (at < 0 && size <= left && this.#dirty.length > 0) {
      this.#cleanSlice();
      at = find();
    }
    if (at < 0)
      throw new KrellError(
        'memory',
        `memory budget exceeded: ${what} needs ${formatBytes(size)}, ${formatBytes(Math.max(0, left))} of ${formatBytes(this.#budget)} are free`,
        {
          hint: 'use fewer voices or shorter delays, or start the engine with a larger memoryBytes',
        },
      );
    const span = this.#free[at]!;
    const { start } = span;
    if (span.bytes === size) this.#free.splice(at, 1);
    else {
      span.start += size;
      span.bytes -= size;
    }
    this.#taken.set(start, size);
    this.#used += size;
    return start;
  }

  /** Gives back what `take` gave, to be zeroed for the next. No DSP thread may be able to reach it any more. */
  give(start: number): void {
    const bytes = this.#taken.get(start);
    if (bytes === undefined) throw new Error(`no allocation at ${start}`);
    this.#taken.delete(start);
    this.#used -= bytes;
    this.#dirty.push({ start, bytes });
    if (bytes <= SLICE && this.#dirty.length === 1) this.#cleanSlice();
    else this.#cleanSoon();
  }

  /** A slice in each turn of the event loop. */
  #cleanSoon(): void {
    if (this.#cleaning) return;
    this.#cleaning = true;
    setImmediate(() => {
      this.#cleaning = false;
      if (this.#dirty.length > 0) this.#cleanSlice();
      if (this.#dirty.length > 0) this.#cleanSoon();
    }).unref();
  }

  #cleanSlice(): void {
    const span = this.#dirty[0]!;
    const { start } = span;
    const bytes = Math.min(span.bytes, SLICE);
    this.words.fill(0, start / 4, (start + bytes) / 4);
    span.start += bytes;
    span.bytes -= bytes;
    if (span.bytes === 0) this.#dirty.shift();
    this.#release(start, bytes);
  }

  #release(start: number, bytes: number): void {
    let at = this.#free.findIndex((span) => span.start > start);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, { start, bytes });
    for (const i of [at, at - 1]) {
      const [a, b] = [this.#free[i], this.#free[i + 1]];
      if (a && b && a.start + a.bytes === b.start) {
        a.bytes += b.bytes;
        this.#free.splice(i + 1, 1);
      }
    }
  }
}
