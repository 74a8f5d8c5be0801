// Rings: single producer, single consumer, over the arena.
//
// Both kinds keep two indices, each on its own pair of cache lines and each written by one side only: WRITE counts what
// the producer has put in since the start, READ what the consumer has taken out. They never stop at the capacity but wrap
// at 2³², so full and empty cannot be confused; `index & mask` is a place in the data, `(write − read) | 0` the fill.
//
//   producer                                  consumer
//     fill = WRITE − READ                       fill = WRITE − READ
//     put data behind WRITE                     take data behind READ
//     Atomics.store(WRITE, …)  ──publishes──►   Atomics.load(WRITE)
//     Atomics.load(READ)       ◄──returns────   Atomics.store(READ, …)
//
// The data are plain words: the atomic store that publishes an index orders them. Each side may be stale about the
// other's index, which errs on the safe side: the producer sees too little room, the consumer too little data.
//
// Nothing waits here and nothing throws. What did not fit is reported by the count returned and added to DROPS.
// Whoever wants to wait for room or data uses a gate.
import { COMMAND, COMMAND_SLOTS, RING } from './layout.js';

const fillOf = (words: Int32Array, base: number): number =>
  (Atomics.load(words, base + RING.WRITE) - Atomics.load(words, base + RING.READ)) | 0;

function copy(target: Float32Array, to: number, source: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

/** Audio: interleaved frames of floats. One object per thread and ring; it holds no state but where things are. */
export class FrameRing {
  readonly words: Int32Array;
  readonly floats: Float32Array;
  readonly base: number;
  readonly capacity: number;
  readonly channels: number;

  // setup
  /** `base`: word index of the ring's header; `capacity`: frames, a power of two. */
  constructor(memory: SharedArrayBuffer, base: number, capacity: number, channels: number) {
    this.words = new Int32Array(memory);
    this.floats = new Float32Array(memory);
    this.base = base;
    this.capacity = capacity;
    this.channels = channels;
  }

  /** Frames waiting to be read. Either side. */
  fill(): number {
    return fillOf(this.words, this.base);
  }

  /** Frames counted by the producer so far, wrapping. */
  written(): number {
    return Atomics.load(this.words, this.base + RING.WRITE);
  }

  /** Index in `floats` of frame number `frame` (as counted by `written`). */
  at(frame: number): number {
    return this.base + RING.DATA + (frame & (this.capacity - 1)) * this.channels;
  }

  /** How many of `count` frames from `frame` on lie before the end of the data; the rest goes on at their beginning. */
  beforeEnd(frame: number, count: number): number {
    const left = this.capacity - (frame & (this.capacity - 1));
    return count < left ? count : left;
  }

  /** Producer: publishes `frames` frames put at `at(written())` and on. The caller has seen that there is room. */
  commit(frames: number): void {
    Atomics.store(this.words, this.base + RING.WRITE, (this.written() + frames) | 0);
  }

  /**
   * Producer: copies `frames` frames from `source`, beginning with its frame `from`; as many as there is room for.
   * @returns frames copied; the rest is dropped and counted.
   */
  write(source: Float32Array, from: number, frames: number): number {
    const { floats, channels } = this;
    const room = this.capacity - this.fill();
    const count = frames < room ? frames : room;
    const first = this.written();
    const whole = this.beforeEnd(first, count);
    copy(floats, this.at(first), source, from * channels, whole * channels);
    copy(floats, this.at(first + whole), source, (from + whole) * channels, (count - whole) * channels);
    if (count < frames) Atomics.add(this.words, this.base + RING.DROPS, frames - count);
    this.commit(count);
    return count;
  }

  /**
   * Consumer: copies up to `frames` frames to `target`, beginning at its frame `to`.
   * @returns frames copied: fewer when the ring holds fewer.
   */
  read(target: Float32Array, to: number, frames: number): number {
    const { floats, channels } = this;
    const fill = this.fill();
    const count = frames < fill ? frames : fill;
    const first = this.first();
    const whole = this.beforeEnd(first, count);
    copy(target, to * channels, floats, this.at(first), whole * channels);
    copy(target, (to + whole) * channels, floats, this.at(first + whole), (count - whole) * channels);
    this.release(count);
    return count;
  }

  /** Consumer: number of the oldest frame. */
  first(): number {
    return Atomics.load(this.words, this.base + RING.READ);
  }

  /** Consumer: lets go of the oldest `frames` frames, of which there are so many. */
  release(frames: number): void {
    Atomics.store(this.words, this.base + RING.READ, (this.first() + frames) | 0);
  }

  /** Frames dropped by `write`, wrapping. */
  drops(): number {
    return Atomics.load(this.words, this.base + RING.DROPS);
  }
}

/** Commands on their way to the leading DSP thread: records of COMMAND.WORDS words. One ring per producer. */
export class CommandRing {
  readonly words: Int32Array;
  readonly base: number;

  // setup
  /** `base`: COMMANDS_CONTROL_W or COMMANDS_OSC_W. */
  constructor(memory: SharedArrayBuffer, base: number) {
    this.words = new Int32Array(memory);
    this.base = base;
  }

  /** Commands waiting to be read. Either side. */
  fill(): number {
    return fillOf(this.words, this.base);
  }

  /**
   * Producer: copies the record in `command`, a reusable array of COMMAND.WORDS words.
   * @returns false when the ring is full; the command is then dropped and counted.
   */
  push(command: Int32Array): boolean {
    if (this.fill() >= COMMAND_SLOTS) {
      Atomics.add(this.words, this.base + RING.DROPS, 1);
      return false;
    }
    this.stage(command, 0);
    this.publish(1);
    return true;
  }

  /** Producer: copies a record behind `staged` others that nobody sees before `publish`. The caller has seen that there is room. */
  stage(command: Int32Array, staged: number): void {
    const { words, base } = this;
    const place = (Atomics.load(words, base + RING.WRITE) + staged) & (COMMAND_SLOTS - 1);
    const to = base + RING.DATA + place * COMMAND.WORDS;
    for (let word = 0; word < COMMAND.WORDS; word++) words[to + word] = command[word]!;
  }

  /** Producer: lets the consumer see `count` staged records, all at once: it applies those for "now" in the same block. */
  publish(count: number): void {
    const write = this.base + RING.WRITE;
    Atomics.store(this.words, write, (Atomics.load(this.words, write) + count) | 0);
  }

  /** Consumer: number of the oldest record, wrapping. */
  first(): number {
    return Atomics.load(this.words, this.base + RING.READ);
  }

  /** Consumer: copies the oldest record, which there is, into `target` from index `at` on; it stays in the ring. */
  peek(target: Int32Array, at: number): void {
    const { words, base } = this;
    const from = base + RING.DATA + (this.first() & (COMMAND_SLOTS - 1)) * COMMAND.WORDS;
    for (let word = 0; word < COMMAND.WORDS; word++) target[at + word] = words[from + word]!;
  }

  /** Consumer: lets go of the oldest record, which there is. */
  release(): void {
    Atomics.store(this.words, this.base + RING.READ, (this.first() + 1) | 0);
  }

  /**
   * Consumer: takes the oldest record into `target` from index `at` on.
   * @returns false when there is none.
   */
  pop(target: Int32Array, at: number): boolean {
    if (this.fill() <= 0) return false;
    this.peek(target, at);
    this.release();
    return true;
  }

  /** Commands dropped by `push`, wrapping. */
  drops(): number {
    return Atomics.load(this.words, this.base + RING.DROPS);
  }
}
