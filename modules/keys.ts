// Keyboard: notes that come in by OSC become pitch, gate and velocity, a voice for each key or one for all.
// Which voice plays which key is decided at the note's frame in src/realtime/notes.ts; here each voice lives with what it was told.
import { cv, defineModule, gate, int, integer, NOTE_PARAMS, NOTE_STATES, number, seconds, trigger, voct } from '../src/module.js';
import { floatBits, rarely } from '../src/dsp/bits.js';
import { triggerFrames } from '../src/dsp/gate.js';

/** Frames counted, and a row of the key stack: NOTE_LONG and KEY_ROW in src/shared/layout.ts. */
const LONG = 2 ** 30;
const ROW_WORDS = 8;
const THEN_PITCH = 3;
const THEN_LEFT = 4;

export const keys = defineModule({
  type: 'keys',
  summary: 'Plays notes: pitch, gate and velocity of each key, on as many voices as the module has.',
  tags: ['keyboard', 'control', 'pitch'],
  inputs: { level: cv('How loud each voice is, say its envelope: what `quietest` goes by. Unplugged, velocities count.') },
  outputs: {
    pitch: voct('Of the key, with `glide`, `transpose` and `bend`.'),
    gate: gate('High while the key is held. A voice that is struck again goes low for one sample.'),
    velocity: cv('How hard the key was struck, 0..10 V.'),
    trigger: trigger('When the key is struck.'),
  },
  params: {
    ...NOTE_PARAMS,
    glide: seconds({
      min: 0,
      max: 10,
      default: 0,
      ramp: 0,
      summary: 'Time from a voice’s pitch to its next; in legato, while a key is held.',
    }),
    bend: number('semitones', { min: -48, max: 48, default: 0, summary: 'Added to the pitch of all voices.' }),
    transpose: integer({ min: -48, max: 48, default: 0, summary: 'Semitones added to the pitch of all voices.' }),
  },
  events: { note: { kind: 'note', summary: 'Strikes a key; velocity 0 releases it.' } },
  state: { ...NOTE_STATES, goal: 0, slope: 0, glideLeft: int(), gateHigh: false, pulse: int() },

  process({ input, plugged, param, state, output, sampleRate }) {
    // A note that has lasted its time ends; with one voice, another key may still be held.
    const ends = state.left === 1;
    state.left = Math.max(state.left - 1, 0);
    const row = state.next * ROW_WORDS;
    const thenPitch = state.keys[row + THEN_PITCH]!;
    const thenLeft = floatBits(state.keys[row + THEN_LEFT]!);
    if (ends) {
      state.held = state.next < state.last;
      state.pitch = state.held ? thenPitch : state.pitch;
      state.left = state.held ? thenLeft : 0;
      state.next += 1;
    }

    // Gate and trigger rise together, after a sample's rest if one of them is high.
    const isHigh = state.gateHigh || state.pulse > 0;
    const rests = state.struck && isHigh;
    const rises = state.struck && !isHigh;
    state.struck = rests;
    state.pulse = rises ? triggerFrames(sampleRate) : rests ? 0 : Math.max(state.pulse - 1, 0);
    state.gateHigh = state.held && !rests;

    // The glide is placed by the frames it has left, so that it ends on its pitch exactly.
    const glideFrames = Math.round(param.glide * sampleRate) | 0;
    if (rarely(state.pitch !== state.goal || state.jump)) {
      const from = state.goal - state.slope * state.glideLeft;
      const jumps = state.jump || glideFrames === 0;
      state.slope = jumps ? 0 : (state.pitch - from) / glideFrames;
      state.glideLeft = jumps ? 0 : glideFrames;
      state.goal = state.pitch;
      state.jump = false;
    }
    state.glideLeft = Math.max(state.glideLeft - 1, 0);

    output.pitch = state.goal - state.slope * state.glideLeft + (param.transpose + param.bend) * (1 / 12);
    output.gate = state.gateHigh ? 10 : 0;
    output.velocity = 10 * state.velocity;
    output.trigger = state.pulse > 0 ? 10 : 0;

    // For the notes to come.
    state.since = state.held ? 0 : Math.min(state.since + 1, LONG);
    state.elapsed = Math.min(state.elapsed + 1, LONG);
    state.level = plugged.level ? Math.max(0, input.level) : -1;
  },
});
