// Notes, as OSC says them.
import type { Message } from './message.js';
import { TAG } from './tags.js';

const SEMITONES = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 } as const;
const NAME = /^([a-g])(#{1,2}|b{1,2})?(-?\d{1,2})$/i;

/** C4 is 60, and 0 V. */
const MIDDLE_C = 60;
/** ±10 V around it. */
export const PITCH_MIN = MIDDLE_C - 120;
export const PITCH_MAX = MIDDLE_C + 120;
/** The longest that a note may be told to last. */
export const NOTE_MAX_S = 3600;

export const NOTE_USAGE = `pitch (${PITCH_MIN} to ${PITCH_MAX}, or c4), velocity (0 to 1, or an integer to 127) and maybe seconds`;

export interface Note {
  /** A MIDI number, perhaps between two. */
  readonly pitch: number;
  /** 0 to 1; 0 ends the note. */
  readonly velocity: number;
  /** 0 = until it is ended. */
  readonly seconds: number;
}

/** What `/<id>/note` says: pitch, velocity, perhaps seconds; undefined when it makes no sense. */
export function readNote(message: Message): Note | undefined {
  const pitch = readPitch(message);
  const velocity = readVelocity(message);
  const seconds = message.argCount > 2 ? message.number(2) : 0;
  const isRight = pitch !== undefined && velocity !== undefined && seconds >= 0 && seconds <= NOTE_MAX_S && message.argCount <= 3;
  return isRight ? { pitch, velocity, seconds } : undefined;
}

/** The first argument as a pitch: a MIDI number, or a name. */
export function readPitch(message: Message): number | undefined {
  const number = message.number(0);
  const pitch = Number.isFinite(number) ? number : pitchOfName(message.string(0) ?? '');
  return pitch !== undefined && pitch >= PITCH_MIN && pitch <= PITCH_MAX ? pitch : undefined;
}

/** The second argument, 0 to 1; an integer above 1 is of 127. */
function readVelocity(message: Message): number | undefined {
  const number = message.number(1);
  if (!(number >= 0)) return undefined;
  const isOf127 = number > 1 && (message.tag(1) === TAG.int32 || message.tag(1) === TAG.int64);
  return Math.min(1, isOf127 ? number / 127 : number);
}

/** The MIDI number of `c4`, `F#3`, `eb5`. */
function pitchOfName(name: string): number | undefined {
  const parts = NAME.exec(name);
  if (!parts) return undefined;
  const [, letter, accidentals = '', octave] = parts;
  const bend = accidentals.startsWith('#') ? accidentals.length : -accidentals.length;
  return MIDDLE_C + 12 * (Number(octave) - 4) + SEMITONES[letter!.toLowerCase() as keyof typeof SEMITONES] + bend;
}

export const voltsOfPitch = (pitch: number): number => (pitch - MIDDLE_C) / 12;

/** What names a note until it ends: hundredths of a semitone, so that microtones are apart. */
export const keyOfPitch = (pitch: number): number => Math.round(pitch * 100);
