// Parameter changes on their way from control to the leading DSP thread.
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../errors.js';
import { BLOCK_EVENTS_MAX, COMMAND, COMMAND_SET, COMMAND_SLOTS, COMMANDS_CONTROL_W, CONTROL, RUN_IDLE } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { CommandRing } from '../shared/ring.js';
import type { Arena } from './arena.js';
import type { Instance, Instances } from './instances.js';
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
/** Values that can be set at one frame: more do not go into a block. */
const MAX_AT_ONCE = BLOCK_EVENTS_MAX;

/** Milliseconds that commands may take to leave the ring, and between two looks. */
const [TAKEN_MS, POLL_MS] = [2000, 2];

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

/** How many commands a change takes. */
const valuesIn = (changes: readonly InstanceChange[]): number => changes.reduce((count, { values }) => count + values.length, 0);

export class Commands {
  readonly #arena: Arena;
  readonly #instances: Instances;
  readonly #sampleRate: number;
  readonly #ring: CommandRing;
  readonly #command = new Int32Array(COMMAND.WORDS);
  /** Commands in the ring that the leader does not see yet. */
  #staged = 0;

  constructor(arena: Arena, instances: Instances, sampleRate: number) {
    this.#arena = arena;
    this.#instances = instances;
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

  /**
   * Sets parameters, all at the same frame. Before the engine plays, what has no frame of its own is there at once.
   * @throws KrellError `busy`, with none of them set; `too-many`
   */
  setParams(changes: readonly InstanceChange[], { at, seconds, voice }: SetOptions = {}): void {
    const isDirect = at === undefined && this.#isIdle;
    if (!isDirect) this.#checkRoom(valuesIn(changes));
    for (const { instance, param, values } of changes) {
      const spec = Object.values(instance.definition.params)[param]!;
      const ramp = spec.kind === 'number' ? Math.round((seconds ?? spec.ramp) * this.#sampleRate) : 0;
      const valueOf = (v: number): number => values[values.length === 1 ? 0 : v]!;
      if (isDirect)
        for (let v = voice ?? 0; v < (voice === undefined ? instance.voices : voice + 1); v++)
          this.#instances.setParam(instance, param, v, valueOf(v));
      else if (voice !== undefined) this.#stage(instance, param, voice, valueOf(voice), ramp, at);
      else if (values.length === 1) this.#stage(instance, param, -1, values[0]!, ramp, at);
      else values.forEach((value, v) => this.#stage(instance, param, v, value, ramp, at));
    }
    this.#publish();
  }

  /** Changes in pieces that can each be set at one frame, whatever values they come to have. Before the engine plays all are one. */
  pieces(changes: readonly InstanceChange[]): InstanceChange[][] {
    if (this.#isIdle) return [[...changes]];
    const pieces: InstanceChange[][] = [[]];
    let count = 0;
    for (const change of changes) {
      count += change.instance.voices;
      if (count > MAX_AT_ONCE) {
        pieces.push([]);
        count = change.instance.voices;
      }
      pieces.at(-1)!.push(change);
    }
    return pieces;
  }

  /** Lets cables come or go, or jump before the engine plays. @returns false, with none of them set, when there is no room */
  setGains(gains: readonly GainChange[]): boolean {
    if (this.#isIdle) {
      for (const { instance, param, value } of gains)
        for (let voice = 0; voice < instance.voices; voice++) this.#instances.setParam(instance, param, voice, value);
      return true;
    }
    if (!this.#hasRoom(gains.length)) return false;
    const ramp = Math.round(CABLE_FADE_S * this.#sampleRate);
    for (const { instance, param, value } of gains) this.#stage(instance, param, -1, value, ramp);
    this.#publish();
    return true;
  }

  /** Resolves when nothing that was set is left in the ring, or after a while. @returns whether that is so */
  async taken(): Promise<boolean> {
    for (const end = performance.now() + TAKEN_MS; this.#ring.fill() > 0; await sleep(POLL_MS)) if (performance.now() > end) return false;
    return true;
  }

  /** Nobody runs modules, or reads the ring, before the engine plays. */
  get #isIdle(): boolean {
    return Atomics.load(this.#arena.words, CONTROL.RUN) === RUN_IDLE;
  }

  #checkRoom(count: number): void {
    if (count > MAX_AT_ONCE)
      throw new KrellError('too-many', `${count} values are more than the ${MAX_AT_ONCE} that can be set at one frame`, {
        hint: 'set fewer at a time, or at no certain frame',
      });
    if (!this.#hasRoom(count))
      throw new KrellError('busy', 'too many parameter changes wait to be played', { hint: 'send fewer at a time' });
  }

  /** Whether the changes can be set now. */
  hasRoom(changes: readonly InstanceChange[]): boolean {
    return this.#isIdle || this.#hasRoom(valuesIn(changes));
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
