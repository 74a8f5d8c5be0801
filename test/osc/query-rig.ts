// An arena with modules in it but no engine, and a query server over it.
import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decode, type DecodedMessage } from '#src/osc/codec.js';
import type { Client } from '#src/osc/client.js';
import { modules } from '#modules/index.js';
import type { ModuleDefinition } from '#src/module.js';
import { QueryServer, type QueryOptions } from '#src/osc/query/index.js';
import type { OscAliasEntry, OscModule } from '#src/osc/protocol.js';
import { Space, type SpaceChange } from '#src/osc/space.js';
import { PARAM, STATE, VECTOR_PARAMS } from '#src/shared/layout.js';

export { until } from './until.js';

export interface Part {
  readonly type: string;
  readonly voices?: number;
}

export class FakeArena {
  readonly memory = new SharedArrayBuffer(16 * 1024 * 1024);
  readonly space = new Space(this.memory);
  readonly #definitions: ReadonlyMap<string, ModuleDefinition>;
  readonly #floats = new Float32Array(this.memory);
  #next = 64;

  constructor(definitions: readonly ModuleDefinition[] = modules) {
    this.#definitions = new Map(definitions.map((definition) => [definition.type, definition]));
  }

  definition(type: string): ModuleDefinition {
    return this.#definitions.get(type)!;
  }

  put(parts: Record<string, Part>, removed: readonly string[] = [], aliases?: readonly OscAliasEntry[]): SpaceChange {
    const made = Object.entries(parts).map(([id, part]) => this.#make(id, part));
    const types = [...new Set(made.map(({ type }) => type))].map((type) => this.definition(type));
    return this.space.update({ kind: 'table', types, modules: made, removed, ...(aliases ? { aliases } : {}) });
  }

  #make(id: string, { type, voices = 1 }: Part): OscModule {
    const specs = Object.values(this.definition(type).params);
    const lanes = voices === 1 ? 1 : 4;
    const params = specs.map((_, i) => VECTOR_PARAMS + i * PARAM.VECTORS);
    const groupBytes = (VECTOR_PARAMS + specs.length * PARAM.VECTORS) * lanes * 4;
    const module = { id, type, voices, address: 0, lane: undefined, state: this.#next, lanes, groupBytes, params };
    this.#next += STATE.HEADER_BYTES + groupBytes * Math.ceil(voices / lanes);
    specs.forEach((spec, i) => this.#write(module, i, spec.kind === 'enum' ? spec.values.indexOf(spec.default) : Number(spec.default)));
    return module;
  }

  /** As the engine would. `voice`: −1 = all. */
  set(id: string, param: string, value: number, voice = -1): void {
    const module = this.space.modules.get(id)!;
    this.#write(module, Object.keys(this.definition(module.type).params).indexOf(param), value, voice);
  }

  #write({ state, lanes, groupBytes, voices, params }: OscModule, param: number, value: number, voice = -1): void {
    for (let v = 0; v < voices; v++) {
      if (voice >= 0 && v !== voice) continue;
      const group = (state + STATE.HEADER_BYTES + Math.floor(v / lanes) * groupBytes) / 4;
      this.#floats[group + (params[param]! + PARAM.TARGET) * lanes + (v % lanes)] = value;
    }
  }
}

export interface Received {
  readonly packet: Uint8Array;
  readonly client: Client;
}

/** A server, and what it has told. */
export class Rig {
  readonly received: Received[] = [];
  readonly gone: Client[] = [];
  readonly warnings: string[] = [];
  server!: QueryServer;
  readonly #sockets: WebSocket[] = [];

  static async open(space: Space, options: Partial<QueryOptions> = {}): Promise<Rig> {
    const rig = new Rig();
    let ids = 100;
    rig.server = await QueryServer.open({
      bind: '127.0.0.1',
      port: 0,
      space,
      info: { name: 'Krell', version: '1.2.3', oscPort: 9000 },
      receive: (packet, client) => rig.received.push({ packet: Uint8Array.from(packet), client }),
      gone: (client) => rig.gone.push(client),
      nextClientId: () => ids++,
      warn: (message) => rig.warnings.push(message),
      ...options,
    });
    return rig;
  }

  async get(path: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; json: any }> {
    const response = await fetch(`http://127.0.0.1:${this.server.port}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  }

  async socket(): Promise<Listener> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.server.port}`);
    this.#sockets.push(socket);
    const listener = new Listener(socket);
    await once(socket, 'open');
    return listener;
  }

  async raw(): Promise<Socket> {
    const socket = createConnection(this.server.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await this.server.close();
  }
}

/** A WebSocket client and what it was sent. */
export class Listener {
  readonly messages: DecodedMessage[] = [];
  readonly texts: { COMMAND: string; DATA: string }[] = [];

  constructor(readonly socket: WebSocket) {
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.messages.push(decode(data) as DecodedMessage);
      else this.texts.push(JSON.parse(data.toString()));
    });
  }

  command(COMMAND: string, DATA: string): void {
    this.socket.send(JSON.stringify({ COMMAND, DATA }));
  }
}

/** All that comes until the other side ends. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data) => (text += data.toString('latin1')));
  if (!socket.destroyed) await once(socket, 'close');
  return text;
}
