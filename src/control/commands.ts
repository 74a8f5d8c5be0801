// Parameter changes on their way from control to the leading DSP thread.
import { KrellError } from '../errors.js';
import { COMMAND, COMMAND_SET, COMMANDS_CONTROL_W, CONTROL } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { CommandRing } from '../shared/ring.js';
import type { Arena } from './arena.js';
import type { Instance } from './instances.js';
import { CABLE_FADE_S, type GainChange } from './live.js';

export interface SetOptions {
  /** One voice, from 0; all unless given. */
  readonly voice?: number;
  /** Frame at which the change begins; at once unless given. */
  readonly at?: number;
}

/** Longest time given to `at`, in seconds ahead: an hour. */
const MAX_AHEAD_S = 3600;

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

export class Commands {
  readonly #arena: Arena;
  readonly #sampleRate: number;
  readonly #ring: CommandRing;
  readonly #command = new Int32Array(COMMAND.WORDS);

  constructor(arena: Arena, sampleRate: number) {
    this.#arena = arena;
    this.#sampleRate = sampleRate;
    this.#ring = new CommandRing(arena.buffer, COMMANDS_CONTROL_W);
  }

  /** @throws KrellError `option` for a frame that is none, or too far ahead of `now` */
  checkFrame(at: number | undefined, now: number): void {
    if (at === undefined || (at >= 0 && at - now <= MAX_AHEAD_S * this.#sampleRate)) return;
    throw new KrellError('option', `at is frame ${at}, the engine is at ${now}`, { hint: `give a frame at most ${MAX_AHEAD_S} s ahead` });
  }

  /** Sets a parameter: `values` is one for all voices, or one per voice. @throws KrellError `busy` */
  setParam(instance: Instance, param: number, values: readonly number[], options: SetOptions = {}): void {
    const spec = Object.values(instance.definition.params)[param]!;
    const ramp = spec.kind === 'number' ? Math.round(spec.ramp * this.#sampleRate) : 0;
    const send = (voice: number, value: number): void => this.#send(instance, param, voice, value, ramp, options.at);
    if (options.voice !== undefined) send(options.voice, values[values.length === 1 ? 0 : options.voice]!);
    else if (values.length === 1) send(-1, values[0]!);
    else values.forEach((value, voice) => send(voice, value));
  }

  /** Lets cables come or go. @throws KrellError `busy` */
  setGains(gains: readonly GainChange[]): void {
    const ramp = Math.round(CABLE_FADE_S * this.#sampleRate);
    for (const { instance, param, value } of gains) this.#send(instance, param, -1, value, ramp);
  }

  #send(instance: Instance, param: number, voice: number, value: number, ramp: number, at?: number): void {
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
    if (!this.#ring.push(command))
      throw new KrellError('busy', 'too many parameter changes wait to be played', { hint: 'send fewer at a time' });
    signal(this.#arena.words, CONTROL.TICK);
  }
}
