// What plays: instances and cables, the ones of the patch and the ones that are fading out of it.
//
// A `Scene` is immutable once built. `nextScene` derives the next from the patch that is wanted: modules with the same id, type
// and voices keep their instance, so their state; cables that come or go while playing fade over 5 ms in a cable mixer
// before the input; removed modules play on until their cables are silent, and are dropped by the first scene after that.
import { cables as cablesModule, CABLES_INPUTS } from '../dsp/cables.js';
import { cv, type ModuleDefinition } from '../module.js';
import { MAX_SLOTS, PARAM } from '../shared/layout.js';
import { defaultValue } from '../kernel/state.js';
import { graphNode, plug, portsOf, type GraphNode, type Source } from './graph.js';
import type { Instance, Instances } from './instances.js';
import type { Patch } from './patch/index.js';
import type { Registry } from './registry.js';

/** The mixer of an input that takes the first voice of a polyphonic cable. */
const firstVoiceCables: ModuleDefinition = {
  ...cablesModule,
  inputs: Object.fromEntries(Object.keys(cablesModule.inputs).map((name) => [name, cv()])),
};

/** Seconds a cable takes to come or go. */
export const CABLE_FADE_S = 0.005;

export interface LiveModule {
  readonly id: string;
  readonly instance: Instance;
}

/** A fading out of cables; `end` is the frame from which on they are silent, known once the fade has begun. */
export interface FadeOut {
  end: number;
}

interface LiveCable {
  readonly from: LiveModule;
  readonly output: number;
  /** Where it goes: an `inputKey`, or a `busKey`. */
  readonly to: number;
  /** What its gain is to become; 0 while it fades out. */
  readonly gain: number;
  /** Set while it fades out. */
  readonly fadeOut?: FadeOut;
}

/**
 * An input's cable mixer: stages chained through their first input. Each takes `CABLES_INPUTS` cables, but only two polyphonic ones,
 * whose buffers are so large that each should be read while it is still in the cache.
 */
interface Mixer {
  readonly stages: readonly Instance[];
  /** Inputs used per stage. */
  readonly inputs: number;
  readonly cables: readonly LiveCable[];
}

export interface Scene {
  readonly modules: ReadonlyMap<string, LiveModule>;
  /** Removed modules that still sound. */
  readonly leaving: readonly LiveModule[];
  readonly cables: readonly LiveCable[];
  readonly mixers: ReadonlyMap<number, Mixer>;
  readonly nodes: readonly GraphNode[];
  readonly bus: readonly (Source | undefined)[];
}

export const EMPTY_SCENE: Scene = { modules: new Map(), leaving: [], cables: [], mixers: new Map(), nodes: [], bus: [] };

/** A gain to be ramped once the scene plays. */
export interface GainChange {
  readonly instance: Instance;
  readonly param: number;
  readonly value: number;
}

export interface SceneChange {
  readonly scene: Scene;
  readonly created: readonly Instance[];
  /** Instances of the scene before that this one does not have. */
  readonly dropped: readonly Instance[];
  readonly gains: readonly GainChange[];
  /** Something fades out: there is to be another scene when it has. */
  readonly fading: boolean;
}

export interface SceneContext {
  readonly instances: Instances;
  readonly registry: Registry;
  readonly channels: number;
  /** Whether changes fade; not before the engine plays. */
  readonly fade: boolean;
  readonly frame: number;
  /** For the cables that go with this scene. */
  readonly fadeOut: FadeOut;
}

/** All parameters of a patch module, defaults filled in, by index. */
export function initialParams(
  definition: ModuleDefinition,
  given: ReadonlyMap<string, readonly number[]>,
  tempo: number,
): (readonly number[])[] {
  return Object.entries(definition.params).map(
    ([name, spec]) => given.get(name) ?? [spec.kind === 'number' && spec.follows === 'tempo' ? tempo : defaultValue(spec)],
  );
}

export const instancesOf = (scene: Scene): Instance[] => [
  ...[...scene.modules.values(), ...scene.leaving].map((module) => module.instance),
  ...[...scene.mixers.values()].flatMap((mixer) => mixer.stages),
];

class SceneBuilder {
  readonly #created: Instance[] = [];
  readonly #gains: GainChange[] = [];
  readonly #modules = new Map<string, LiveModule>();
  #leaving: LiveModule[] = [];
  #cables: LiveCable[] = [];
  readonly #mixers = new Map<number, Mixer>();
  /** Cables of the scene before. */
  readonly #known: ReadonlyMap<number, LiveCable>;
  readonly #nodes = new Map<Instance, GraphNode>();
  readonly #mixNodes: GraphNode[] = [];

  constructor(
    readonly before: Scene,
    readonly context: SceneContext,
  ) {
    this.#known = new Map(before.cables.map((cable) => [cableKey(cable), cable]));
  }

  /** @throws KrellError, having released whatever it made */
  build(patch: Patch): SceneChange {
    try {
      this.#takeModules(patch);
      this.#takeCables(patch);
      const bus = this.#connect();
      const scene: Scene = {
        modules: this.#modules,
        leaving: this.#leaving,
        cables: this.#cables,
        mixers: this.#mixers,
        nodes: [...this.#nodes.values(), ...this.#mixNodes],
        bus,
      };
      const kept = new Set(instancesOf(scene));
      return {
        scene,
        created: this.#created,
        dropped: instancesOf(this.before).filter((instance) => !kept.has(instance)),
        gains: this.#gains,
        fading: this.#cables.some((cable) => cable.fadeOut),
      };
    } catch (error) {
      for (const instance of this.#created) this.context.instances.release(instance);
      throw error;
    }
  }

  #create(
    name: string,
    definition: ModuleDefinition,
    voices: number,
    params: readonly (readonly number[])[],
    seed: number,
    shares = true,
  ): Instance {
    const instance = this.context.instances.create(name, definition, voices, params, seed, shares);
    this.#created.push(instance);
    return instance;
  }

  #takeModules(patch: Patch): void {
    for (const { id, type, voices, params } of patch.modules.values()) {
      const known = this.before.modules.get(id);
      const same = known && known.instance.definition.type === type && known.instance.voices === voices;
      const definition = this.context.registry.get(type);
      const instance = same
        ? known.instance
        : this.#create(id, definition, voices, initialParams(definition, params, patch.tempo), patch.seed);
      this.#modules.set(id, same ? known : { id, instance });
    }
    if (!this.context.fade) return;
    const gone = [...this.before.modules.values()].filter((module) => this.#modules.get(module.id) !== module);
    this.#leaving = [...this.before.leaving, ...gone];
  }

  #takeCables(patch: Patch): void {
    const live = (id: string): LiveModule => this.#modules.get(id)!;
    const { registry, channels, fade } = this.context;
    const wanted: LiveCable[] = patch.cables.map(({ from, to, gain }) => ({
      from: live(from.id),
      output: registry.outputIndex(live(from.id).instance.definition.type, from.port),
      to: inputKey(live(to.id).instance.slot, registry.inputIndex(live(to.id).instance.definition.type, to.port)),
      gain,
    }));
    for (const module of this.#modules.values()) {
      const { type, role } = module.instance.definition;
      if (role !== 'output') continue;
      ['left', 'right']
        .slice(0, channels)
        .forEach((name, channel) => wanted.push({ from: module, output: registry.outputIndex(type, name), to: busKey(channel), gain: 1 }));
    }
    this.#cables.push(...wanted);
    if (!fade) return;
    const stays = new Set(wanted.map(cableKey));
    const staying = new Set([BUS_SLOT, ...[...this.#modules.values()].map(({ instance }) => instance.slot)]);
    const { frame, fadeOut } = this.context;
    for (const cable of this.before.cables) {
      if (stays.has(cableKey(cable)) || (cable.fadeOut && cable.fadeOut.end <= frame)) continue;
      // What leads to a module that goes too is heard only by way of what that one fades out.
      this.#cables.push(staying.has(slotOf(cable.to)) ? { ...cable, gain: 0, fadeOut: cable.fadeOut ?? fadeOut } : cable);
    }
    this.#dropSilent();
  }

  /** Of what leaves, keeps only what can still be heard: by way of its cables it reaches a module that stays, or the bus. */
  #dropSilent(): void {
    const feeders = new Map<number, number[]>();
    for (const { from, to } of this.#cables) {
      const known = feeders.get(slotOf(to));
      if (known) known.push(from.instance.slot);
      else feeders.set(slotOf(to), [from.instance.slot]);
    }
    const heard = new Set<number>([BUS_SLOT]);
    for (const { instance } of this.#modules.values()) heard.add(instance.slot);
    // A set is walked through to its end, whatever is added on the way.
    for (const slot of heard) for (const feeder of feeders.get(slot) ?? []) heard.add(feeder);
    this.#leaving = this.#leaving.filter(({ instance }) => heard.has(instance.slot));
    this.#cables = this.#cables.filter((cable) => heard.has(cable.from.instance.slot) && heard.has(slotOf(cable.to)));
  }

  /** Plugs cables into inputs, through mixers where needed. @returns what feeds the bus */
  #connect(): (Source | undefined)[] {
    for (const { instance } of [...this.#modules.values(), ...this.#leaving]) this.#nodes.set(instance, graphNode(instance));
    const byInput = new Map<number, LiveCable[]>();
    const fed = new Set<number>();
    for (const cable of this.#cables) {
      const others = byInput.get(cable.to);
      if (others) others.push(cable);
      else byInput.set(cable.to, [cable]);
      fed.add(slotOf(cable.to));
    }
    for (const node of [...this.#nodes.values()]) {
      const { slot, voices, definition } = node.instance;
      if (!fed.has(slot)) continue;
      portsOf(definition).inputs.forEach((kind, input) => {
        const key = inputKey(slot, input);
        const cables = byInput.get(key);
        if (cables) plug(node, input, this.#source(key, cables, voices, kind === 'audio', portName(node.instance, input)));
      });
    }
    return Array.from({ length: this.context.channels }, (_, channel) => {
      const key = busKey(channel);
      const cables = byInput.get(key);
      if (!cables) return undefined;
      const source = this.#source(key, cables, 1, true, `output ${channel + 1}`);
      source.node.used[source.output] = true;
      return source;
    });
  }

  /**
   * What feeds an input: the one cable's output as it is, or a mixer of them all. `sums`: voices add up where they meet one. `into`: the
   * input's name.
   */
  #source(key: number, cables: readonly LiveCable[], voices: number, sums: boolean, into: string): Source {
    const end = (cable: LiveCable): Source => ({ node: this.#nodes.get(cable.from.instance)!, output: cable.output });
    const [only] = cables as [LiveCable];
    const plain = cables.length === 1 && !only.fadeOut && only.gain === 1 && this.#gainNow(key, only) === 1;
    if (plain && !(isBus(key) && only.from.instance.voices > 1)) return end(only);
    const ends = cables.map(end);
    const known = this.before.mixers.get(key);
    // Voices of the mixer: those of the input, but one when all that comes is monophonic.
    const width = voices === 1 || cables.every((cable) => cable.from.instance.voices === 1) ? 1 : voices;
    const reusable = known?.stages[0]!.voices === width && isSame(known.cables, cables);
    const inputs = cables.some((cable) => cable.from.instance.voices > 1) ? 2 : CABLES_INPUTS;
    const stages = reusable ? known.stages : this.#makeStages(key, cables, inputs, width, sums ? cablesModule : firstVoiceCables, into);
    const mixer: Mixer = { stages, inputs, cables };
    this.#mixers.set(key, mixer);
    cables.forEach((cable, i) => {
      const { instance, param } = stageOf(mixer, i);
      const target = this.context.instances.param(instance, param, 0, PARAM.TARGET);
      if (target !== Math.fround(cable.gain)) this.#gains.push({ instance, param, value: cable.gain });
    });
    let previous: Source | undefined;
    for (const instance of stages) {
      const node = graphNode(instance);
      this.#mixNodes.push(node);
      if (previous) plug(node, 0, previous);
      ends.forEach((source, i) => {
        const stage = stageOf(mixer, i);
        if (stage.instance === instance) plug(node, stage.param, source);
      });
      previous = { node, output: 0 };
    }
    return previous!;
  }

  #makeStages(
    key: number,
    cables: readonly LiveCable[],
    inputs: number,
    width: number,
    definition: ModuleDefinition,
    into: string,
  ): Instance[] {
    // In the first stage all inputs take cables, in the next ones the first takes the stage before.
    const count = Math.max(1, Math.ceil((cables.length - 1) / (inputs - 1)));
    const gains = Array.from({ length: count }, () => new Array<number>(CABLES_INPUTS).fill(1));
    cables.forEach((cable, i) => {
      const { stage, param } = placeOf(i, inputs);
      gains[stage]![param] = this.#gainNow(key, cable);
    });
    return gains.map((values, stage) =>
      this.#create(
        mixerName(into, stage),
        definition,
        width,
        values.map((value) => [value]),
        0,
        // The bus takes its samples from a buffer of one lane.
        !isBus(key),
      ),
    );
  }

  /** The gain a cable has at this moment; 0 for one that comes while playing. */
  #gainNow(key: number, cable: LiveCable): number {
    if (!this.context.fade) return cable.gain;
    const known = this.before.mixers.get(key);
    const at = known?.cables.findIndex((old) => cableKey(old) === cableKey(cable)) ?? -1;
    if (known && at >= 0) {
      const { instance, param } = stageOf(known, at);
      return this.context.instances.param(instance, param, 0, PARAM.VALUE);
    }
    return this.#known.get(cableKey(cable))?.gain ?? 0;
  }
}

const portName = ({ name, definition }: Instance, input: number): string => `${name}.${Object.keys(definition.inputs)[input]!}`;
/** No module has such a name. */
const mixerName = (into: string, stage: number): string => `the cable mixer before ${into}${stage > 0 ? ` (${stage + 1})` : ''}`;

/** Ports that a module may have in a key. */
const PORTS = 1024;
const BUS_SLOT = -1;
const inputKey = (slot: number, input: number): number => slot * PORTS + input;
const busKey = (channel: number): number => inputKey(BUS_SLOT, channel);
const slotOf = (to: number): number => Math.floor(to / PORTS);
const isBus = (to: number): boolean => to < 0;
const cableKey = ({ from, output, to }: LiveCable): number =>
  (from.instance.slot * PORTS + output) * PORTS * (MAX_SLOTS + 1) + to - busKey(0);
const isSame = (some: readonly LiveCable[], others: readonly LiveCable[]): boolean =>
  some.length === others.length && some.every((cable, i) => cableKey(cable) === cableKey(others[i]!));

/** Stage and parameter of a mixer's cable number `i`. */
function placeOf(i: number, inputs: number): { stage: number; param: number } {
  if (i < inputs) return { stage: 0, param: i };
  const rest = i - inputs;
  return { stage: 1 + Math.floor(rest / (inputs - 1)), param: 1 + (rest % (inputs - 1)) };
}
function stageOf({ stages, inputs }: Mixer, i: number): { instance: Instance; param: number } {
  const { stage, param } = placeOf(i, inputs);
  return { instance: stages[stage]!, param };
}

/** The scene for a patch, from the one that plays. @throws KrellError with nothing changed */
export const nextScene = (before: Scene, patch: Patch, context: SceneContext): SceneChange =>
  new SceneBuilder(before, context).build(patch);
