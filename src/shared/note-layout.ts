// Notes: what a module that plays them shares with who assigns its voices (src/realtime/notes.ts). Part of layout.ts.
/** Its first parameters, by place, and the places of their values. */
export const NOTE_PARAM = { MODE: 0, STEAL: 1 } as const;
export const NOTE_MODE = { POLY: 0, MONO: 1, LEGATO: 2 } as const;
export const NOTE_STEAL = { OLDEST: 0, QUIETEST: 1, ROTATE: 2 } as const;
/** Its first states, by place: NOTE_STATES in src/module.ts. Their vectors follow those of the parameters. Flags are 0 or −1. */
export const NOTE = {
  PITCH: 0, // float, volts: where the voice is or glides to
  VELOCITY: 1, // float, 0..1
  HELD: 2, // flag: the gate is to be high
  STRUCK: 3, // flag: a note has begun that the kernel has not answered with an edge yet
  JUMP: 4, // flag: the pitch is to be there at once
  LEFT: 5, // one more than the frames until the note ends; 0 = until it is ended
  NEXT: 6, // row of the key stack to which the voice returns when the note ends by itself
  LAST: 7, // row at which there is nothing more to return to
  SINCE: 8, // frames since the gate fell, at most NOTE_LONG
  ELAPSED: 9, // first voice: frames since the last event, at most NOTE_LONG
  LEVEL: 10, // float: input `level` in the frame before, −1 when nothing is plugged into it
  KEY: 11, // the key played last
  ORDER: 12, // that note's number, 0 = never played
  TURN: 13, // first voice: the voice taken last
  NOTES: 14, // first voice: notes so far, wrapping
  DEPTH: 15, // first voice: keys in the key stack
  COUNT: 16,
} as const;
/** Longest time that is told from longer ones, in frames: six hours at 48 kHz. No note is timed to last longer. */
export const NOTE_LONG = 2 ** 30;
/** The key stack, a buffer in the lane of the first voice: keys held in a mode with one voice, the latest last. */
export const KEY_STACK_ROWS = 16;
export const KEY_ROW = {
  KEY: 0,
  PITCH: 1, // float
  LEFT: 2, // frames until it ends, counted from ELAPSED = 0; 0 = until it is ended
  // Not of this key but of the whole stack: row by row, to what the voice returns when notes end by themselves.
  THEN_PITCH: 3, // float
  THEN_LEFT: 4, // frames that this lasts, 0 = until it is ended
  WORDS: 8,
} as const;
