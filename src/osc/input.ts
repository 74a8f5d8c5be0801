// Into the engine: parameter changes, notes and triggers, as records in the arena's command ring.
//
// When the ring is full the newest value of each parameter waits in its cell (src/osc/target.ts) until there is room, so the last value always
// arrives. Notes and triggers cannot be merged; what finds no room of them is dropped, but for the ends of notes, for which some room is kept.
import { COMMAND, COMMAND_ADD, COMMAND_NOTE, COMMAND_SET, COMMAND_SLOTS, COMMANDS_OSC_W, CONTROL, PENDING_MAX } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import { CommandRing } from '../shared/ring.js';
import { NOW } from './clock.js';
import type { ParamChange } from './protocol.js';
import { withoutRepeats } from './query/values.js';
import type { Space } from './space.js';
import { MARK, type Target } from './target.js';

/** What became of an event. */
export type Outcome = 'sent' | 'waits' | 'dropped';

/** Where events go. What is sent happens at the `moment` last set. */
export interface Input {
  /** A frame, or NOW. */
  moment(frame: number): void;
  /** To the number `values[at]`: passed by itself it could become an object on the heap. `voice`: −1 = all. */
  set(target: Target, param: number, voice: number, values: Float64Array, at: number): Outcome;
  /** `velocity` 0 ends it; then `key` −1 ends all. `frames`: how long it lasts, 0 = until it is ended. */
  note(target: Target, volts: number, velocity: number, key: number, frames: number): Outcome;
  /** Counts a trigger. */
  add(target: Target, param: number): Outcome;
  /** Whether there is no room for more events that lie ahead. */
  isCrowded(): boolean;
  /** What a parameter is, or is moving to. */
  value(target: Target, param: number, voice: number): number;
}

/** Room in the ring that only ends of notes may take. */
const RESERVE = 256;
/** Events that may lie ahead; the rest of the heap is for what is meant for now. */
const AHEAD_MAX = (PENDING_MAX * 3) / 4;
/** Blocks after which a value that was sent is in the module's state. */
const SETTLED = 2;

export class LiveInput implements Input {
  /** While true changes wait, notes and triggers for now are dropped: they are old, and would come in one burst. */
  isBehind = false;
  readonly #words: Int32Array;
  readonly #ring: CommandRing;
  readonly #space: Space;
  readonly #record = new Int32Array(COMMAND.WORDS);
  readonly #floats = new Float32Array(this.#record.buffer);
  /** The moment last set; in an array, where it is no object on the heap. */
  readonly #moment = new Float64Array(1);
  #waiting: Target[] = [];
  #changed: Target[] = [];

  constructor(memory: SharedArrayBuffer, space: Space) {
    this.#words = new Int32Array(memory);
    this.#ring = new CommandRing(memory, COMMANDS_OSC_W);
    this.#space = space;
    this.moment(NOW);
  }

  moment(frame: number): void {
    this.#moment[0] = frame;
    this.#record[COMMAND.FRAME_LO] = frame < 0 ? -1 : frame;
    this.#record[COMMAND.FRAME_HI] = frame < 0 ? -1 : Math.floor(frame / 2 ** 32);
  }

  set(target: Target, param: number, voice: number, values: Float64Array, at: number): Outcome {
    const cell = target.cell(param, voice);
    if (this.#isNow()) this.#markNow(target, cell, voice, values, at);
    else this.#markAhead(target, cell);
    if (!target.hasChanged) {
      target.hasChanged = true;
      this.#changed.push(target);
    }
    if (this.flush() && this.#room() > RESERVE) {
      this.#floats[COMMAND.VALUE] = values[at]!;
      this.#send(target, COMMAND_SET, param, target.module.lane ?? voice, target.ramps[param]!);
      return 'sent';
    }
    target.newest[cell] = values[at]!;
    target.frameLow[cell] = this.#record[COMMAND.FRAME_LO]!;
    target.frameHigh[cell] = this.#record[COMMAND.FRAME_HI]!;
    this.#countMerged(target, cell);
    target.marks[cell]! |= MARK.waiting;
    if (!target.hasWaiting) {
      target.hasWaiting = true;
      this.#waiting.push(target);
    }
    return 'waits';
  }

  note(target: Target, volts: number, velocity: number, key: number, frames: number): Outcome {
    const isEnd = velocity === 0;
    this.flush();
    if (!isEnd && this.isBehind && this.#isNow()) return this.#drop();
    if (this.#room() <= (isEnd ? 0 : RESERVE)) return this.#drop();
    this.#floats[COMMAND.VALUE] = velocity;
    const bits = this.#record[COMMAND.VALUE]!;
    this.#floats[COMMAND.VALUE] = volts;
    this.#send(target, COMMAND_NOTE, bits, key, frames);
    return 'sent';
  }

  add(target: Target, param: number): Outcome {
    this.flush();
    if ((this.isBehind && this.#isNow()) || this.#room() <= RESERVE) return this.#drop();
    this.#floats[COMMAND.VALUE] = 1;
    this.#send(target, COMMAND_ADD, param, target.module.lane ?? -1, 0);
    return 'sent';
  }

  /** What is meant for now replaces what waits. */
  #markNow(target: Target, cell: number, voice: number, values: Float64Array, at: number): void {
    if (voice < 0) this.#forgetVoices(target, cell);
    this.#countMerged(target, cell);
    target.newest[cell] = values[at]!;
    target.blocks[cell] = Atomics.load(this.#words, CONTROL.BLOCKS);
    target.marks[cell] = MARK.changed | MARK.current | (target.marks[cell]! & MARK.ahead);
  }

  /** What is meant for later leaves what is known of now as it is. */
  #markAhead(target: Target, cell: number): void {
    const isOnly = (target.marks[cell]! & MARK.ahead) === 0;
    if (isOnly || this.#moment[0]! < target.first[cell]!) target.first[cell] = this.#moment[0]!;
    if (isOnly || this.#moment[0]! > target.last[cell]!) target.last[cell] = this.#moment[0]!;
    target.marks[cell]! |= MARK.ahead;
  }

  #isNow(): boolean {
    return this.#record[COMMAND.FRAME_HI]! < 0;
  }

  #room(): number {
    return COMMAND_SLOTS - this.#ring.fill();
  }

  #drop(): Outcome {
    Atomics.add(this.#words, CONTROL.OSC_DROPPED, 1);
    return 'dropped';
  }

  /** The value is in the record already: passed by itself it could become an object on the heap. */
  #send(target: Target, kind: number, param: number, voice: number, ramp: number): void {
    const record = this.#record;
    record[COMMAND.KIND] = kind;
    record[COMMAND.SLOT] = target.module.address;
    record[COMMAND.PARAM] = param;
    record[COMMAND.VOICE] = voice;
    record[COMMAND.RAMP] = ramp;
    this.#ring.push(record);
  }

  /** A value for all voices replaces what there is of them. */
  #forgetVoices(target: Target, all: number): void {
    for (let cell = all + 1; cell < all + target.cells; cell++) {
      this.#countMerged(target, cell);
      target.marks[cell]! &= MARK.ahead;
    }
  }

  /** Counts a value that waits if it is about to be replaced. */
  #countMerged(target: Target, cell: number): void {
    if ((target.marks[cell]! & MARK.waiting) !== 0) Atomics.add(this.#words, CONTROL.OSC_MERGED, 1);
  }

  // ── what waits ──

  /** Whether values wait for room. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends what waits. @returns whether nothing waits any more. */
  flush(): boolean {
    if (this.isBehind) return false;
    if (this.#waiting.length === 0) return true;
    const low = this.#record[COMMAND.FRAME_LO]!;
    const high = this.#record[COMMAND.FRAME_HI]!;
    while (this.#waiting.length > 0 && this.#flushTarget(this.#waiting.at(-1)!)) this.#waiting.pop()!.hasWaiting = false;
    this.#record[COMMAND.FRAME_LO] = low;
    this.#record[COMMAND.FRAME_HI] = high;
    return this.#waiting.length === 0;
  }

  #flushTarget(target: Target): boolean {
    for (let cell = 0; cell < target.marks.length; cell++) {
      if ((target.marks[cell]! & MARK.waiting) === 0) continue;
      if (this.#room() <= RESERVE) return false;
      const param = target.paramOf(cell);
      const voice = target.module.lane ?? target.voiceOf(cell);
      this.#record[COMMAND.FRAME_LO] = target.frameLow[cell]!;
      this.#record[COMMAND.FRAME_HI] = target.frameHigh[cell]!;
      this.#floats[COMMAND.VALUE] = target.newest[cell]!;
      this.#send(target, COMMAND_SET, param, voice, target.ramps[param]!);
      target.marks[cell]! &= ~MARK.waiting;
    }
    return true;
  }

  /** Forgets a module that is gone. */
  forget(target: Target): void {
    this.#waiting = this.#waiting.filter((other) => other !== target);
    this.#changed = this.#changed.filter((other) => other !== target);
  }

  // ── what is known ──

  isCrowded(): boolean {
    return Atomics.load(this.#words, CONTROL.PENDING) + this.#ring.fill() > AHEAD_MAX;
  }

  value(target: Target, param: number, voice: number): number {
    const cell = target.cell(param, voice);
    if (this.#isCurrent(target, cell)) return target.newest[cell]!;
    const all = target.cell(param, -1);
    return this.#isCurrent(target, all) ? target.newest[all]! : this.#space.value(target.module, param, voice);
  }

  #isCurrent(target: Target, cell: number): boolean {
    const marks = target.marks[cell]!;
    if ((marks & MARK.current) === 0) return false;
    return (marks & MARK.waiting) !== 0 || ((Atomics.load(this.#words, CONTROL.BLOCKS) - target.blocks[cell]!) | 0) < SETTLED;
  }

  /** The newest value of each parameter that was set since the last time; of what was meant for later, what has come. */
  takeChanges(): ParamChange[] {
    const computed = readFrame(this.#words, CONTROL.FRAME_LO) - SETTLED * this.#words[CONTROL.BLOCK_FRAMES]!;
    const changes: ParamChange[] = [];
    this.#changed = this.#changed.filter((target) => (target.hasChanged = this.#takeChanged(target, computed, changes)));
    return changes;
  }

  /** @returns whether there is more to come */
  #takeChanged(target: Target, computed: number, changes: ParamChange[]): boolean {
    const { id, address } = target.module;
    let isMore = false;
    for (let cell = 0; cell < target.marks.length; cell++) {
      const marks = target.marks[cell]!;
      if ((marks & (MARK.changed | MARK.ahead)) === 0) continue;
      const isAhead = (marks & MARK.ahead) !== 0;
      const isOver = isAhead && target.last[cell]! < computed;
      const param = target.names[target.paramOf(cell)]!;
      if (isAhead && target.first[cell]! < computed)
        for (const [voice, value] of this.#playing(target, cell)) changes.push({ id, address, param, voice, value });
      else if ((marks & MARK.changed) !== 0) changes.push({ id, address, param, voice: target.voiceOf(cell), value: target.newest[cell]! });
      target.marks[cell] = marks & ~(isOver ? MARK.changed | MARK.ahead : MARK.changed);
      isMore ||= isAhead && !isOver;
    }
    return isMore;
  }

  /** What a cell's parameter is: of its voice, or of all, once for all where they have the same. */
  #playing(target: Target, cell: number): [voice: number, value: number][] {
    const [param, only] = [target.paramOf(cell), target.voiceOf(cell)];
    if (only >= 0) return [[only, this.value(target, param, only)]];
    const values = withoutRepeats(Array.from({ length: target.module.voices }, (_, voice) => this.value(target, param, voice)));
    return values.length === 1 ? [[-1, values[0]!]] : [...values.entries()];
  }
}
