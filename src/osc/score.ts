// Scores: files of timed OSC bundles, as SuperCollider writes them for its non-realtime server (a length, a bundle, and so on; times in
// seconds from the start). What they play is put into the engine before it starts, so a render has every event on its frame.
import { KrellError } from '../errors.js';
import { CONTROL_PLACES, takeCommands } from '../realtime/pending.js';
import { COMMAND, COMMAND_ADD, COMMAND_NOTE, COMMAND_SET, COMMAND_SLOTS, COMMANDS_OSC_W, CONTROL, PENDING_MAX } from '../shared/layout.js';
import { CommandRing } from '../shared/ring.js';
import { AddressTable } from './addresses.js';
import { readInt32, readUint32 } from './bytes.js';
import type { Client } from './client.js';
import { decode } from './decode.js';
import { Dispatcher } from './dispatcher.js';
import type { Input, Outcome } from './input.js';
import { Replies } from './replies.js';
import { Space, type Table } from './space.js';
import type { Target } from './target.js';
import { LIMITS } from './validate.js';

/** Events of a score: what the pending heap takes of them, and the ring. */
export const SCORE_EVENTS_MAX = PENDING_MAX - CONTROL_PLACES + COMMAND_SLOTS;
/** Mistakes that an error lists; the rest is counted. */
const LISTED = 20;

const HASH = 0x23;

/** An event of a score. */
interface Event {
  readonly frame: number;
  readonly record: Int32Array;
}

/** Keeps what a score plays. */
class ScoreInput implements Input {
  readonly events: Event[] = [];
  /** Also those that are too many: then none is played, but they are to be counted. */
  count = 0;
  #frame = 0;

  moment(frame: number): void {
    this.#frame = frame;
  }

  set(target: Target, param: number, voice: number, values: Float64Array, at: number): Outcome {
    return this.#keep(COMMAND_SET, target, param, target.module.lane ?? voice, values[at]!, target.ramps[param]!);
  }

  note(target: Target, volts: number, velocity: number, key: number, frames: number): Outcome {
    const bits = new Int32Array(Float32Array.of(velocity).buffer)[0]!;
    return this.#keep(COMMAND_NOTE, target, bits, key, volts, frames);
  }

  add(target: Target, param: number): Outcome {
    return this.#keep(COMMAND_ADD, target, param, target.module.lane ?? -1, 1, 0);
  }

  #keep(kind: number, target: Target, param: number, voice: number, value: number, ramp: number): Outcome {
    this.count++;
    if (this.count > SCORE_EVENTS_MAX) return 'sent';
    const record = new Int32Array(COMMAND.WORDS);
    record[COMMAND.KIND] = kind;
    record[COMMAND.SLOT] = target.module.address;
    record[COMMAND.PARAM] = param;
    record[COMMAND.VOICE] = voice;
    new Float32Array(record.buffer)[COMMAND.VALUE] = value;
    record[COMMAND.FRAME_LO] = this.#frame;
    record[COMMAND.FRAME_HI] = Math.floor(this.#frame / 2 ** 32);
    record[COMMAND.RAMP] = ramp;
    this.events.push({ frame: this.#frame, record });
    return 'sent';
  }

  isCrowded(): boolean {
    return false;
  }

  /** Nobody hears the answers to a score. */
  value(): number {
    return 0;
  }
}

/** What a score did. */
export interface ScoreSummary {
  readonly events: number;
  /** The frame of the last one. */
  readonly lastFrame: number;
}

/**
 * Puts a score's events into an engine that has its patch and has not started. `table`: all its modules.
 * @throws KrellError `score`: it is broken, says what cannot be done, or is too long; then nothing of it is played
 */
export function playScore(engine: { readonly memory: SharedArrayBuffer; readonly table: Table }, bytes: Uint8Array): ScoreSummary {
  const words = new Int32Array(engine.memory);
  const input = new ScoreInput();
  const mistakes = readScore(words, engine, input, bytes);
  if (mistakes.length > 0) {
    const listed = mistakes.slice(0, LISTED).map((mistake) => `\n  ${mistake}`);
    const more = mistakes.length > LISTED ? `\n  … and ${(mistakes.length - LISTED).toLocaleString('en')} more` : '';
    throw new KrellError('score', `the score says what cannot be done in one:${listed.join('')}${more}`);
  }
  const count = input.count.toLocaleString('en');
  if (input.count > SCORE_EVENTS_MAX)
    throw new KrellError('score', `the score has ${count} events, and ${SCORE_EVENTS_MAX.toLocaleString('en')} fit`, {
      hint: 'render it in parts',
    });
  // The heap takes the first, the ring the rest, in order: what is due is always in the heap.
  const events = input.events.sort((a, b) => a.frame - b.frame);
  const ring = new CommandRing(engine.memory, COMMANDS_OSC_W);
  for (const { record } of events) {
    if (ring.fill() === COMMAND_SLOTS) takeCommands(words, ring, CONTROL_PLACES);
    ring.push(record);
  }
  return { events: events.length, lastFrame: events.at(-1)?.frame ?? 0 };
}

/** @returns what is wrong in it, with its times */
function readScore(
  words: Int32Array,
  { memory, table }: { memory: SharedArrayBuffer; table: Table },
  input: ScoreInput,
  bytes: Uint8Array,
): string[] {
  const sampleRate = words[CONTROL.SAMPLE_RATE]!;
  const space = new Space(memory);
  space.update(table);
  const mistakes: string[] = [];
  let time = 0;
  let milliseconds = 0;
  const mistake = (address: string, why: string): void => void mistakes.push(`${time} s: ${address}: ${why}`);
  const reader: Client = {
    id: 0,
    label: 'score',
    isStream: true,
    send: (packet) => {
      const message = decode(packet);
      if (message.kind === 'message' && message.address === '/fail')
        mistake(String(message.args[0]?.value), String(message.args[1]?.value));
      return true;
    },
  };
  const dispatcher = new Dispatcher({
    words,
    table: new AddressTable(space, sampleRate),
    input,
    clock: { frameOf: (seconds, fraction) => frameOf(seconds, fraction, sampleRate) },
    // Every mistake is told: each comes in a second of its own.
    replies: new Replies(true, () => (milliseconds += 1000)),
    desk: {
      command: ({ address }) => {
        mistake(address, 'is not for scores; change the patch instead');
        return 'refused';
      },
      unknown: () => false,
    },
    horizonS: Infinity,
  });
  for (let at = 0; at < bytes.length;) {
    const size = at + 4 <= bytes.length ? readInt32(bytes, at) : -1;
    if (size <= 0 || size > LIMITS.bytes || size > bytes.length - at - 4)
      throw new KrellError('score', `the score is broken at byte ${at}: no packet of ${size} bytes follows`);
    const packet = bytes.subarray(at + 4, at + 4 + size);
    time = packet[0] === HASH && size >= 16 ? readUint32(packet, 8) + readUint32(packet, 12) / 2 ** 32 : 0;
    dispatcher.receive(packet, reader);
    at += 4 + size;
  }
  return mistakes;
}

/** Times of a score begin with 0, so there is no immediately. */
const frameOf = (seconds: number, fraction: number, sampleRate: number): number => Math.round((seconds + fraction / 2 ** 32) * sampleRate);
