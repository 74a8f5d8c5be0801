// Notes: which voice plays which key. Run at the event's frame by whoever runs the partition, on the state that the kernel has left
// there, so the same notes make the same sound live and offline, in whatever blocks. How a voice then glides, counts its time down
// and shows edges is the kernel's business (modules/keys.ts).
import { NOTE, NOTE_LONG, NOTE_MODE, NOTE_PARAM, NOTE_STEAL, STATE } from '../shared/layout.js';
import { age, clearKeys, depthOf, dropRow, keyOf, leftOf, pitchOf, planReturns, pushKey, rowOf } from './keystack.js';
import { noteAt, paramAt } from './params.js';

const ON = -1;
const OFF = 0;
const ALL_KEYS = -1;

// Floats stay the bits that they came as: a number with a fraction could become an object on the heap. Those that are not negative
// compare as their bits do, and those that are have negative bits.
const ONE = 0x3f80_0000;
const INFINITY = 0x7f80_0000;
const isNumber = (bits: number): boolean => (bits & INFINITY) !== INFINITY;

const get = (words: Int32Array, state: number, field: number, voice: number): number => words[noteAt(words, state, field, voice)]!;
function put(words: Int32Array, state: number, field: number, voice: number, value: number): void {
  words[noteAt(words, state, field, voice)] = value;
}

/**
 * Begins a note, or with velocity 0 ends it (all notes, when the key is −1). Pitch in volts and velocity 0..1 are given as float
 * bits. `frames`: how long it lasts, 0 = until it is ended.
 * @returns false when the module plays no notes, or this is none.
 */
export function playNote(
  words: Int32Array,
  floats: Float32Array,
  state: number,
  key: number,
  pitch: number,
  velocity: number,
  frames: number,
): boolean {
  if (words[state + STATE.KEYS] === 0 || !isNumber(velocity) || (velocity > 0 && !isNumber(pitch))) return false;
  const mode = floats[paramAt(words, state, NOTE_PARAM.MODE, 0)]!;
  endTimed(words, state);
  if (mode === NOTE_MODE.POLY && depthOf(words, state) > 0) clearKeys(words, state);
  if (velocity <= 0) {
    if (key === ALL_KEYS) endAll(words, state);
    else endKey(words, state, key);
    return true;
  }
  const strength = velocity < ONE ? velocity : ONE;
  const length = frames < 0 ? 0 : frames < NOTE_LONG ? frames : NOTE_LONG - 1;
  if (mode === NOTE_MODE.POLY) {
    const steal = floats[paramAt(words, state, NOTE_PARAM.STEAL, 0)]!;
    playPoly(words, state, key, pitch, strength, length, steal);
  } else playMono(words, state, key, pitch, strength, length, mode === NOTE_MODE.LEGATO);
  return true;
}

/** What ends by itself in this very frame has ended before anything that begins in it. */
function endTimed(words: Int32Array, state: number): void {
  const wasStacked = depthOf(words, state) > 0;
  age(words, state);
  if (depthOf(words, state) > 0) soundTop(words, state);
  else if (wasStacked) release(words, state, 0);
  for (let voice = 0; voice < words[state + STATE.VOICES]!; voice++)
    if (get(words, state, NOTE.LEFT, voice) === 1) release(words, state, voice);
}

function playPoly(words: Int32Array, state: number, key: number, pitch: number, velocity: number, frames: number, steal: number): void {
  let voice = holder(words, state, key);
  if (voice < 0) {
    voice = nextVoice(words, state, steal);
    put(words, state, NOTE.TURN, 0, voice);
  }
  hold(words, state, voice, key, pitch, frames);
  strike(words, state, voice, velocity);
}

function playMono(words: Int32Array, state: number, key: number, pitch: number, velocity: number, frames: number, isLegato: boolean): void {
  const joins = depthOf(words, state) > 0;
  // Whatever another mode has left.
  if (!joins) endAll(words, state);
  pushKey(words, state, key, pitch, frames);
  soundTop(words, state);
  if (isLegato && joins) return;
  if (isLegato) put(words, state, NOTE.JUMP, 0, ON);
  strike(words, state, 0, velocity);
}

function endKey(words: Int32Array, state: number, key: number): void {
  const row = rowOf(words, state, key);
  if (row >= 0) {
    dropRow(words, state, row);
    if (depthOf(words, state) > 0) soundTop(words, state);
    else release(words, state, 0);
    return;
  }
  const voice = holder(words, state, key);
  if (voice >= 0) release(words, state, voice);
}

function endAll(words: Int32Array, state: number): void {
  clearKeys(words, state);
  for (let voice = 0; voice < words[state + STATE.VOICES]!; voice++)
    if (get(words, state, NOTE.HELD, voice) !== OFF) release(words, state, voice);
}

// ── one voice ──

function hold(words: Int32Array, state: number, voice: number, key: number, pitch: number, frames: number): void {
  put(words, state, NOTE.KEY, voice, key);
  put(words, state, NOTE.PITCH, voice, pitch);
  put(words, state, NOTE.HELD, voice, ON);
  put(words, state, NOTE.LEFT, voice, frames > 0 ? frames + 1 : 0);
  put(words, state, NOTE.NEXT, voice, 0);
  put(words, state, NOTE.LAST, voice, 0);
  put(words, state, NOTE.SINCE, voice, 0);
}

/** The first voice sounds the latest key held. */
function soundTop(words: Int32Array, state: number): void {
  const top = depthOf(words, state) - 1;
  hold(words, state, 0, keyOf(words, state, top), pitchOf(words, state, top), leftOf(words, state, top));
  planReturns(words, state);
}

function strike(words: Int32Array, state: number, voice: number, velocity: number): void {
  const notes = get(words, state, NOTE.NOTES, 0) + 1;
  // The first note of a voice has nowhere to glide from.
  if (get(words, state, NOTE.ORDER, voice) === 0) put(words, state, NOTE.JUMP, voice, ON);
  put(words, state, NOTE.VELOCITY, voice, velocity);
  put(words, state, NOTE.STRUCK, voice, ON);
  put(words, state, NOTE.ORDER, voice, notes);
  put(words, state, NOTE.NOTES, 0, notes);
}

function release(words: Int32Array, state: number, voice: number): void {
  put(words, state, NOTE.HELD, voice, OFF);
  put(words, state, NOTE.LEFT, voice, 0);
  put(words, state, NOTE.SINCE, voice, 0);
}

// ── which voice ──

/** The voice that holds a key, the newest when there are several; −1 when there is none. */
function holder(words: Int32Array, state: number, key: number): number {
  let found = -1;
  for (let voice = 0; voice < words[state + STATE.VOICES]!; voice++) {
    if (get(words, state, NOTE.HELD, voice) === OFF || get(words, state, NOTE.KEY, voice) !== key) continue;
    if (found < 0 || isOlder(words, state, found, voice)) found = voice;
  }
  return found;
}

/** The voice for a new key: a released one if there is any. */
function nextVoice(words: Int32Array, state: number, steal: number): number {
  const voices = words[state + STATE.VOICES]!;
  const first = steal === NOTE_STEAL.ROTATE ? (get(words, state, NOTE.TURN, 0) + 1) % voices : 0;
  let best = first;
  for (let i = 1; i < voices; i++) {
    const voice = (first + i) % voices;
    if (goesBefore(words, state, voice, best, steal)) best = voice;
  }
  return best;
}

/** Whether voice `a` is a better one to take than `b`, which was looked at before. */
function goesBefore(words: Int32Array, state: number, a: number, b: number, steal: number): boolean {
  const isHeld = get(words, state, NOTE.HELD, a) !== OFF;
  if (isHeld !== (get(words, state, NOTE.HELD, b) !== OFF)) return !isHeld;
  if (steal === NOTE_STEAL.ROTATE) return false;
  if (steal === NOTE_STEAL.QUIETEST) {
    const levelA = get(words, state, NOTE.LEVEL, a);
    const levelB = get(words, state, NOTE.LEVEL, b);
    if (levelA !== levelB) return levelA < levelB;
  }
  if (!isHeld) {
    const since = get(words, state, NOTE.SINCE, a) - get(words, state, NOTE.SINCE, b);
    if (since !== 0) return since > 0;
  } else if (steal === NOTE_STEAL.QUIETEST) {
    const velocityA = get(words, state, NOTE.VELOCITY, a);
    const velocityB = get(words, state, NOTE.VELOCITY, b);
    if (velocityA !== velocityB) return velocityA < velocityB;
  }
  return isOlder(words, state, a, b);
}

const isOlder = (words: Int32Array, state: number, a: number, b: number): boolean =>
  ((get(words, state, NOTE.ORDER, a) - get(words, state, NOTE.ORDER, b)) | 0) < 0;
