// Events as the OSC thread writes them, for tests: notes, triggers and parameter changes into its command ring.
import type { Engine } from '#src/index.js';
import { COMMAND, COMMAND_ADD, COMMAND_NOTE, COMMAND_SET, COMMANDS_OSC_W, CONTROL } from '#src/shared/layout.js';
import { signal } from '#src/shared/gate.js';
import { CommandRing } from '#src/shared/ring.js';

/** When an event is to happen: a frame, at once unless given. */
interface At {
  readonly at?: number;
}

/** Writes events for the modules of an engine's patch. Each says whether there was room for it. */
export class OscEvents {
  readonly #engine: Engine;
  readonly #ring: CommandRing;
  readonly #command = new Int32Array(COMMAND.WORDS);
  readonly #floats = new Float32Array(this.#command.buffer);

  constructor(engine: Engine, ring = COMMANDS_OSC_W) {
    this.#engine = engine;
    this.#ring = new CommandRing(engine.arena.buffer, ring);
  }

  /** Begins a note of `lasts` frames (0 = until it is ended); `pitch` in volts, the key's semitones from middle C unless given. */
  note(
    id: string,
    key: number,
    { pitch = (key - 60) / 12, velocity = 1, lasts = 0, at }: { pitch?: number; velocity?: number; lasts?: number } & At = {},
  ): boolean {
    this.#floats[COMMAND.PARAM] = velocity;
    return this.#push(id, COMMAND_NOTE, key, pitch, lasts, at);
  }
  /** Ends a note; key −1 ends all. */
  noteOff(id: string, key: number, { at }: At = {}): boolean {
    return this.note(id, key, { velocity: 0, ...(at === undefined ? {} : { at }) });
  }

  /** Adds to a whole-number parameter, as a trigger does. */
  add(id: string, param: string, amount = 1, { voice, at }: { voice?: number } & At = {}): boolean {
    return this.#param(id, COMMAND_ADD, param, amount, voice, 0, at);
  }
  /** Sets a parameter to a number (an enum's index), within `ramp` frames. */
  set(id: string, param: string, value: number, { voice, ramp = 0, at }: { voice?: number; ramp?: number } & At = {}): boolean {
    return this.#param(id, COMMAND_SET, param, value, voice, ramp, at);
  }

  #param(id: string, kind: number, param: string, value: number, voice = -1, ramp: number, at: number | undefined): boolean {
    const { type, lane } = this.#module(id);
    this.#command[COMMAND.PARAM] = this.#engine.registry.paramIndex(type, param);
    return this.#push(id, kind, lane ?? voice, value, ramp, at);
  }

  #push(id: string, kind: number, voice: number, value: number, ramp: number, at: number | undefined): boolean {
    const command = this.#command;
    command[COMMAND.KIND] = kind;
    command[COMMAND.SLOT] = this.#module(id).address;
    command[COMMAND.VOICE] = voice;
    this.#floats[COMMAND.VALUE] = value;
    command[COMMAND.FRAME_LO] = at === undefined ? -1 : at | 0;
    command[COMMAND.FRAME_HI] = at === undefined ? -1 : Math.floor(at / 2 ** 32);
    command[COMMAND.RAMP] = ramp;
    const hasRoom = this.#ring.push(command);
    signal(this.#engine.arena.words, CONTROL.TICK);
    return hasRoom;
  }

  #module(id: string): ReturnType<Engine['liveModules']>[number] {
    const module = this.#engine.liveModules().find((live) => live.id === id);
    if (!module) throw new Error(`the engine has no module '${id}'`);
    return module;
  }
}
