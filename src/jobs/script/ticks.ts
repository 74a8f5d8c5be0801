// One script module at its ticks: when they are, what the script sees, and its values on their way to the leading DSP thread.
import { splitMix } from '../../kernel/state.js';
import { beatAt } from '../../shared/beat.js';
import { COMMAND, COMMAND_SET } from '../../shared/layout.js';
import type { Script, ScriptContext } from '../../script.js';
import type { ScriptCommands } from './commands.js';
import type { BoundModule } from './link.js';

/** Ticks from the one that a script computes to the one with which its values are heard. */
export const LATENCY_TICKS = 2;
/** Seconds that a gate closes between two pulses that touch. */
const GAP_S = 0.001;
const OUTPUTS = 8;
const KNOBS = 4;
const GATE_MIN_S = 0.0001;

/** The arena as a script thread sees it. */
export interface ScriptArena {
  readonly floats: Float32Array;
  readonly commands: ScriptCommands;
  readonly sampleRate: number;
  /** The frame that the leader computes next. */
  frame(): number;
  /** Whether the leader waits for scripts. */
  isOffline(): boolean;
}

const floatView = new Float32Array(1);
const bitsView = new Int32Array(floatView.buffer);

export class ModuleTicks implements ScriptContext {
  #module: BoundModule;
  state: Record<string, any> = {};
  /** Values whose frame had passed. */
  late = 0;
  /** Values that were not played. */
  dropped = 0;
  rate = 0;
  script: Script | undefined;
  #tick = 0;
  /** The beat up to which ticks have looked: another tempo that comes between two of them leaves nothing out, and nothing comes twice. */
  #from = 0;
  #random: number;
  readonly #arena: ScriptArena;
  readonly #command = new Int32Array(COMMAND.WORDS);
  /** What each parameter was set to last, and for which frame. */
  readonly #sent = new Map<string, { readonly value: number; readonly frame: number }>();
  /** Gates that close by themselves, and when. */
  readonly #closing = new Map<number, number>();

  constructor(module: BoundModule, arena: ScriptArena) {
    this.#module = module;
    this.#arena = arena;
    this.#random = module.seed | 0;
    this.#followRate();
    this.#goTo(arena.frame());
  }

  get module(): BoundModule {
    return this.#module;
  }
  /** The same module at another tempo or place; one that was made anew has to be told everything again. */
  move(module: BoundModule): void {
    if (module.address !== this.#module.address) this.#sent.clear();
    this.#module = module;
  }

  // ── time ──

  get sampleRate(): number {
    return this.#arena.sampleRate;
  }
  get #period(): number {
    return this.sampleRate / this.rate;
  }
  #frameOf(tick: number): number {
    return Math.round(tick * this.#period);
  }
  get frame(): number {
    return this.#frameOf(this.#tick);
  }
  /** Frame at which the next tick's values are heard: before it, all has been said. */
  get heard(): number {
    return this.#frameOf(this.#tick + LATENCY_TICKS);
  }
  /** The leader's frame at which the next tick is to be computed: the tick's own, less what the leader may compute in one go. */
  due(aheadFrames: number): number {
    return this.heard - Math.ceil(this.#period * LATENCY_TICKS) - aheadFrames;
  }
  get seconds(): number {
    return this.frame / this.sampleRate;
  }
  get beat(): number {
    return this.#beatAt(this.#tick);
  }
  #beatAt(tick: number): number {
    return beatAt(this.module.beats, this.#frameOf(tick), this.sampleRate);
  }
  every(beats: number): boolean {
    if (!(beats > 0)) throw new RangeError(`every ${beats}: give beats above 0`);
    // Of two ticks' counts, so that each multiple lies in one of them however its beat was rounded.
    return multiplesBefore(this.#beatAt(this.#tick + 1), beats) > multiplesBefore(this.#from, beats);
  }

  /** Takes the rate as it is set; the ticks to come lie on its multiples. */
  #followRate(): void {
    const rate = this.#param('rate');
    if (rate === this.rate) return;
    const frame = this.rate === 0 ? 0 : this.frame;
    this.rate = rate;
    this.#tick = Math.ceil(frame / this.#period);
  }

  /** Goes on with the first tick that is not before a frame. */
  #goTo(frame: number): void {
    this.#tick = Math.ceil(frame / this.#period);
    this.#from = this.beat;
  }

  // ── ticks ──

  /** Computes a tick. @throws what the script throws */
  run(): void {
    const now = this.#arena.frame();
    // After a long stand-still it goes on from here.
    if (now - this.frame > this.sampleRate) {
      this.late++;
      this.#goTo(now);
    }
    try {
      this.script?.tick(this);
    } finally {
      this.#closeGates();
      this.#from = Math.max(this.#from, this.#beatAt(++this.#tick));
      this.#followRate();
    }
  }

  /** Closes gates that end before the next tick's values are heard. */
  #closeGates(): void {
    for (const [output, frame] of this.#closing) {
      if (frame >= this.#frameOf(this.#tick + 1 + LATENCY_TICKS)) continue;
      this.#closing.delete(output);
      this.#send(`gate${output}`, 0, frame);
    }
  }

  // ── what a script does ──

  cv(output: number, volts: number): void {
    this.#send(`cv${check('cv', output, OUTPUTS)}`, Math.min(10, Math.max(-10, checkNumber('volts', volts))), this.heard);
  }

  gate(output: number, isOpen: boolean): void {
    this.#closing.delete(output);
    this.#send(`gate${check('gate', output, OUTPUTS)}`, isOpen ? 1 : 0, this.heard);
  }

  pulse(output: number, seconds: number): void {
    const name = `gate${check('gate', output, OUTPUTS)}`;
    let frame = this.heard;
    if (this.#sent.get(name)?.value === 1) {
      const end = Math.min(frame, this.#closing.get(output) ?? frame);
      this.#send(name, 0, end);
      frame = Math.max(frame, end + Math.ceil(GAP_S * this.sampleRate));
    }
    this.#send(name, 1, frame);
    this.#closing.set(output, frame + Math.ceil(Math.max(GATE_MIN_S, checkNumber('seconds', seconds)) * this.sampleRate));
  }

  knob(number: number): number {
    return this.#param(`knob${check('knob', number, KNOBS)}`);
  }

  random(): number {
    const { state, word } = splitMix(this.#random);
    this.#random = state;
    return (word >>> 0) / 2 ** 32;
  }

  #param(name: string): number {
    return this.#arena.floats[this.module.params[name]!.word]!;
  }

  /** Whether a parameter has this value already, or is about to. */
  #isSet(name: string, value: number): boolean {
    const sent = this.#sent.get(name);
    if (sent?.value !== value) return false;
    // A patch that was loaded again, a snapshot or a hand may have set it since; a render knows none of these.
    return this.#arena.isOffline() || sent.frame >= this.#arena.frame() || this.#param(name) === Math.fround(value);
  }

  #send(name: string, value: number, at: number): void {
    if (this.#isSet(name, value)) return;
    // Never before what was said last: a pulse may begin a little after its tick.
    const frame = Math.max(at, this.#sent.get(name)?.frame ?? at);
    if (frame < this.#arena.frame()) {
      this.late++;
      if (this.script?.late === 'drop') return void this.dropped++;
    }
    const command = this.#command;
    command[COMMAND.KIND] = COMMAND_SET;
    command[COMMAND.SLOT] = this.module.address;
    command[COMMAND.PARAM] = this.module.params[name]!.index;
    command[COMMAND.VOICE] = this.module.voice;
    floatView[0] = value;
    command[COMMAND.VALUE] = bitsView[0]!;
    command[COMMAND.FRAME_LO] = frame | 0;
    command[COMMAND.FRAME_HI] = Math.floor(frame / 2 ** 32);
    command[COMMAND.RAMP] = 0;
    // What finds the ring full is sent again when the script sets it again.
    if (this.#arena.commands.push(command)) this.#sent.set(name, { value, frame });
    else this.dropped++;
  }
}

/** How many multiples of `beats` lie before a beat. What is as near to one as rounding brings it is on it. */
const multiplesBefore = (beat: number, beats: number): number => Math.ceil(beat / beats - 1e-9);

function check(what: string, number: number, count: number): number {
  if (Number.isInteger(number) && number >= 1 && number <= count) return number;
  throw new RangeError(`${what} ${number}: there are ${what} 1 to ${count}`);
}
function checkNumber(what: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new TypeError(`${what} is ${value}, not a number`);
}
