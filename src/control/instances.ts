// Living modules: their state in the arena and the slot by which events find it.
import type { ModuleDefinition } from '../module.js';
import { lanesFor, packable, stateBytes, stateLayout, tableLayout, type StateLayout } from '../kernel/index.js';
import { hashSeed, writeState } from '../kernel/state.js';
import { KrellError } from '../errors.js';
import { CONTROL, HEALTH, HEALTH_W, MAX_SLOTS, PARAM, SLOT, SLOTS_W, STATE } from '../shared/layout.js';
import type { Arena } from './arena.js';

/** Bytes before a loop's buffer, for the frame before its first. */
export const LOOP_HEADROOM = 64;

export interface Instance {
  /** The module's id; of a thing the engine made, a name no module can have. */
  readonly name: string;
  readonly definition: ModuleDefinition;
  readonly voices: number;
  readonly layout: StateLayout;
  /** Byte address of its state; monophonic modules of a type may share one. */
  readonly state: number;
  /** Its lane in a shared state; undefined when the state is its own. */
  readonly lane: number | undefined;
  readonly bytes: number;
  readonly slot: number;
  /** Slot and generation, as COMMAND.SLOT wants them. */
  readonly address: number;
  /** Buffers of outputs that close a loop of cables: kept as long as the module, for the next block reads their last frame. */
  readonly loopBuffers: Map<number, number>;
}

/** A state whose lanes are modules of their own. */
interface Pack {
  readonly state: number;
  readonly free: number[];
}

const PACK_LANES = 4;

/** Whether it is of a cable mixer, which the engine makes, not of a module. */
export const isMixer = ({ type }: ModuleDefinition): boolean => type === 'cables';

export class Instances {
  readonly #arena: Arena;
  readonly #sampleRate: number;
  /** By slot. */
  readonly #living: (Instance | undefined)[] = [];
  readonly #freeSlots: number[] = Array.from({ length: MAX_SLOTS }, (_, i) => MAX_SLOTS - 1 - i);
  /** Packs with a free lane, by module type. */
  readonly #packs = new Map<string, Pack[]>();
  readonly #packOf = new Map<number, Pack>();
  readonly #tables = new Map<ModuleDefinition, number>();

  constructor(arena: Arena, sampleRate: number) {
    this.#arena = arena;
    this.#sampleRate = sampleRate;
  }

  /**
   * Makes a module's state. `shares`: monophonic ones of a type may lie in the lanes of one state, to be computed together.
   * @throws KrellError `memory` or `modules`
   */
  create(
    name: string,
    definition: ModuleDefinition,
    voices: number,
    params: readonly (readonly number[])[],
    seed: number,
    shares = true,
  ): Instance {
    if (this.#freeSlots.length === 0)
      throw new KrellError('modules', `${name}: the engine holds ${MAX_SLOTS} modules and cable mixers, no more fit`, {
        hint: 'remove some modules',
      });
    const packed = shares && voices === 1 && packable(definition);
    const layout = stateLayout(definition, packed ? PACK_LANES : lanesFor(voices), this.#sampleRate);
    const bytes = stateBytes(layout, voices);
    const pack = packed ? this.#pack(definition, bytes, name) : undefined;
    const state = pack?.state ?? this.#take(bytes, name, definition);
    const lane = pack?.free.shift();
    writeState(this.#arena.buffer, state, definition, layout, { voices, lane, params, seed: hashSeed(name, seed) });
    const slot = this.#freeSlots.pop()!;
    const word = SLOTS_W + slot * SLOT.WORDS;
    const { words } = this.#arena;
    Atomics.store(words, word + SLOT.STATE, state);
    const address = slot | (words[word + SLOT.GENERATION]! << 16);
    const health = HEALTH_W + slot * HEALTH.WORDS;
    words.fill(0, health, health + HEALTH.WORDS);
    const instance: Instance = {
      name,
      definition,
      voices,
      layout,
      state,
      lane,
      bytes: pack ? bytes / PACK_LANES : bytes,
      slot,
      address,
      loopBuffers: new Map(),
    };
    this.#living[slot] = instance;
    return instance;
  }

  #take(bytes: number, name: string, definition: ModuleDefinition): number {
    const isModule = !isMixer(definition);
    return this.#arena.take(bytes, isModule ? `module ${name}` : name, isModule);
  }

  /** All that live. */
  all(): Instance[] {
    return this.#living.filter((instance) => instance !== undefined);
  }

  /** The instance that has this slot and generation, if it still has. */
  at(address: number): Instance | undefined {
    const instance = this.#living[address & (MAX_SLOTS - 1)];
    return instance?.address === address ? instance : undefined;
  }

  /** A pack of this type with a free lane. */
  #pack(definition: ModuleDefinition, bytes: number, name: string): Pack {
    const { type } = definition;
    const packs = this.#packs.get(type) ?? [];
    this.#packs.set(type, packs);
    let pack = packs.find(({ free }) => free.length > 0);
    if (!pack) {
      pack = { state: this.#take(bytes, name, definition), free: [0, 1, 2, 3] };
      packs.push(pack);
      this.#packOf.set(pack.state, pack);
    }
    return pack;
  }

  /** Frees an instance that no plan names any more; events on their way to it become stale. */
  release(instance: Instance): void {
    const { words } = this.#arena;
    const word = SLOTS_W + instance.slot * SLOT.WORDS;
    Atomics.store(words, word + SLOT.GENERATION, (words[word + SLOT.GENERATION]! + 1) & 0x7fff);
    Atomics.store(words, word + SLOT.STATE, 0);
    this.#living[instance.slot] = undefined;
    this.#freeSlots.push(instance.slot);
    if (instance.lane === undefined) this.#arena.give(instance.state);
    else this.#releaseLane(instance, instance.lane);
    for (const buffer of instance.loopBuffers.values()) this.#arena.give(buffer - LOOP_HEADROOM);
    instance.loopBuffers.clear();
  }

  #releaseLane({ state, definition }: Instance, lane: number): void {
    const pack = this.#packOf.get(state)!;
    pack.free.push(lane);
    pack.free.sort((a, b) => a - b);
    if (pack.free.length < PACK_LANES) return;
    const packs = this.#packs.get(definition.type)!;
    packs.splice(packs.indexOf(pack), 1);
    this.#packOf.delete(state);
    this.#arena.give(state);
  }

  /** Byte address of a module type's tables, 0 when it has none. */
  tables(definition: ModuleDefinition): number {
    const { tables, bytes } = tableLayout(definition);
    if (bytes === 0) return 0;
    let address = this.#tables.get(definition);
    if (address === undefined) {
      address = this.#arena.take(bytes, `tables of ${definition.type}`);
      const { floats } = this.#arena;
      Object.values(definition.tables).forEach((table, i) => floats.set(table, (address! + tables[i]!.offset) / 4));
      this.#tables.set(definition, address);
      if (definition.role === 'input') Atomics.store(this.#arena.words, CONTROL.INPUT_TABLE, address / 4);
    }
    return address;
  }

  /** What a parameter is, or is moving to, in every voice. */
  targets(instance: Instance, param: number): number[] {
    return Array.from({ length: instance.voices }, (_, voice) => this.param(instance, param, voice, PARAM.TARGET));
  }

  /** What a parameter of one voice is now (`VALUE`) or is moving to (`TARGET`). */
  param(instance: Instance, param: number, voice: number, part: typeof PARAM.VALUE | typeof PARAM.TARGET): number {
    return this.#arena.floats[this.#place(instance, param, voice) + part * instance.layout.lanes]!;
  }

  /** Sets a parameter of one voice while no thread runs the module. */
  setParam(instance: Instance, param: number, voice: number, value: number): void {
    const place = this.#place(instance, param, voice);
    const { lanes } = instance.layout;
    const { words, floats } = this.#arena;
    for (const part of [PARAM.VALUE, PARAM.TARGET]) floats[place + part * lanes] = value;
    for (const part of [PARAM.STEP, PARAM.REMAINING]) words[place + part * lanes] = 0;
  }

  /** Where the vectors of a parameter begin, in the lane of a voice. */
  #place({ layout: { lanes, groupBytes, params }, lane, state }: Instance, param: number, voice: number): number {
    const at = lane ?? voice;
    return (state + STATE.HEADER_BYTES + Math.floor(at / lanes) * groupBytes) / 4 + params[param]! * lanes + (at % lanes);
  }
}
