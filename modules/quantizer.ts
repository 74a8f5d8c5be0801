// Moves a pitch to the nearest note of a scale.
import { choice, defineModule, int, trigger, voct } from '../src/module.js';
import { ordinal } from '../src/dsp/bits.js';
import { triggerFrames } from '../src/dsp/gate.js';

/** Semitones above the root. */
const SCALES = {
  chromatic: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10],
  harmonicMinor: [0, 2, 3, 5, 7, 8, 11],
  melodicMinor: [0, 2, 3, 5, 7, 9, 11],
  dorian: [0, 2, 3, 5, 7, 9, 10],
  phrygian: [0, 1, 3, 5, 7, 8, 10],
  lydian: [0, 2, 4, 6, 7, 9, 11],
  mixolydian: [0, 2, 4, 5, 7, 9, 10],
  locrian: [0, 1, 3, 5, 6, 8, 10],
  pentatonicMajor: [0, 2, 4, 7, 9],
  pentatonicMinor: [0, 3, 5, 7, 10],
  blues: [0, 3, 5, 6, 7, 10],
  wholeTone: [0, 2, 4, 6, 8, 10],
  diminished: [0, 2, 3, 5, 6, 8, 9, 11],
  octaves: [0],
};
const NAMES = Object.keys(SCALES) as (keyof typeof SCALES)[];

/** The note of a scale nearest to the middle of each half semitone of an octave: between two notes the border is a multiple of one. */
const nearestNotes = (scale: readonly number[]): number[] =>
  Array.from({ length: 24 }, (_, half) => {
    const middle = half / 2 + 0.25;
    const around = [...scale, scale[0]! + 12, scale.at(-1)! - 12];
    return around.reduce((best, note) => (Math.abs(note - middle) < Math.abs(best - middle) ? note : best));
  });

/** How far past the border between two notes a pitch must go, in semitones, so that noise at the border does not chatter. */
const HYSTERESIS = 0.1;

export const quantizer = defineModule({
  type: 'quantizer',
  summary: 'Moves a pitch to the nearest note of a scale.',
  tags: ['pitch', 'utility'],
  inputs: { in: voct('Any voltage.') },
  outputs: {
    out: voct('The nearest note.'),
    trigger: trigger('When the note changes.'),
  },
  params: {
    scale: choice(NAMES, { default: 'major', summary: 'The notes there are.' }),
    root: choice(['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'], { default: 'C', summary: 'What the scale stands on.' }),
  },
  tables: { nearest: Object.values(SCALES).flatMap(nearestNotes) },
  state: { note: int(), sinceChange: int(1 << 30) },

  process({ input, param, state, output, table, sampleRate }) {
    const scale = ordinal(param.scale) * 24;
    const root = ordinal(param.root);
    const pitch = input.in * 12;
    const held = pitch < state.note ? pitch + HYSTERESIS : pitch - HYSTERESIS;

    const heldOctave = Math.floor((held - root) * (1 / 12));
    const heldHalf = ((held - root - 12 * heldOctave) * 2) | 0;
    const stays = ((table.nearest[scale + heldHalf]! + 12 * heldOctave + root) | 0) === state.note;

    const octave = Math.floor((pitch - root) * (1 / 12));
    const half = ((pitch - root - 12 * octave) * 2) | 0;
    const note = stays ? state.note : (table.nearest[scale + half]! + 12 * octave + root) | 0;

    state.sinceChange = note === state.note ? Math.min(state.sinceChange + 1, 1 << 30) : 0;
    state.note = note;
    output.out = note * (1 / 12);
    output.trigger = state.sinceChange < triggerFrames(sampleRate) ? 10 : 0;
  },
});
