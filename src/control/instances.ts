// Living modules: their state in the arena and the slot by which events find it.
import type { ModuleDefinition } from '../module.js';
import { lanesFor, stateBytes, stateLayout, tableLayout, type StateLayout } from '../kernel/index.js';
import { hashSeed, writeState } from '../kernel/state.js';
import { KrellError } from '../errors.js';
import { MAX_SLOTS, PARAM, SLOT, SLOTS_W, STATE } from '../shared/layout.js';
import type { Arena } from './arena.js';

/** Bytes before a loop's buffer, for the frame before its first. */
export const LOOP_HEADROOM = 64;

export interface Instance {
  /** The module's id; of a thing the engine made, a name no module can have. */
  readonly name: string;
  readonly definition: ModuleDefinition;
  readonly voices: number;
  readonly layout: StateLayout;
  /** Byte address of its state. */
  readonly state: number;
  readonly bytes: number;
  readonly slot: number;
  /** Slot and generation, as COMMAND.SLOT wants them. */
  readonly address: number;
  /** Buffers of outputs that close a loop of cables: kept as long as the module, for the next block reads their last frame. */
  readonly loopBuffers: Map<number, number>;
}

export class Instances {
  readonly #arena: Arena;
  readonly #sampleRate: number;
  readonly #freeSlots: number[] = Array.from({ length: MAX_SLOTS }, (_, i) => MAX_SLOTS - 1 - i);
  readonly #tables = new Map<ModuleDefinition, number>();

  constructor(arena: Arena, sampleRate: number) {
    this.#arena = arena;
    this.#sampleRate = sampleRate;
  }

  /** @throws KrellError `memory` or `modules` */
  create(name: string, definition: ModuleDefinition, voices: number, params: readonly (readonly number[])[], seed: number): Instance {
    if (this.#freeSlots.length === 0)
      throw new KrellError('modules', `${name}: the engine holds ${MAX_SLOTS} modules and cable mixers, no more fit`, {
        hint: 'remove some modules',
      });
    const layout = stateLayout(definition, lanesFor(voices), this.#sampleRate);
    const bytes = stateBytes(layout, voices);
    const state = this.#arena.take(bytes, `module ${name}`);
    writeState(this.#arena.buffer, state, definition, layout, { voices, params, seed: hashSeed(name, seed) });
    const slot = this.#freeSlots.pop()!;
    const word = SLOTS_W + slot * SLOT.WORDS;
    const { words } = this.#arena;
    Atomics.store(words, word + SLOT.STATE, state);
    return {
      name,
      definition,
      voices,
      layout,
      state,
      bytes,
      slot,
      address: slot | (words[word + SLOT.GENERATION]! << 16),
      loopBuffers: new Map(),
    };
  }

  /** Frees an instance that no plan names any more; events on their way to it become stale. */
  release(instance: Instance): void {
    const { words } = this.#arena;
    const word = SLOTS_W + instance.slot * SLOT.WORDS;
    Atomics.store(words, word + SLOT.GENERATION, (words[word + SLOT.GENERATION]! + 1) & 0x7fff);
    Atomics.store(words, word + SLOT.STATE, 0);
    this.#freeSlots.push(instance.slot);
    this.#arena.give(instance.state);
    for (const buffer of instance.loopBuffers.values()) this.#arena.give(buffer - LOOP_HEADROOM);
    instance.loopBuffers.clear();
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
    }
    return address;
  }

  /** What a parameter of one voice is now (`VALUE`) or is moving to (`TARGET`). */
  param(instance: Instance, param: number, voice: number, part: typeof PARAM.VALUE | typeof PARAM.TARGET): number {
    const { lanes, groupBytes, params } = instance.layout;
    const group = (instance.state + STATE.HEADER_BYTES + Math.floor(voice / lanes) * groupBytes) / 4;
    return this.#arena.floats[group + (params[param]! + part) * lanes + (voice % lanes)]!;
  }
}
