// Pitches and velocities of notes, as OSC says them.

const SEMITONES = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 } as const;
const NAME = /^([a-g])(#{1,2}|b{1,2})?(-?\d{1,2})$/i;

/** C4 is 60, and 0 V. */
const MIDDLE_C = 60;
/** ±10 V around it. */
export const PITCH_MIN = MIDDLE_C - 120;
export const PITCH_MAX = MIDDLE_C + 120;

/** The MIDI number of `c4`, `F#3`, `eb5`, or undefined. */
export function pitchOfName(name: string): number | undefined {
  const parts = NAME.exec(name);
  if (!parts) return undefined;
  const [, letter, accidentals = '', octave] = parts;
  const bend = accidentals.startsWith('#') ? accidentals.length : -accidentals.length;
  return MIDDLE_C + 12 * (Number(octave) - 4) + SEMITONES[letter!.toLowerCase() as keyof typeof SEMITONES] + bend;
}

export const voltsOfPitch = (pitch: number): number => (pitch - MIDDLE_C) / 12;

/** What names a note until it ends: hundredths of a semitone, so that microtones are apart. */
export const keyOfPitch = (pitch: number): number => Math.round(pitch * 100);
