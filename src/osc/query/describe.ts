// What OSCQuery says of a message's values: type tag, range, unit, meaning. From the module specs and the table of commands alone, so
// that the tree, the controller page and the documentation agree.
import { playsNotes, type EventSpec, type ModuleDefinition, type ParamSpec } from '../../module.js';
import type { Unit } from '../../units.js';
import type { CommandArg } from '../commands.js';
import { NOTE_MAX_S, PITCH_MAX, PITCH_MIN } from '../pitch.js';

export type Range = { readonly MIN: number; readonly MAX: number } | { readonly VALS: readonly string[] };

/** One value of a message. */
export interface ValueDescription {
  /** OSC type tag. `T` stands for T and F, `I` for a message that is an event by itself. */
  readonly tag: 'f' | 'i' | 's' | 'T' | 'I';
  readonly range?: Range;
  /** As OSCQuery's list of units has it; Krell's own name for what is not in that list. */
  readonly unit?: string;
  /** What the value is, in a word. */
  readonly meaning?: string;
  /** On which side a value out of the range counts as the nearest within it. */
  readonly clips?: 'both' | 'high';
}

export interface ParameterDescription extends ValueDescription {
  readonly name: string;
  readonly summary: string;
  /** Its number in the module's state. */
  readonly index: number;
  readonly spec: ParamSpec;
}

/** An event and the messages that it may be sent as, the plainest first. */
export interface EventDescription {
  readonly name: string;
  readonly summary: string;
  readonly forms: readonly (readonly ValueDescription[])[];
}

const UNITS: Partial<Record<Unit, string>> = {
  Hz: 'time.hz',
  s: 'time.second',
  ms: 'time.ms',
  cents: 'time.cents',
  BPM: 'time.bpm',
  dB: 'gain.db',
};

const MEANINGS: Partial<Record<Unit, string>> = {
  Hz: 'frequency',
  kHz: 'frequency',
  s: 'time',
  ms: 'time',
  us: 'time',
  cents: 'interval',
  semitones: 'interval',
  oct: 'interval',
  V: 'voltage',
  mV: 'voltage',
  dB: 'gain',
  BPM: 'tempo',
};

/** The value of a message that sets a parameter. */
export function describeParam(spec: ParamSpec): ValueDescription {
  switch (spec.kind) {
    case 'number': {
      const { min, max, unit } = spec;
      const named = unit === '' || unit === 'ratio' ? {} : { unit: UNITS[unit] ?? unit };
      const meaning = MEANINGS[unit];
      return { tag: 'f', range: { MIN: min, MAX: max }, clips: 'both', ...named, ...(meaning ? { meaning } : {}) };
    }
    case 'integer':
      return { tag: 'i', range: { MIN: spec.min, MAX: spec.max }, clips: 'both' };
    case 'enum':
      return { tag: 's', range: { VALS: spec.values } };
    case 'toggle':
      return { tag: 'T' };
  }
}

/** The parameters of a module that one sets: all but those that count triggers, which are the engine's. */
export function parametersOf(definition: ModuleDefinition): ParameterDescription[] {
  const counters = new Set(Object.values(definition.events).flatMap((event) => (event.kind === 'trigger' ? [event.param] : [])));
  return Object.entries(definition.params).flatMap(([name, spec], index) =>
    counters.has(name) ? [] : [{ name, summary: spec.summary, index, spec, ...describeParam(spec) }],
  );
}

const PITCH: ValueDescription = { tag: 'f', range: { MIN: PITCH_MIN, MAX: PITCH_MAX }, unit: 'time.midinote', meaning: 'pitch' };
const KEY: ValueDescription = { tag: 'i', range: { MIN: 0, MAX: 127 }, unit: 'time.midinote', meaning: 'pitch' };
const NOTE_NAME: ValueDescription = { tag: 's', meaning: 'pitch' };
const VELOCITY: ValueDescription = { tag: 'f', range: { MIN: 0, MAX: 1 }, meaning: 'velocity', clips: 'high' };
const MIDI_VELOCITY: ValueDescription = { tag: 'i', range: { MIN: 0, MAX: 127 }, meaning: 'velocity', clips: 'high' };
const DURATION: ValueDescription = { tag: 'f', range: { MIN: 0, MAX: NOTE_MAX_S }, unit: 'time.second', meaning: 'duration' };
/** A message that says all by arriving. */
export const IMPULSE: ValueDescription = { tag: 'I' };

const AXES = ['x', 'y', 'z'];

function formsOf(event: EventSpec, definition: ModuleDefinition): ValueDescription[][] {
  if (event.kind === 'trigger') return [[IMPULSE]];
  if (event.kind === 'set') {
    const isPoint = event.params.length > 1 && event.params.every((name, i) => name === AXES[i]);
    return [
      event.params.map((name) => ({ ...describeParam(definition.params[name]!), meaning: isPoint ? `position.cartesian.${name}` : name })),
    ];
  }
  return [
    [PITCH, VELOCITY],
    [PITCH, VELOCITY, DURATION],
    [KEY, MIDI_VELOCITY],
    [KEY, MIDI_VELOCITY, DURATION],
    [NOTE_NAME, VELOCITY],
    [NOTE_NAME, VELOCITY, DURATION],
  ];
}

/** What one may send to a module besides its parameters: its events, and `off` where it plays notes. */
export function eventsOf(definition: ModuleDefinition): EventDescription[] {
  const events = Object.entries(definition.events).map(([name, event]) => ({
    name,
    summary: event.summary,
    forms: formsOf(event, definition),
  }));
  const off = { name: 'off', summary: 'Ends a note; without a pitch, all.', forms: [[PITCH], [NOTE_NAME]] };
  return playsNotes(definition) ? [off, ...events] : events;
}

const ARG_TAGS = { text: 's', number: 'f', integer: 'i', toggle: 'T', value: 'f' } as const;

/** The messages that a command may be sent as: with its required arguments, then with more and more of the others. */
export function commandForms(args: readonly CommandArg[]): ValueDescription[][] {
  const values = args.map(({ kind, name }) => ({ tag: ARG_TAGS[kind], meaning: name }));
  const required = args.filter(({ optional }) => !optional).length;
  const forms = Array.from({ length: values.length - required + 1 }, (_, more): ValueDescription[] => values.slice(0, required + more));
  return forms.map((form) => (form.length === 0 ? [IMPULSE] : form));
}
