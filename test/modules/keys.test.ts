// The keyboard: each note on its sample, on the right voice, whatever the blocks.
import { describe, expect, it, test } from 'vitest';
import { keys } from '#modules/keys.js';
import { packable } from '#src/kernel/index.js';
import { buffer, cv, defineModule, NOTE_PARAMS, NOTE_STATES } from '#src/module.js';
import { noteAt } from '#src/realtime/params.js';
import { KEY_ROW, KEY_STACK_ROWS, NOTE, NOTE_LONG, NOTE_MODE, NOTE_STEAL, STATE, STEP } from '#src/shared/layout.js';
import { source } from '../kernel/fixture.js';
import { generator } from '../osc/random.js';
import { falls, Keyboard, off, on, perform, pitchOfKey, rises, type Happening } from './keyboard.js';
import { modelKeys, type Played } from './keys-model.js';
import { Rig } from '../rig.js';

const { POLY, MONO, LEGATO } = NOTE_MODE;
const { OLDEST, QUIETEST, ROTATE } = NOTE_STEAL;
const FRAMES = 2000;
const BLOCKS = [16, 64, 256, 2000];
const mono = (happenings: Happening[], params: Record<string, number> = {}, block = 64): Keyboard =>
  perform(happenings, { frames: FRAMES, block, params: { mode: MONO, ...params } });
/** The gates of all voices as `voice: from–to`. */
const gates = (keyboard: Keyboard): string[] =>
  Array.from({ length: keyboard.rig.voices }, (_, voice) => {
    const gate = keyboard.output('gate', voice);
    const ends = [...falls(gate), keyboard.frames];
    return rises(gate)
      .map((from) => `${from}–${ends.find((to) => to > from)}`)
      .join(' ');
  });

describe('a note', () => {
  it.each(BLOCKS)('begins and ends on its sample (block %i)', (block) => {
    const keyboard = perform([on(37, 69, 0, 0.5), off(777, 69)], { frames: FRAMES, voices: 2, block });
    expect(gates(keyboard)).toEqual(['37–777', '']);
    expect(rises(keyboard.output('trigger'))).toEqual([37]);
    expect(falls(keyboard.output('trigger'))).toEqual([37 + 48]);
    expect(keyboard.output('pitch')[37]).toBe(pitchOfKey(69));
    expect(keyboard.output('velocity')[37]).toBe(5);
    expect(keyboard.output('velocity')[36]).toBe(0);
  });
  it.each(BLOCKS)('lasts as many frames as it was given (block %i)', (block) => {
    expect(gates(perform([on(10, 60, 1), on(100, 61, 64), on(300, 62, 1000)], { frames: FRAMES, voices: 3, block }))).toEqual([
      '10–11',
      '100–164',
      '300–1300',
    ]);
  });
  it('that has ended by itself is not ended again', () => {
    // The voice plays another key by then.
    expect(gates(perform([on(10, 60, 90), on(200, 61), off(300, 60)], { frames: FRAMES }))).toEqual([`10–100 200–${FRAMES}`]);
  });
  it('that is struck again before its time lasts its new time', () => {
    expect(gates(perform([on(10, 60, 100), on(60, 60, 500)], { frames: FRAMES }))).toEqual(['10–60 61–560']);
  });
  it('of all keys ends with key −1', () => {
    expect(gates(perform([on(10, 60), on(20, 61), off(100, -1)], { frames: FRAMES, voices: 2 }))).toEqual(['10–100', '20–100']);
  });
  it('goes on for as long as an int can count and no longer', () => {
    const keyboard = perform([on(10, 60, 2 ** 31 - 1)], { frames: FRAMES });
    expect(gates(keyboard)).toEqual([`10–${FRAMES}`]);
  });
  it('is moved by bend and transpose, on all voices', () => {
    const keyboard = perform([on(0, 60), on(0, 67)], { frames: FRAMES, voices: 2, params: { bend: -2, transpose: 12 } });
    expect(keyboard.output('pitch', 0)[5]).toBeCloseTo(10 / 12, 6);
    expect(keyboard.output('pitch', 1)[5]).toBeCloseTo(17 / 12, 6);
  });
  it('that is none changes nothing', () => {
    const keyboard = perform(
      [
        { frame: 5, key: 60, pitch: NaN },
        { frame: 6, key: 60, pitch: Infinity },
      ],
      { frames: FRAMES },
    );
    expect(gates(keyboard)).toEqual(['']);
  });
  it('counts down though only its pitch is used', () => {
    // The kernel leaves out what no cable needs, but not what the next note will ask for.
    const keyboard = perform([on(0, 60, 100), on(200, 62), on(300, 64)], { frames: FRAMES, voices: 2, outputs: ['pitch'] });
    expect(keyboard.keysOf()).toEqual([64, 62]);
  });
});

describe('a voice that is taken', () => {
  it('goes low for one sample, gate and trigger', () => {
    const keyboard = perform([on(100, 60), on(120, 64)], { frames: FRAMES });
    for (const output of ['gate', 'trigger']) {
      expect(falls(keyboard.output(output))[0], output).toBe(120);
      expect(rises(keyboard.output(output)), output).toEqual([100, 121]);
    }
    expect(keyboard.output('pitch')[120]).toBe(pitchOfKey(64));
  });
  it('the seventeenth note takes the oldest of sixteen', () => {
    const sixteen = Array.from({ length: 16 }, (_, i) => on(10 * i, 40 + i));
    const keyboard = perform([...sixteen, on(500, 90)], { frames: FRAMES, voices: 16 });
    expect(keyboard.keysOf()).toEqual([90, ...Array.from({ length: 15 }, (_, i) => 41 + i)]);
    // The note it took is not there to be ended any more.
    keyboard.happen(off(0, 40));
    keyboard.rig.run(64);
    expect(keyboard.output('gate', 0)[10]).toBe(10);
  });
  it('is a released one as long as there is any, the one released longest', () => {
    const keyboard = perform([on(0, 60), on(1, 61), on(2, 62), off(50, 61), off(60, 60), on(100, 70), on(110, 71), on(120, 72)], {
      frames: FRAMES,
      voices: 3,
    });
    // 70 on the voice of 61, 71 on that of 60, then 62 was the oldest.
    expect(keyboard.keysOf()).toEqual([71, 70, 72]);
  });
  it('has its own key again when that is struck again', () => {
    expect(perform([on(0, 60), on(1, 61), on(2, 62), on(50, 61)], { frames: FRAMES, voices: 4 }).keysOf()).toEqual([60, 61, 62, -1]);
  });
  it.each([
    ['quietest', QUIETEST, [60, 61, 73]],
    ['oldest', OLDEST, [73, 61, 62]],
    ['rotate', ROTATE, [73, 61, 62]],
  ])('is by velocity the %s', (_, steal, expected) => {
    const notes = [on(0, 60, 0, 0.9), on(1, 61, 0, 0.5), on(2, 62, 0, 0.2), on(100, 73)];
    expect(perform(notes, { frames: FRAMES, voices: 3, params: { steal } }).keysOf()).toEqual(expected);
  });
  it('is the quietest at that very frame when levels are known', () => {
    // The third voice is the softest, from frame 500 on the second. A note sees the frame before its own.
    const level = (voice: number, frame: number): number => (voice === (frame < 500 ? 2 : 1) ? 1 : 5);
    const notes = (frame: number): Happening[] => [on(0, 60), on(1, 61), on(2, 62), on(frame, 73)];
    for (const block of BLOCKS) {
      const at = (frame: number): number[] =>
        perform(notes(frame), { frames: FRAMES, voices: 3, params: { steal: QUIETEST }, level, block }).keysOf();
      expect(at(500), `block ${block}`).toEqual([60, 62, 73]);
      expect(at(501), `block ${block}`).toEqual([60, 73, 61]);
    }
  });
  it('is the next in turn', () => {
    const notes = [on(0, 60, 5), on(10, 61, 5), on(20, 62, 5), on(30, 63, 5), on(40, 64)];
    expect(perform(notes, { frames: FRAMES, voices: 3, params: { steal: ROTATE } }).keysOf()).toEqual([63, 64, 62]);
    expect(perform(notes, { frames: FRAMES, voices: 3, params: { steal: OLDEST } }).keysOf()).toEqual([63, 64, 62]);
    // 61 is held: turn passes it by.
    const held = [on(0, 60, 5), on(10, 61), on(20, 62, 5), on(30, 63, 5), on(40, 64, 5)];
    expect(perform(held, { frames: FRAMES, voices: 3, params: { steal: ROTATE } }).keysOf()).toEqual([63, 61, 64]);
  });
});

describe('one voice for all keys', () => {
  it('plays the latest key held, and goes back to the one before', () => {
    const keyboard = mono([on(0, 60), on(100, 64), on(200, 67), off(300, 64), off(400, 67), off(500, 60)]);
    const pitch = keyboard.output('pitch');
    expect([50, 150, 250, 350, 450].map((frame) => pitch[frame])).toEqual([60, 64, 67, 67, 60].map(pitchOfKey));
    expect(gates(keyboard)).toEqual(['0–100 101–200 201–500']);
  });
  it('is struck by each key, in legato by the first only', () => {
    const notes = [on(0, 60), on(100, 64), off(200, 64), off(300, 60), on(400, 62), off(500, 62)];
    expect(gates(mono(notes))).toEqual(['0–100 101–300 400–500']);
    expect(gates(mono(notes, { mode: LEGATO }))).toEqual(['0–300 400–500']);
    expect(rises(mono(notes).output('trigger'))).toEqual([0, 101, 400]);
    expect(rises(mono(notes, { mode: LEGATO }).output('trigger'))).toEqual([0, 400]);
  });
  it('keeps in legato the velocity it was struck with', () => {
    const velocity = mono([on(0, 60, 0, 0.5), on(100, 64, 0, 1)], { mode: LEGATO }).output('velocity');
    expect(velocity[150]).toBe(5);
  });
  it.each(BLOCKS)('goes back by itself when notes end (block %i)', (block) => {
    // 60 for good; 62 until 500; 64 until 300; 65 until 200: each returns to the one below that is still there.
    const notes = [on(0, 60), on(10, 62, 490), on(20, 64, 280), on(30, 65, 170), off(700, 60)];
    const keyboard = mono(notes, {}, block);
    const pitch = keyboard.output('pitch');
    expect([199, 200, 299, 300, 499, 500].map((frame) => pitch[frame])).toEqual([65, 64, 64, 62, 62, 60].map(pitchOfKey));
    expect(falls(keyboard.output('gate')).at(-1)).toBe(700);
  });
  it('passes over keys that have ended below', () => {
    const notes = [on(0, 60, 1000), on(10, 62, 90), on(20, 64, 480)];
    expect(mono(notes).output('pitch')[500]).toBe(pitchOfKey(60));
    expect(gates(mono(notes)).join().endsWith('–1000')).toBe(true);
    // 62 would have lasted had 64 been let go at once.
    expect(mono([...notes, off(50, 64)]).output('pitch')[60]).toBe(pitchOfKey(62));
  });
  it('forgets the first of more than sixteen keys', () => {
    const many = Array.from({ length: 17 }, (_, i) => on(i, 40 + i));
    const released = Array.from({ length: 16 }, (_, i) => off(100 + i, 56 - i));
    expect(falls(mono([...many, ...released]).output('gate')).at(-1)).toBe(115);
  });
});

describe('glide', () => {
  const SECONDS = 480 / 48_000;
  it.each(BLOCKS)('takes its time and ends exactly (block %i)', (block) => {
    const pitch = mono([on(0, 60), on(100, 72), off(1000, 72)], { glide: SECONDS }, block).output('pitch');
    expect(pitch[99]).toBe(0);
    expect(pitch[100 + 239]).toBeCloseTo(0.5, 4);
    expect(pitch[100 + 478]).not.toBe(1);
    expect(pitch[100 + 479]).toBe(1);
    // And back to the key that is still held.
    expect(pitch[1000 + 239]).toBeCloseTo(0.5, 4);
    expect(pitch[1000 + 479]).toBe(0);
  });
  it('goes on from where it is when another key comes', () => {
    const pitch = mono([on(0, 60), on(100, 72), on(340, 60)], { glide: SECONDS }).output('pitch');
    expect(pitch[339]).toBeCloseTo(0.5, 2);
    expect(Math.abs(pitch[340]! - pitch[339]!)).toBeLessThan(0.01);
    expect(pitch[340 + 479]).toBe(0);
  });
  it('is not there for the first note of a voice', () => {
    expect(mono([on(50, 72)], { glide: 1 }).output('pitch')[50]).toBe(1);
    expect(perform([on(50, 72), on(60, 48)], { frames: FRAMES, voices: 2, params: { glide: 1 } }).output('pitch', 1)[60]).toBe(-1);
  });
  it('joins in legato what is joined, in mono everything', () => {
    const apart = [on(0, 60), off(50, 60), on(100, 72)];
    expect(mono(apart, { mode: LEGATO, glide: 1 }).output('pitch')[100]).toBe(1);
    expect(mono(apart, { mode: MONO, glide: 1 }).output('pitch')[100]).toBeLessThan(0.01);
    expect(mono([on(0, 60), on(100, 72)], { mode: LEGATO, glide: 1 }).output('pitch')[100]).toBeLessThan(0.01);
  });
});

describe('a change of mode', () => {
  it('leaves no key that cannot be let go', () => {
    const { below } = generator();
    for (let round = 0; round < 50; round++) {
      const down = new Set<number>();
      const happenings: Happening[] = [];
      for (let frame = 0; frame < 900; frame += below(30)) {
        const key = 50 + below(20);
        if (below(6) === 0) happenings.push({ frame, set: { mode: below(3) } });
        else if (down.delete(key)) happenings.push(off(frame, key));
        else {
          down.add(key);
          happenings.push(on(frame, key, below(3) === 0 ? 1 + below(300) : 0));
        }
      }
      happenings.push(...[...down].map((key) => off(1000, key)));
      const keyboard = perform(happenings, { frames: 1400, voices: 4 });
      for (let voice = 0; voice < 4; voice++) expect(keyboard.output('gate', voice).at(-1), `round ${round}, voice ${voice}`).toBe(0);
    }
  });
  it('ends what other voices still hold when one voice begins to play alone', () => {
    const toMono = [on(0, 60), on(10, 64), { frame: 20, set: { mode: MONO } }, on(100, 67)];
    expect(gates(perform(toMono, { frames: FRAMES, voices: 3 }))).toEqual([`0–100 101–${FRAMES}`, '10–100', '']);
  });
  it('takes the voice that sounds along', () => {
    const toPoly = [on(0, 60), on(10, 64), { frame: 20, set: { mode: POLY } }, on(30, 67), off(100, 64)];
    const keyboard = perform(toPoly, { frames: FRAMES, voices: 2, params: { mode: MONO } });
    expect(keyboard.keysOf()).toEqual([64, 67]);
    expect(keyboard.output('gate', 0)[100]).toBe(0);
  });
});

describe('ten thousand notes', () => {
  const VOICES = 6;
  const LENGTH = 60_000;
  const SHORT = 4000;
  const { below, seed } = generator();
  const happenings: Happening[] = [];
  for (let frame = 0; happenings.length < 10_000; frame += below(11)) {
    const key = below(40) === 0 ? -1 : 48 + below(20);
    const velocity = key === -1 || below(3) === 0 ? 0 : (1 + below(8)) / 8;
    happenings.push({ frame, key, velocity, pitch: pitchOfKey(key), lasts: below(2) * below(300) });
  }
  const levels = Float32Array.from({ length: 1000 }, () => below(20) / 2);
  const level = (voice: number, frame: number): number => levels[(frame * 7 + voice * 131) % 1000]!;

  const compare = (keyboard: Keyboard, model: readonly Played[], what: string, frames = LENGTH): void => {
    for (const name of ['pitch', 'gate', 'velocity', 'trigger'] as const)
      model.forEach((voice, i) => {
        const heard = keyboard.output(name, i);
        const wrong = voice[name].subarray(0, frames).findIndex((volts, frame) => volts !== heard[frame]);
        expect(wrong, `${what}: ${name} of voice ${i}, SEED=${seed}`).toBe(-1);
      });
  };

  it.each([
    ['poly', 'oldest', false],
    ['poly', 'quietest', false],
    ['poly', 'quietest', true],
    ['poly', 'rotate', false],
    ['mono', 'oldest', false],
    ['legato', 'oldest', false],
  ] as const)('%s, %s, levels %s: as the model says, in every bit, in any blocks', (mode, steal, plugged) => {
    const voices = mode === 'poly' ? VOICES : 1;
    const params = { mode: NOTE_MODE[mode.toUpperCase() as 'POLY'], steal: NOTE_STEAL[steal.toUpperCase() as 'OLDEST'] };
    expect(happenings.at(-1)!.frame).toBeLessThan(LENGTH);
    const model = modelKeys(happenings, { voices, frames: LENGTH, mode, steal, level: plugged ? level : undefined });
    expect(model.every(({ gate }) => rises(gate).length > 100)).toBe(true);
    for (const block of [16, 64, 256])
      compare(perform(happenings, { frames: LENGTH, voices, params, block, ...(plugged ? { level } : {}) }), model, `block ${block}`);
    const begin = happenings.filter(({ frame }) => frame < SHORT);
    const short = { frames: SHORT, voices, params, backEnd: 'js', ...(plugged ? { level } : {}) } as const;
    compare(perform(begin, short), model, 'JavaScript', SHORT);
  });
});

test('what notes write differs from voice to voice, also for the kernel', () => {
  // Where all voices look at the same place of a buffer, four of them are read at once.
  const path = source('output.x = state.own[state.key]!;');
  const definition = defineModule({
    type: 'fixture',
    summary: '',
    tags: [],
    inputs: {},
    outputs: { x: cv() },
    params: NOTE_PARAMS,
    events: { note: { kind: 'note', summary: '' } },
    state: { ...NOTE_STATES, own: buffer({ length: 8 }) },
    process() {},
  });
  const rig = new Rig(definition, { path, voices: 4, maxFrames: 8 });
  const { ints, floats } = rig;
  const state = ints[rig.step / 4 + STEP.STATE]! / 4;
  const own = state + (STATE.HEADER_BYTES + rig.shape.layout.buffers[1]!.offset) / 4;
  for (let voice = 0; voice < 4; voice++) {
    ints[noteAt(ints, state, NOTE.KEY, voice)] = voice;
    for (let i = 0; i < 8; i++) floats[own + i * 4 + voice] = 10 * i + voice;
  }
  rig.run(1);
  expect([0, 1, 2, 3].map((voice) => rig.output('x', { voice })[0])).toEqual([0, 11, 22, 33]);
});

test('keyboards do not share a state: a note has a key where other events have a lane', () => {
  expect(packable(keys)).toBe(false);
});

test('the kernel and the notes agree on names and places', () => {
  const names = Object.keys(NOTE).filter((name) => name !== 'COUNT');
  expect(Object.keys(NOTE_STATES).map((name) => name.toUpperCase())).toEqual([...names, 'KEYS']);
  expect(Object.values(NOTE)).toEqual([...names.keys(), names.length]);
  expect(Object.keys(keys.state).slice(0, names.length + 1)).toEqual(Object.keys(NOTE_STATES));
  expect(NOTE_STATES.keys.length).toBe(KEY_STACK_ROWS * KEY_ROW.WORDS);
  expect(NOTE_STATES.since.initial).toBe(NOTE_LONG);
  expect(Object.keys(NOTE_PARAMS)).toEqual(['mode', 'steal']);
  expect(NOTE_PARAMS.mode.values.map((name) => name.toUpperCase())).toEqual(Object.keys(NOTE_MODE));
  expect(NOTE_PARAMS.steal.values.map((name) => name.toUpperCase())).toEqual(Object.keys(NOTE_STEAL));
});
