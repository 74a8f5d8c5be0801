// What a module is: plain-data spec plus one `process` for one sample of one voice.
//
// A module file calls `defineModule` once. The spec is the only truth about ports and parameters:
// patch validation, OSC ranges, docs and tests all read it. `process` is never run as JavaScript;
// src/kernel compiles its source text to WebAssembly (the language: docs/modules.md).
import type { Unit } from './units.js';

// ── ports ──

/** How a port is meant; any output may go to any input. Levels: audio ±5 V, gate 0/10 V, pitch 1 V/oct with 0 V = C4. */
export type PortKind = 'audio' | 'cv' | 'voct' | 'gate' | 'trigger';

export interface InputSpec {
  readonly kind: PortKind;
  /** Volts seen when no cable is plugged. */
  readonly unplugged: number;
  readonly summary: string;
}
export interface OutputSpec {
  readonly kind: PortKind;
  readonly summary: string;
}
/** A port. Serves as input or output; `unplugged` matters for inputs only. */
const port =
  (kind: PortKind) =>
  (summary = '', options: { unplugged?: number } = {}): InputSpec => ({ kind, summary, unplugged: options.unplugged ?? 0 });

/** Audio, ±5 V. A polyphonic cable into a monophonic module's audio input is summed. */
export const audio = port('audio');
/** Control voltage, 0..10 V or ±5 V. A polyphonic cable into a monophonic module gives its first voice (also below). */
export const cv = port('cv');
/** Pitch or other exponential control, 1 V per octave. */
export const voct = port('voct');
/** Gate, 0 or 10 V. */
export const gate = port('gate');
/** Trigger, 10 V for 1 ms. */
export const trigger = port('trigger');

// ── parameters ──

export interface NumberParam {
  readonly kind: 'number';
  readonly unit: Unit;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** How a knob or fader maps onto the range. */
  readonly curve: 'linear' | 'log';
  /** Seconds that a change takes, linearly, from its sample on; 0 = at once. */
  readonly ramp: number;
  /** `'tempo'`: the default is the patch's tempo instead. */
  readonly follows?: 'tempo';
  readonly summary: string;
}
export interface IntegerParam {
  readonly kind: 'integer';
  readonly unit: '';
  readonly min: number;
  readonly max: number;
  readonly default: number;
  readonly summary: string;
}
export interface EnumParam<V extends string = string> {
  readonly kind: 'enum';
  readonly values: readonly V[];
  readonly default: V;
  readonly summary: string;
}
export interface ToggleParam {
  readonly kind: 'toggle';
  readonly default: boolean;
  readonly summary: string;
}
export type ParamSpec = NumberParam | IntegerParam | EnumParam | ToggleParam;

interface NumberOptions {
  min: number;
  max: number;
  default: number;
  curve?: 'linear' | 'log';
  ramp?: number;
  follows?: 'tempo';
  summary?: string;
}
/** Seconds a parameter takes to reach a new value unless it says otherwise: no zipper noise, still immediate to a hand. */
export const DEFAULT_RAMP_S = 0.005;

/** A continuous parameter in `unit`. */
export const number = (unit: Unit, o: NumberOptions): NumberParam => ({
  kind: 'number',
  unit,
  min: o.min,
  max: o.max,
  default: o.default,
  curve: o.curve ?? 'linear',
  ramp: o.ramp ?? DEFAULT_RAMP_S,
  ...(o.follows ? { follows: o.follows } : {}),
  summary: o.summary ?? '',
});
export const hz = (o: NumberOptions): NumberParam => number('Hz', { curve: 'log', ...o });
export const seconds = (o: NumberOptions): NumberParam => number('s', { curve: o.min > 0 ? 'log' : 'linear', ...o });
export const volts = (o: NumberOptions): NumberParam => number('V', o);
export const decibels = (o: NumberOptions): NumberParam => number('dB', o);
export const cents = (o: NumberOptions): NumberParam => number('cents', o);
export const bpm = (o: NumberOptions): NumberParam => number('BPM', o);
/** A ratio, 0..1 unless told otherwise. */
export const ratio = (o: Partial<NumberOptions> = {}): NumberParam => number('ratio', { min: 0, max: 1, default: 0, ...o });
/** A whole number; jumps. */
export const integer = (o: { min: number; max: number; default: number; summary?: string }): IntegerParam => ({
  kind: 'integer',
  unit: '',
  min: o.min,
  max: o.max,
  default: o.default,
  summary: o.summary ?? '',
});
/** One of named values; jumps. In `process`, compare with `===`. */
export const choice = <const V extends string>(values: readonly V[], o: { default: NoInfer<V>; summary?: string }): EnumParam<V> => ({
  kind: 'enum',
  values,
  default: o.default,
  summary: o.summary ?? '',
});
/** On or off; jumps. */
export const toggle = (o: { default: boolean; summary?: string }): ToggleParam => ({
  kind: 'toggle',
  default: o.default,
  summary: o.summary ?? '',
});

// ── events: what happens to a module at a moment, by OSC or from a script ──

/** Notes: pitch and velocity, perhaps a duration. The module's first params are NOTE_PARAMS, its first states NOTE_STATES. */
export interface NoteEvent {
  readonly kind: 'note';
  readonly summary: string;
}
/** A trigger: counted in the integer parameter `param`, from 0 to LAST_COUNT and round again, so that none is lost. */
export interface TriggerEvent {
  readonly kind: 'trigger';
  readonly param: string;
  readonly summary: string;
}
/** Several parameters set at one moment, in this order. */
export interface SetEvent {
  readonly kind: 'set';
  readonly params: readonly string[];
  readonly summary: string;
}
export type EventSpec = NoteEvent | TriggerEvent | SetEvent;

// ── state ──

export interface IntState {
  readonly kind: 'int';
  readonly initial: number;
}
export interface BufferState {
  readonly kind: 'buffer';
  /** Exactly one of the two. The length is rounded up to a power of two. */
  readonly seconds?: number;
  readonly length?: number;
}
/** A number literal is a 32-bit float, a boolean literal a flag. */
export type StateSpec = number | boolean | IntState | BufferState;

/** A 32-bit integer that wraps: a counter or a write position. */
export const int = (initial = 0): IntState => ({ kind: 'int', initial });
/** An oscillator phase: one cycle is 2³² steps of a wrapping 32-bit integer, so it never drifts. */
export const phase = (initialCycles = 0): IntState => ({ kind: 'int', initial: Math.round((initialCycles % 1) * 2 ** 32) | 0 });
/** A per-voice array of floats (a delay line, a short history). Its length is a power of two and any index wraps. */
export const buffer = (o: { seconds: number } | { length: number }): BufferState => ({ kind: 'buffer', ...o });

/** What `process` sees of a `buffer`. `length` is its length after rounding up. */
export interface Buffer {
  [index: number]: number;
  readonly length: number;
}

// ── notes: what the engine needs of a module that plays them, to say which voice plays which key ──

export const NOTE_PARAMS = {
  mode: choice(['poly', 'mono', 'legato'], {
    default: 'poly',
    summary: 'A voice for each key, or one voice for the latest key held: struck by every key (mono) or by the first only (legato).',
  }),
  steal: choice(['oldest', 'quietest', 'rotate'], {
    default: 'oldest',
    summary: 'Which voice a new key takes, a free one if there is any: the one free or played longest, the quietest, or the next in turn.',
  }),
};

/** One set for each voice. `process` reads them and counts; names and order are those of NOTE in src/shared/layout.ts, which says more. */
export const NOTE_STATES = {
  pitch: 0,
  velocity: 0,
  held: false,
  struck: false,
  jump: false,
  left: int(),
  next: int(),
  last: int(),
  since: int(2 ** 30),
  elapsed: int(2 ** 30),
  level: -1,
  key: int(-1),
  order: int(),
  turn: int(-1),
  notes: int(),
  depth: int(),
  keys: buffer({ length: 16 * 8 }),
};

/** Whether voices of the module play notes. */
export const playsNotes = ({ events }: Pick<ModuleDefinition, 'events'>): boolean =>
  Object.values(events).some((event) => event.kind === 'note');

// ── the module ──

/** Read-only numbers shared by all voices: `table.name[i]`, with `i` held within the table. */
export type TableSpec = readonly number[];

type Values<I, P, O, S, T> = {
  /** Volts at each input. */
  readonly input: { readonly [K in keyof I]: number };
  /** True when a cable is plugged; a constant for the compiler. */
  readonly plugged: { readonly [K in keyof I]: boolean };
  readonly param: {
    readonly [K in keyof P]: P[K] extends EnumParam<infer V> ? V : P[K] extends ToggleParam ? boolean : number;
  };
  /** Volts of each output; what is not assigned stays 0. */
  readonly output: { -readonly [K in keyof O]: number };
  readonly state: { -readonly [K in keyof S]: S[K] extends BufferState ? Buffer : S[K] extends boolean ? boolean : number };
  readonly table: { readonly [K in keyof T]: { readonly [index: number]: number; readonly length: number } };
  /** Hz; a constant for the compiler. */
  readonly sampleRate: number;
  /** This voice's number, from 0. */
  readonly voice: number;
};

export interface ModuleSpec<I, P, O, S, T> {
  readonly type: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly inputs: I;
  readonly outputs: O;
  readonly params: P;
  readonly state?: S;
  readonly tables?: T;
  readonly events?: Readonly<Record<string, EventSpec>>;
  /**
   * `'output'`: outputs `left` and `right` go to the engine's main bus. `'input'`: its tables hold what the sound card brings.
   * `'script'`: a script of the patch sets its parameters.
   */
  readonly role?: 'output' | 'input' | 'script';
  process(io: Values<I, P, O, S, T>): void;
}

export interface ModuleDefinition {
  readonly type: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  readonly params: Readonly<Record<string, ParamSpec>>;
  readonly state: Readonly<Record<string, StateSpec>>;
  readonly tables: Readonly<Record<string, TableSpec>>;
  readonly events: Readonly<Record<string, EventSpec>>;
  readonly role?: 'output' | 'input' | 'script';
}

/** A name in patches, OSC addresses and code. */
const NAME = /^[a-z][a-zA-Z0-9]*$/;

function checkParam(where: string, param: ParamSpec): void {
  if (param.kind === 'enum' && !(param.values.length > 0 && param.values.includes(param.default)))
    throw new TypeError(`${where}: default '${param.default}' is not one of ${param.values.join(', ')}`);
  if (param.kind !== 'number' && param.kind !== 'integer') return;
  if (!(param.min < param.max && param.min <= param.default && param.default <= param.max))
    throw new TypeError(`${where}: needs min < max and min <= default <= max, has ${param.min}, ${param.max}, ${param.default}`);
  if (param.kind === 'number' && param.curve === 'log' && param.min <= 0)
    throw new TypeError(`${where}: a log curve needs min > 0, has ${param.min}`);
  if (param.kind === 'integer' && ![param.min, param.max, param.default].every(Number.isInteger))
    throw new TypeError(`${where}: min, max and default of an integer must be whole`);
}

/** The largest count of a trigger event; after it comes 0. */
export const LAST_COUNT = 2 ** 20 - 1;

const startsWith = (names: object, first: object): boolean => Object.keys(first).every((name, i) => Object.keys(names)[i] === name);

function checkEvent(where: string, event: EventSpec, params: Readonly<Record<string, ParamSpec>>, state: object): void {
  if (event.kind === 'note' && !(startsWith(params, NOTE_PARAMS) && startsWith(state, NOTE_STATES)))
    throw new TypeError(`${where}: notes need ...NOTE_PARAMS first in params and ...NOTE_STATES first in state`);
  if (event.kind === 'set')
    for (const name of event.params)
      if (!Object.hasOwn(params, name)) throw new TypeError(`${where}: sets '${name}', which is not a parameter`);
  if (event.kind !== 'trigger') return;
  const count = Object.hasOwn(params, event.param) ? params[event.param]! : undefined;
  if (!(count?.kind === 'integer' && count.min === 0 && count.max === LAST_COUNT))
    throw new TypeError(`${where}: counts in '${event.param}', which is not an integer parameter from 0 to LAST_COUNT`);
}

/**
 * Declares a module. Called once, at the top level of its file.
 * @throws TypeError when the spec contradicts itself (a wrong name, a default out of range).
 */
export function defineModule<
  const I extends Record<string, InputSpec>,
  const P extends Record<string, ParamSpec>,
  const O extends Record<string, OutputSpec>,
  const S extends Record<string, StateSpec> = Record<never, never>,
  const T extends Record<string, TableSpec> = Record<never, never>,
>(spec: ModuleSpec<I, P, O, S, T>): ModuleDefinition {
  const { type } = spec;
  for (const [kind, names] of Object.entries({
    inputs: spec.inputs,
    outputs: spec.outputs,
    params: spec.params,
    state: spec.state ?? {},
    tables: spec.tables ?? {},
    events: spec.events ?? {},
  }))
    for (const name of [type, ...Object.keys(names)])
      if (!NAME.test(name))
        throw new TypeError(`module ${type}: ${kind}: '${name}' is not a name (letters and digits, first a small letter)`);
  for (const [name, param] of Object.entries(spec.params)) checkParam(`module ${type}: params.${name}`, param);
  for (const [name, event] of Object.entries(spec.events ?? {}))
    checkEvent(`module ${type}: events.${name}`, event, spec.params, spec.state ?? {});
  if (spec.role === 'output' && !('left' in spec.outputs && 'right' in spec.outputs))
    throw new TypeError(`module ${type}: role 'output' needs outputs left and right`);
  return {
    type,
    summary: spec.summary,
    tags: spec.tags,
    inputs: spec.inputs,
    outputs: spec.outputs,
    params: spec.params,
    state: spec.state ?? {},
    tables: spec.tables ?? {},
    events: spec.events ?? {},
    ...(spec.role ? { role: spec.role } : {}),
  };
}
