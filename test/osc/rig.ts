// Modules in a small arena without an engine, and a dispatcher for them: what arrives goes in as packets, what comes out is read from the ring.
import { choice, defineModule, hz, integer, ratio, toggle, type ModuleDefinition } from '#src/module.js';
import { COMMAND, COMMANDS_OSC_W, CONTROL, HEAP, PARAM, RUN_PLAYING, STATE, VECTOR_PARAMS } from '#src/shared/layout.js';
import { CommandRing } from '#src/shared/ring.js';
import { writeFrame } from '#src/shared/frame.js';
import { AddressTable } from '#src/osc/addresses.js';
import type { Client } from '#src/osc/client.js';
import { NOW } from '#src/osc/clock.js';
import { decode, encodeBundle, encodeMessage, isImmediate, type Value } from '#src/osc/codec.js';
import { Dispatcher, type DispatcherDesk } from '#src/osc/dispatcher.js';
import { LiveInput } from '#src/osc/input.js';
import type { OscAliasEntry, OscModule, ToOsc } from '#src/osc/protocol.js';
import { Replies } from '#src/osc/replies.js';
import { Space } from '#src/osc/space.js';

export const RATE = 48_000;
const PAGES = 512;

const idle = { tags: [], inputs: {}, outputs: {}, process: (): void => {} };
const FILTER = defineModule({
  ...idle,
  type: 'filter',
  summary: 'A filter.',
  params: {
    cutoff: hz({ min: 20, max: 20_000, default: 1000 }),
    resonance: ratio({ default: 0.5, ramp: 0.01 }),
    mode: choice(['low', 'band', 'high'], { default: 'low' }),
    poles: integer({ min: 1, max: 8, default: 4 }),
    gate: toggle({ default: false }),
  },
});
const KEYBOARD: ModuleDefinition = {
  ...defineModule({
    ...idle,
    type: 'keys',
    summary: 'Plays notes.',
    params: { x: ratio(), y: ratio(), count: integer({ min: 0, max: 65_535, default: 0 }) },
  }),
  events: {
    note: { kind: 'note', summary: 'A note.' },
    trig: { kind: 'trigger', param: 'count', summary: 'A trigger.' },
    xy: { kind: 'set', params: ['x', 'y'], summary: 'Both.' },
  },
};
export const TYPES = [FILTER, KEYBOARD];

export class TestSpace {
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  readonly buffer = this.memory.buffer as unknown as SharedArrayBuffer;
  readonly words = new Int32Array(this.buffer);
  readonly floats = new Float32Array(this.buffer);
  readonly ring = new CommandRing(this.buffer, COMMANDS_OSC_W);
  #heap = HEAP;
  #slots = 0;

  constructor() {
    this.words[CONTROL.SAMPLE_RATE] = RATE;
    this.words[CONTROL.BLOCK_FRAMES] = 64;
    this.words[CONTROL.RING_DEPTH] = 256;
    this.words[CONTROL.RUN] = RUN_PLAYING;
    this.frame = 0;
  }

  set frame(frame: number) {
    writeFrame(this.words, CONTROL.FRAME_LO, frame);
  }

  /** A module with its state; its parameters are 0.5, 1.5, 2.5 …, a tenth more for each voice. */
  module(id: string, { type = 'filter', voices = 1, lane }: { type?: string; voices?: number; lane?: number } = {}): OscModule {
    const { params } = TYPES.find((definition) => definition.type === type)!;
    const count = Object.keys(params).length;
    const lanes = voices > 1 || lane !== undefined ? 4 : 1;
    const groupBytes = (VECTOR_PARAMS + count * PARAM.VECTORS) * lanes * 4;
    const state = this.#heap;
    this.#heap += STATE.HEADER_BYTES + Math.ceil(voices / lanes) * groupBytes;
    const vectors = Array.from({ length: count }, (_, param) => VECTOR_PARAMS + param * PARAM.VECTORS);
    const address = this.#slots++ | (1 << 16);
    const module = { id, type, voices, address, lane, state, lanes, groupBytes, params: vectors };
    for (let param = 0; param < count; param++)
      for (let voice = 0; voice < voices; voice++) this.setTarget(module, param, voice, param + 0.5 + voice / 10);
    return module;
  }

  setTarget({ state, lanes, groupBytes, params, lane }: OscModule, param: number, voice: number, value: number): void {
    const at = lane ?? voice;
    const group = (state + STATE.HEADER_BYTES + Math.floor(at / lanes) * groupBytes) / 4;
    this.floats[group + (params[param]! + PARAM.TARGET) * lanes + (at % lanes)] = value;
  }

  /** Everything in the ring, taken out. */
  commands(): TestCommand[] {
    const record = new Int32Array(COMMAND.WORDS);
    const floats = new Float32Array(record.buffer);
    const commands: TestCommand[] = [];
    while (this.ring.pop(record, 0))
      commands.push({
        kind: record[COMMAND.KIND]!,
        slot: record[COMMAND.SLOT]! & 0xffff,
        param: record[COMMAND.PARAM]!,
        paramAsFloat: floats[COMMAND.PARAM]!,
        voice: record[COMMAND.VOICE]!,
        value: floats[COMMAND.VALUE]!,
        frame: record[COMMAND.FRAME_HI]! * 2 ** 32 + (record[COMMAND.FRAME_LO]! >>> 0),
        ramp: record[COMMAND.RAMP]!,
      });
    return commands;
  }
}

export interface TestCommand {
  readonly kind: number;
  readonly slot: number;
  readonly param: number;
  readonly paramAsFloat: number;
  readonly voice: number;
  readonly value: number;
  /** −1 = now. */
  readonly frame: number;
  readonly ramp: number;
}

/** Somebody who remembers what was said to him: `['/done', '/engine/sync']`. */
export class TestClient implements Client {
  readonly label: string;
  readonly isLocal: boolean;
  readonly isStream: boolean;
  heard: unknown[][] = [];
  bytes = 0;

  constructor(
    readonly id = 1,
    { isStream = false, isLocal = true } = {},
  ) {
    this.label = `udp test:${id}`;
    this.isStream = isStream;
    this.isLocal = isLocal;
  }

  send(packet: Uint8Array): boolean {
    const message = decode(packet);
    if (message.kind !== 'message') throw new Error('a reply is not a message');
    this.heard.push([message.address, ...message.args.map(({ value }) => value)]);
    this.bytes += packet.length;
    return true;
  }
  /** What was said since the last time. */
  takeHeard(): unknown[][] {
    return this.heard.splice(0);
  }
}

/** A dispatcher over modules; time tags of whole seconds from 100 on mean frames of as many seconds from 0 on. */
export class TestDispatcher {
  readonly space: Space;
  readonly table: AddressTable;
  readonly input: LiveInput;
  readonly replies: Replies;
  readonly dispatcher: Dispatcher;
  readonly client = new TestClient();
  readonly asked: { address: string; at: number | undefined }[] = [];
  now = 0;

  constructor(
    readonly arena: TestSpace,
    modules: readonly OscModule[],
    {
      aliases = [],
      trustLoopback = true,
      desk,
    }: { aliases?: readonly OscAliasEntry[]; trustLoopback?: boolean; desk?: DispatcherDesk } = {},
  ) {
    this.space = new Space(arena.buffer);
    this.table = new AddressTable(this.space, RATE);
    this.input = new LiveInput(arena.buffer, this.space);
    this.tell({ modules, aliases });
    this.replies = new Replies(trustLoopback, () => this.now);
    const own: DispatcherDesk = {
      command: (command, _message, _client, at) => {
        this.asked.push({ address: command.address, at });
        return 'asked';
      },
      unknown: () => false,
    };
    const clock = {
      frameOf: (seconds: number, fraction: number) =>
        isImmediate(seconds, fraction) ? NOW : Math.round((seconds - 100 + fraction / 2 ** 32) * RATE),
    };
    this.dispatcher = new Dispatcher({
      words: arena.words,
      table: this.table,
      input: this.input,
      clock,
      replies: this.replies,
      desk: desk ?? own,
    });
  }

  tell(table: Partial<Extract<ToOsc, { kind: 'table' }>>): void {
    const change = this.space.update({ kind: 'table', types: TYPES, modules: [], removed: [], ...table });
    for (const target of this.table.update(change)) this.input.forget(target);
  }
  send(address: string, ...args: Value[]): void {
    this.dispatcher.receive(encodeMessage(address, args), this.client);
  }
  /** Sends a message in a bundle at a time, in seconds from frame 0. */
  sendAt(seconds: number, address: string, ...args: Value[]): void {
    this.dispatcher.receive(encodeBundle(tag(seconds), [encodeMessage(address, args)]), this.client);
  }
  counter(word: number): number {
    return this.arena.words[word]!;
  }
}

/** The time tag of a TestDispatcher's second. */
export const tag = (seconds: number): bigint => BigInt(Math.round((seconds + 100) * 2 ** 32));

export const float = (value: number) => ({ type: 'f', value }) as const;
export const f32 = Math.fround;

/** Parameters of a filter by number. */
export const [CUTOFF, RESONANCE, MODE, POLES, GATE] = [0, 1, 2, 3, 4];
/** Slots of `fourModules`. */
export const [VCF, PAD, PACKED, KEYS] = [0, 1, 2, 3];
/** `vcf` (mono), `pad` (4 voices), `packed` (lane 2 of a shared state), `keys`. */
export function fourModules(options: ConstructorParameters<typeof TestDispatcher>[2] = {}): TestDispatcher {
  const arena = new TestSpace();
  const modules = [
    arena.module('vcf'),
    arena.module('pad', { voices: 4 }),
    arena.module('packed', { lane: 2 }),
    arena.module('keys', { type: 'keys' }),
  ];
  return new TestDispatcher(arena, modules, options);
}
