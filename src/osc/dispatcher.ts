// What arrives, message by message: parameters, notes and triggers into the engine, queries answered, the rest to the desk.
//
// On the way of a parameter nothing is allocated: the address is looked up by its bytes, the value read in place. Everything else (an answer, a
// mistake, a text) may take its time. Nothing thrown here leaves: a packet never ends the thread.
import { CONTROL } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import { voicePart, type AddressTable, type AliasEntry, type Entry, type EventEntry, type OffEntry, type ParamEntry } from './addresses.js';
import type { Client } from './client.js';
import { NOW, type FrameClock } from './clock.js';
import type { EngineCommand } from './commands.js';
import type { Input, Outcome } from './input.js';
import { Reader, type Message } from './message.js';
import { hasPattern, Patterns, type Budget } from './patterns.js';
import { keyOfPitch, NOTE_USAGE, PITCH_MIN, readNote, readPitch, voltsOfPitch } from './pitch.js';
import { argsText } from './plain.js';
import { argOf, withoutRepeats } from './query/values.js';
import { REPLY_LIMITS, type Replies } from './replies.js';
import { TAG } from './tags.js';
import { unixSeconds } from './timetag.js';
import { aliasPosition, fit, spread, textValue } from './values.js';
import { whatIsNear } from './near.js';

export interface DispatcherDesk {
  /** A command; `at`: Unix time in milliseconds, if not now. @returns what it did, for people */
  command(command: EngineCommand, message: Message, client: Client, at?: number): string;
  /** An address that means nothing. @returns whether it is of use after all */
  unknown(message: Message): boolean;
}

export interface DispatcherParts {
  readonly words: Int32Array;
  readonly table: AddressTable;
  readonly input: Input;
  readonly clock: FrameClock;
  readonly replies: Replies;
  readonly desk: DispatcherDesk;
  /** Seconds that events may lie ahead. */
  readonly horizonS?: number;
}

const HOUR_S = 3600;
/** Steps that the patterns of a packet may cost, and what an address that one reaches counts for. */
const PATTERN_STEPS = 500_000;
const STEPS_PER_HIT = 16;
/** Values a message may set: voices of a parameter, parameters of an event. */
const VALUES_MAX = 256;
/** Addresses of replies: to complain of one could go on for ever. */
const REPLIES = /^\/(done|fail|late|clamped|monitor)(\/|$)/;

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #sampleRate: number;
  readonly #reader = new Reader();
  readonly #patterns: Patterns;
  readonly #budget: Budget = { steps: 0 };
  readonly #values = new Float64Array(VALUES_MAX);
  #client!: Client;
  /** What the message did, for those who watch. */
  #did = '';
  // The time of the messages at hand:
  #seconds = 0;
  #fraction = 0;
  /** Milliseconds since it passed, 0 = it has not. */
  #lateMs = 0;
  /** Frames until then; 0 = now. */
  #ahead = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#sampleRate = parts.words[CONTROL.SAMPLE_RATE]!;
    this.#patterns = new Patterns(parts.table);
  }

  /** Does what a packet says. */
  receive(packet: Uint8Array, client: Client): void {
    const { words, replies } = this.#parts;
    Atomics.add(words, CONTROL.OSC_PACKETS, 1);
    this.#client = client;
    replies.heard(client, packet.length);
    const fault = this.#reader.open(packet);
    if (fault) {
      Atomics.add(words, CONTROL.OSC_FAULTS, 1);
      if (replies.mayComplain(client)) replies.complain(client, 'packet', `${fault.reason}, at byte ${fault.at}`);
      return;
    }
    this.#budget.steps = PATTERN_STEPS;
    this.#setMoment(0, 1);
    while (this.#reader.next()) this.#receiveMessage();
  }

  #receiveMessage(): void {
    const { words, replies } = this.#parts;
    const { message, timeSeconds, timeFraction } = this.#reader;
    Atomics.add(words, CONTROL.OSC_MESSAGES, 1);
    try {
      if (timeSeconds !== this.#seconds || timeFraction !== this.#fraction) this.#setMoment(timeSeconds, timeFraction);
      this.#dispatch(message);
      if (replies.mayMonitor()) replies.monitor(this.#client, message.address(), argsText(message), this.#did);
    } catch (error) {
      Atomics.add(words, CONTROL.OSC_FAULTS, 1);
      if (replies.mayComplain(this.#client)) replies.complain(this.#client, message.address(), `internal error: ${String(error)}`);
    }
  }

  // ── time ──

  #setMoment(seconds: number, fraction: number): void {
    const { words, clock, input } = this.#parts;
    this.#seconds = seconds;
    this.#fraction = fraction;
    this.#lateMs = 0;
    this.#ahead = 0;
    const frame = clock.frameOf(seconds, fraction);
    if (frame !== NOW) {
      const ahead = frame - readFrame(words, CONTROL.FRAME_LO);
      if (ahead < 0) this.#lateMs = (-ahead * 1000) / this.#sampleRate;
      else this.#ahead = ahead;
    }
    input.moment(this.#lateMs > 0 ? NOW : frame);
  }

  /** Whether something may happen at the moment of its bundle; says so if not. */
  #mayHappen(message: Message): boolean {
    const { words, input, replies, horizonS = HOUR_S } = this.#parts;
    if (this.#lateMs > 0) {
      Atomics.add(words, CONTROL.OSC_LATE, 1);
      replies.late(this.#client, message, this.#lateMs);
    }
    if (this.#ahead === 0) return true;
    if (this.#ahead > horizonS * this.#sampleRate) return this.#refuse(message.address(), `more than ${horizonS} seconds ahead`);
    if (!input.isCrowded()) return true;
    Atomics.add(words, CONTROL.OSC_DROPPED, 1);
    return this.#refuse(message.address(), 'too many scheduled');
  }

  // ── addresses ──

  #dispatch(message: Message): void {
    const { table } = this.#parts;
    const { packet, addressStart, addressEnd } = message;
    this.#did = 'nothing';
    const entry = table.find(packet, addressStart, addressEnd);
    if (entry) return void this.#carryOut(entry, -1, message);
    const end = voicePart(packet, addressStart, addressEnd);
    const param = end > 0 ? table.find(packet, addressStart, end) : undefined;
    if (param?.kind === 'param') return this.#dispatchVoice(param, message, end);
    if (hasPattern(packet, addressStart, addressEnd)) this.#dispatchPattern(message);
    else this.#dispatchUnknown(message);
  }

  #dispatchVoice(entry: ParamEntry, message: Message, end: number): void {
    const { voices } = entry.target.module;
    let voice = 0;
    for (let at = end + 1; at < message.addressEnd; at++) voice = voice * 10 + message.packet[at]! - 0x30;
    if (voice < voices) this.#carryOut(entry, voice, message);
    else this.#refuse(message.address(), `${entry.target.module.id} has ${voices === 1 ? 'voice 0 only' : `voices 0 to ${voices - 1}`}`);
  }

  #dispatchPattern(message: Message): void {
    const { packet, addressStart, addressEnd } = message;
    const hits = this.#patterns.find(packet, addressStart, addressEnd, this.#budget);
    if (!hits) return void this.#refuse(message.address(), 'the pattern is too hard, write a simpler one');
    let reached = 0;
    for (let i = 0; i < hits.length; i++) {
      const { entry, voice } = hits[i]!;
      // What edits the patch must be meant.
      if (entry.kind === 'command' && entry.command.by === 'control') continue;
      if ((this.#budget.steps -= STEPS_PER_HIT) < 0) return void this.#refuse(message.address(), 'patterns of this packet reach too much');
      if (!this.#carryOut(entry, voice, message)) return;
      reached++;
    }
    if (reached === 0)
      this.#refuse(
        message.address(),
        hits.length > 0 ? 'patterns do not reach commands that edit the patch' : 'the pattern reaches nothing',
      );
  }

  #dispatchUnknown(message: Message): void {
    const { desk, table, replies } = this.#parts;
    if (desk.unknown(message)) return void (this.#did = 'learned');
    this.#did = 'refused: no such address';
    if (!replies.mayComplain(this.#client)) return;
    const address = message.address();
    if (!REPLIES.test(address)) replies.complain(this.#client, address, whatIsNear(address, table));
  }

  /** @returns false when its sender has been told all that it may be told now */
  #carryOut(entry: Entry, voice: number, message: Message): boolean {
    switch (entry.kind) {
      case 'param':
        if (message.argCount === 0) return this.#answer(entry, voice);
        if (this.#mayHappen(message)) this.#setParam(entry, voice, message);
        return true;
      case 'alias':
        if (message.argCount === 0) return this.#answerAlias(entry);
        if (this.#mayHappen(message)) this.#setAlias(entry, message);
        return true;
      case 'event':
        if (this.#mayHappen(message)) this.#event(entry, message);
        return true;
      case 'off':
        if (this.#mayHappen(message)) this.#endNotes(entry, message);
        return true;
      case 'command':
        this.#command(entry.command, message);
        return true;
      case 'module':
        this.#refuse(entry.address, `is a module; it has ${this.#parts.table.namesOf(entry.target.module.id).join(', ')}`);
        return true;
    }
  }

  #command(command: EngineCommand, message: Message): void {
    const isControls = command.by === 'control';
    if (isControls && !this.#mayHappen(message)) return;
    const at = isControls && this.#ahead > 0 ? 1000 * unixSeconds(this.#seconds, this.#fraction) : undefined;
    this.#did = this.#parts.desk.command(command, message, this.#client, at);
  }

  /** @returns false */
  #refuse(address: string, why: string): false {
    const { replies } = this.#parts;
    this.#did = `refused: ${why}`;
    if (replies.mayComplain(this.#client)) replies.complain(this.#client, address, why);
    return false;
  }

  // ── parameters ──

  #setParam(entry: ParamEntry, voice: number, message: Message): void {
    if (message.argCount === 1) {
      if (this.#read(entry, message, 0, 0)) this.#put(entry, voice, 0, message);
      return;
    }
    const { voices } = entry.target.module;
    const count = this.#readAll(entry, message, voice < 0 ? voices : 1);
    for (let i = 0; i < count; i++) this.#put(entry, voice < 0 && voices > 1 ? i : voice, i, message);
  }

  /** Reads one value per voice; brackets around them do no harm. @returns how many, 0 when it has refused them */
  #readAll(entry: ParamEntry, message: Message, most: number): number {
    let count = 0;
    for (let i = 0; i < message.argCount; i++) {
      const tag = message.tag(i);
      if (tag === TAG.arrayBegin || tag === TAG.arrayEnd) continue;
      if (count === most) {
        this.#refuse(entry.address, most === 1 ? 'takes one value' : `takes at most ${most} values, one per voice`);
        return 0;
      }
      if (!this.#read(entry, message, i, count)) return 0;
      count++;
    }
    return count;
  }

  /** Reads an argument as a number for a parameter into `#values`. @returns whether it is one; says so if not */
  #read(entry: ParamEntry, message: Message, i: number, at: number): boolean {
    const values = this.#values;
    message.readNumber(i, values, at);
    if (Number.isFinite(values[at])) return true;
    const text = textValue(entry.spec, message, i);
    if (typeof text === 'string') return this.#refuse(entry.address, text);
    values[at] = text;
    return true;
  }

  /** Sets a parameter to a number in `#values`. */
  #put(entry: ParamEntry, voice: number, at: number, message: Message): void {
    const values = this.#values;
    const given = values[at]!;
    fit(entry, values, at);
    const isOutside = given < entry.low || given > entry.high;
    if (isOutside && entry.spec.kind !== 'toggle') this.#tellClamped(entry, given, values[at]!);
    else entry.isClamped = false;
    this.#tell(this.#parts.input.set(entry.target, entry.param, voice, values, at), message);
  }

  /** Once, until it is in range again. */
  #tellClamped(entry: ParamEntry | AliasEntry, given: number, value: number): void {
    Atomics.add(this.#parts.words, CONTROL.OSC_CLAMPED, 1);
    if (entry.isClamped) return;
    entry.isClamped = true;
    this.#parts.replies.clamped(this.#client, entry.address, given, value);
  }

  #tell(outcome: Outcome, message: Message): void {
    this.#did = outcome;
    if (outcome === 'dropped') this.#parts.replies.dropped(this.#client, message);
  }

  #setAlias(entry: AliasEntry, message: Message): void {
    const values = this.#values;
    message.readNumber(0, values, 0);
    const given = values[0]!;
    if (message.argCount !== 1 || !Number.isFinite(given)) return void this.#refuse(entry.address, 'takes a number from 0 to 1');
    if (given < 0) values[0] = 0;
    else if (given > 1) values[0] = 1;
    if (given === values[0]) entry.isClamped = false;
    else this.#tellClamped(entry, given, values[0]!);
    spread(entry, values, 0);
    fit(entry.param, values, 0);
    this.#tell(this.#parts.input.set(entry.param.target, entry.param.param, -1, values, 0), message);
  }

  // ── queries ──

  /** A parameter's value, or one per voice where they differ. */
  #valuesOf({ target, param }: ParamEntry, voice: number): readonly number[] {
    const { input } = this.#parts;
    if (voice >= 0) return [input.value(target, param, voice)];
    return withoutRepeats(Array.from({ length: target.module.voices }, (_, i) => input.value(target, param, i)));
  }

  /** Whether a question is answered; says so if not to who asks too much, and nothing to who does not read. */
  #mayAnswer(address: string): boolean {
    this.#did = 'not answered';
    if (this.#client.isFull?.()) return false;
    return this.#parts.replies.mayAnswer(this.#client) || this.#refuse(address, `more than ${REPLY_LIMITS.answers} answers in a second`);
  }

  #answer(entry: ParamEntry, voice: number): boolean {
    if (!this.#mayAnswer(entry.address)) return false;
    const args = this.#valuesOf(entry, voice).map((value) => argOf(entry.spec, value));
    this.#parts.replies.send(this.#client, voice < 0 ? entry.address : `${entry.address}/${voice}`, args);
    this.#did = 'answered';
    return true;
  }

  #answerAlias(entry: AliasEntry): boolean {
    if (!this.#mayAnswer(entry.address)) return false;
    const args = this.#valuesOf(entry.param, -1).map((value) => ({ type: 'f', value: aliasPosition(entry, value) }) as const);
    this.#parts.replies.send(this.#client, entry.address, args);
    this.#did = 'answered';
    return true;
  }

  // ── events ──

  #event(entry: EventEntry, message: Message): void {
    const { input } = this.#parts;
    const { target, spec, params } = entry;
    if (spec.kind === 'note') this.#playNote(entry, message);
    else if (spec.kind === 'set') this.#setTogether(entry, message);
    else if (message.number(0) === 0) this.#did = 'released';
    else this.#tell(input.add(target, params[0]!.param), message);
  }

  #setTogether({ address, params }: EventEntry, message: Message): void {
    if (message.argCount !== params.length)
      return void this.#refuse(address, `takes ${params.map(({ target, param }) => target.names[param]).join(', ')}`);
    for (const [i, param] of params.entries()) if (!this.#read(param, message, i, i)) return;
    for (const [i, param] of params.entries()) this.#put(param, -1, i, message);
  }

  #playNote({ address, target }: EventEntry, message: Message): void {
    const note = readNote(message);
    if (!note) return void this.#refuse(address, `takes ${NOTE_USAGE}`);
    const { pitch, velocity, seconds } = note;
    const frames = seconds === 0 ? 0 : Math.max(1, Math.round(seconds * this.#sampleRate));
    this.#tell(this.#parts.input.note(target, voltsOfPitch(pitch), velocity, keyOfPitch(pitch), frames), message);
  }

  /** `/<id>/off pitch` ends a note, without a pitch all of them. */
  #endNotes({ address, target }: OffEntry, message: Message): void {
    const pitch = message.argCount === 0 ? PITCH_MIN : readPitch(message);
    if (pitch === undefined || message.argCount > 1) return void this.#refuse(address, 'takes a pitch, or nothing: all notes');
    const key = message.argCount === 0 ? -1 : keyOfPitch(pitch);
    this.#tell(this.#parts.input.note(target, voltsOfPitch(pitch), 0, key, 0), message);
  }
}
