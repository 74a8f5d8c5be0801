// A session for Open Stage Control (version 1 files): a tab per module with a fader, switch or button per parameter, keyboards and pads
// where a module takes notes or points. Only properties that its reference of widgets documents.
import { initialParams } from '../../control/live.js';
import type { Patch, PatchModule } from '../../control/patch/index.js';
import type { Registry } from '../../control/registry.js';
import type { EnumParam, EventSpec, IntegerParam, ModuleDefinition, NumberParam, ParamSpec, SetEvent } from '../../module.js';
import { eventsOf, parametersOf } from '../../osc/query/describe.js';

type Widget = Readonly<Record<string, unknown>>;

/** A format that it need not convert when it opens the file. */
const FORMAT_VERSION = '1.25.0';
/** More choices than this are a menu. */
const MOST_BUTTONS = 6;
const CELL = { width: 110, height: 260 };
const WIDE = { width: 460, height: 260 };
const BUTTON_HEIGHT = 60;
const LABEL_HEIGHT = 24;
const INPUT_HEIGHT = 28;

/** `target`: where the engine listens, `host:port`. */
export function stageControlPage(patch: Patch, registry: Registry, target: string): object {
  const page = new Page(target);
  const tabs = [...patch.modules.values()].map((module) => page.module(module, registry.get(module.type), patch.tempo));
  const content = { type: 'root', id: 'root', tabs: [page.engine(patch), ...tabs] };
  return { type: 'session', createdWith: 'Krell', version: FORMAT_VERSION, content };
}

class Page {
  readonly #send: Widget;

  constructor(target: string) {
    // The defaults of the server would send everything twice.
    this.#send = { target, ignoreDefaults: true };
  }

  /** What is the engine's: its snapshots, and recording. */
  engine({ title, snapshots }: Patch): Widget {
    // Braces could be read as the program's own formulas.
    const names = [...snapshots.keys()].filter((name) => !name.includes('{'));
    const button = (label: string, command: string, args: readonly string[] = []): Widget => ({
      type: 'button',
      id: ['engine', command, ...args].join('/'),
      label,
      mode: 'momentary',
      width: CELL.width,
      height: BUTTON_HEIGHT,
      address: `/engine/${command}`,
      ...(args.length > 0 ? { preArgs: args } : {}),
      ...this.#send,
    });
    const widgets = [
      ...names.map((name) => button(name, 'snapshot/recall', [name])),
      button('record', 'record/start'),
      button('stop recording', 'record/stop'),
    ];
    return tab('engine', title.includes('{') || title === '' ? 'Krell' : title, widgets);
  }

  module({ id, type, params }: PatchModule, definition: ModuleDefinition, tempo: number): Widget {
    const values = new Map(initialParams(definition, params, tempo).map(([value], i) => [Object.keys(definition.params)[i]!, value!]));
    const onPads = new Set(Object.values(definition.events).flatMap((event) => (isPad(event) ? event.params : [])));
    return tab(id, `${id} · ${type}`, [
      ...eventsOf(definition).map(({ name }) => this.#event(`${id}/${name}`, name, definition, values)),
      ...parametersOf(definition)
        .filter(({ name }) => !onPads.has(name))
        .map(({ name, spec }) => this.#param(`${id}/${name}`, name, spec, values.get(name)!)),
    ]);
  }

  #param(path: string, name: string, spec: ParamSpec, value: number): Widget {
    const common = { id: path, address: `/${path}`, expand: true, ...this.#send };
    switch (spec.kind) {
      case 'number':
      case 'integer':
        return cell(path, name, this.#fader(common, spec, value));
      case 'enum':
        return cell(path, name, [choice(common, spec, value)]);
      case 'toggle':
        return cell(path, name, [{ type: 'button', ...common, label: false, mode: 'toggle', on: 1, off: 0, default: value }]);
    }
  }

  /** A fader and the number it stands at; of the same id, so that they follow each other. */
  #fader(common: Widget, spec: NumberParam | IntegerParam, value: number): Widget[] {
    const { min, max } = spec;
    const isLog = spec.kind === 'number' && spec.curve === 'log';
    const decimals = spec.kind === 'integer' ? 0 : decimalsOf(isLog ? min : max - min);
    const numeric = { decimals, default: value, ...(spec.kind === 'integer' ? { typeTags: 'i' } : {}) };
    // A scale of max/min makes equal ways equal ratios.
    const scale = {
      range: { min, max },
      ...(isLog ? { logScale: max / min } : {}),
      ...(spec.kind === 'integer' ? { steps: max - min + 1 } : {}),
    };
    const unit = spec.unit === '' || spec.unit === 'ratio' ? {} : { unit: ` ${spec.unit}` };
    return [
      { type: 'fader', ...common, ...scale, design: 'compact', doubleTap: true, ...numeric },
      { type: 'input', ...common, expand: false, height: INPUT_HEIGHT, numeric: true, ...unit, ...numeric },
    ];
  }

  #event(path: string, name: string, { events, params }: ModuleDefinition, values: ReadonlyMap<string, number>): Widget {
    const common = { id: path, address: `/${path}`, expand: true, ...this.#send };
    const event = events[name];
    if (event?.kind === 'note')
      return cell(path, name, [{ type: 'keyboard', ...common, keys: 25, start: 48, on: 1, off: 0, velocity: true }], WIDE);
    // A trigger, or `off`: the end of all notes.
    if (event === undefined || event.kind === 'trigger')
      return cell(path, name, [{ type: 'button', ...common, label: name, mode: 'momentary' }]);
    if (!isPad(event)) return cell(path, name, [{ type: 'input', ...common }]);
    const [rangeX, rangeY] = event.params.map((param) => rangeOf(params[param]!));
    const point = { rangeX, rangeY, decimals: 3, default: event.params.map((param) => values.get(param)!) };
    return cell(path, name, [{ type: 'xy', ...common, ...point }], WIDE);
  }
}

/** Whether an event sets two parameters at once. */
const isPad = (event: EventSpec): event is SetEvent => event.kind === 'set' && event.params.length === 2;

const tab = (id: string, label: string, widgets: readonly Widget[]): Widget => ({ type: 'tab', id, label, widgets });

/** A titled box; boxes flow from left to right. */
const cell = (path: string, name: string, widgets: readonly Widget[], size = CELL): Widget => ({
  type: 'panel',
  id: `${path}/cell`,
  ...size,
  layout: 'vertical',
  scroll: false,
  widgets: [{ type: 'text', id: `${path}/label`, height: LABEL_HEIGHT, default: name }, ...widgets],
});

function choice(common: Widget, { values }: EnumParam, value: number): Widget {
  const type = values.length > MOST_BUTTONS ? { type: 'dropdown' } : { type: 'switch', layout: 'vertical' };
  return { ...type, ...common, values, default: values[value] };
}

const rangeOf = (spec: ParamSpec): { min: number; max: number } =>
  spec.kind === 'number' || spec.kind === 'integer' ? { min: spec.min, max: spec.max } : { min: 0, max: 1 };

/** Enough for a thousandth of `size`. */
const decimalsOf = (size: number): number => Math.max(0, 3 - Math.ceil(Math.log10(size)));
