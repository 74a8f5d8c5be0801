// Parameter changes on their way from control to the leading DSP thread.
import { KrellError } from '../errors.js';
import { COMMAND, COMMAND_SET, COMMAND_SLOTS, COMMANDS_CONTROL_W, CONTROL } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { CommandRing } from '../shared/ring.js';
import type { Arena } from './arena.js';
import type { Instance } from './instances.js';
import { CABLE_FADE_S, type GainChange } from './live.js';
import { LIMITS } from './patch/index.js';

export interface RecallOptions {
  /** Frame at which the change begins; at once unless given. */
  readonly at?: number;
  /** Seconds that numbers take to get there; each parameter's own time unless given. What has no numbers in between jumps. */
  readonly seconds?: number;
}
export interface SetOptions extends RecallOptions {
  /** One voice, from 0; all unless given. */
  readonly voice?: number;
}

/** A parameter and what it is to be: one number for all voices, or one per voice. */
export interface InstanceChange {
  readonly instance: Instance;
  readonly param: number;
  readonly values: readonly number[];
}

/** Longest time given to `at`, in seconds ahead, and to `seconds`: an hour. */
const MAX_AHEAD_S = 3600;

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

export class Commands {
  readonly #arena: Arena;
  readonly #sampleRate: number;
  readonly #ring: CommandRing;
  readonly #command = new Int32Array(COMMAND.WORDS);
  /** Commands in the ring that the leader does not see yet. */
  #staged = 0;

  constructor(arena: Arena, sampleRate: number) {
    this.#arena = arena;
    this.#sampleRate = sampleRate;
    this.#ring = new CommandRing(arena.buffer, COMMANDS_CONTROL_W);
  }

  /**
   * Before a parameter is set: there will be room for its voices.
   * @throws KrellError `option` for a frame that is none, or too far ahead of `now`, or a time too long; `busy`
   */
  check({ at, seconds }: RecallOptions, now: number): void {
    if (at !== undefined && !(at >= 0 && at - now <= MAX_AHEAD_S * this.#sampleRate))
      throw new KrellError('option', `at is frame ${at}, the engine is at ${now}`, { hint: `give a frame at most ${MAX_AHEAD_S} s ahead` });
    if (seconds !== undefined && !(seconds >= 0 && seconds <= MAX_AHEAD_S))
      throw new KrellError('option', `seconds is ${seconds}`, { hint: `give a number from 0 to ${MAX_AHEAD_S}` });
    this.#checkRoom(LIMITS.voices);
  }

  /** Sets parameters, all at the same frame. @throws KrellError `busy`, with none of them set */
  setParams(changes: readonly InstanceChange[], { at, seconds, voice }: SetOptions = {}): void {
    this.#checkRoom(changes.reduce((count, { values }) => count + values.length, 0));
    for (const { instance, param, values } of changes) {
      const spec = Object.values(instance.definition.params)[param]!;
      const ramp = spec.kind === 'number' ? Math.round((seconds ?? spec.ramp) * this.#sampleRate) : 0;
      const stage = (v: number, value: number): void => this.#stage(instance, param, v, value, ramp, at);
      if (voice !== undefined) stage(voice, values[values.length === 1 ? 0 : voice]!);
      else if (values.length === 1) stage(-1, values[0]!);
      else values.forEach((value, v) => stage(v, value));
    }
    this.#publish();
  }

  /** Lets cables come or go, or jump when nothing plays. @returns false, with none of them set, when there is no room */
  setGains(gains: readonly GainChange[], isPlaying: boolean): boolean {
    if (!this.#hasRoom(gains.length)) return false;
    const ramp = isPlaying ? Math.round(CABLE_FADE_S * this.#sampleRate) : 0;
    for (const { instance, param, value } of gains) this.#stage(instance, param, -1, value, ramp);
    this.#publish();
    return true;
  }

  #checkRoom(count: number): void {
    if (!this.#hasRoom(count))
      throw new KrellError('busy', 'too many parameter changes wait to be played', { hint: 'send fewer at a time' });
  }

  #hasRoom(count: number): boolean {
    return this.#ring.fill() + count <= COMMAND_SLOTS;
  }

  #stage(instance: Instance, param: number, voice: number, value: number, ramp: number, at?: number): void {
    const command = this.#command;
    command[COMMAND.KIND] = COMMAND_SET;
    command[COMMAND.SLOT] = instance.address;
    command[COMMAND.PARAM] = param;
    // A module in a shared state is one of its lanes.
    command[COMMAND.VOICE] = instance.lane ?? voice;
    floatView[0] = value;
    command[COMMAND.VALUE] = bitsView[0]!;
    command[COMMAND.FRAME_LO] = at === undefined ? -1 : at | 0;
    command[COMMAND.FRAME_HI] = at === undefined ? -1 : Math.floor(at / 2 ** 32);
    command[COMMAND.RAMP] = ramp;
    this.#ring.stage(command, this.#staged++);
  }

  /** Shows the leader everything staged, in one piece. */
  #publish(): void {
    this.#ring.publish(this.#staged);
    this.#staged = 0;
    signal(this.#arena.words, CONTROL.TICK);
  }
}
