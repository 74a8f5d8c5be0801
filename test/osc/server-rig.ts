// A server with a scripted OSC thread, for tests.
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Engine } from '#src/control/engine.js';
import type { Value } from '#src/osc/encode.js';
import type { FromOsc, OscThreadOptions, OutgoingMessage, ParamChange, ToOsc } from '#src/osc/protocol.js';
import { OscServer, type OscServerOptions, type OscThread } from '#src/osc/server.js';
import { until } from './until.js';

export { until };

/** Does as the OSC thread would: listens, passes on what a test says, and keeps what it is told. */
export class ScriptedThread implements OscThread {
  readonly told: ToOsc[] = [];
  changes: ParamChange[] = [];
  readonly #events = new EventEmitter();
  readonly #channel = new MessageChannel();
  #requests = 0;

  constructor(
    readonly options: OscThreadOptions,
    answer: FromOsc | undefined = { kind: 'listening', oscPort: options.oscPort || 5000, httpPort: options.httpPort },
  ) {
    this.#channel.port2.on('message', (message: ToOsc) => this.#take(message));
    if (answer) this.say(answer);
  }

  #take(message: ToOsc): void {
    this.told.push(message);
    if (message.kind === 'flush') {
      this.say({ kind: 'changes', changes: this.changes.splice(0) });
      this.say({ kind: 'flushed', request: message.request });
    }
    if (message.kind === 'stop') this.die();
  }

  postMessage(message: ToOsc): void {
    this.#channel.port1.postMessage(message);
  }
  on(event: 'message' | 'error' | 'exit', listener: (...args: never[]) => void): void {
    if (event === 'message') this.#channel.port1.on('message', listener as never);
    else this.#events.on(event, listener);
  }
  async terminate(): Promise<void> {
    this.#channel.port1.close();
  }
  die(error?: Error): void {
    if (error) this.#events.emit('error', error);
    this.#events.emit('exit');
    this.#channel.port1.close();
  }
  say(message: FromOsc): void {
    this.#channel.port2.postMessage(message);
  }
  /** Sends a command. @returns its reply */
  async ask(address: string, args: readonly (number | string | boolean | null)[] = [], client = 1): Promise<OutgoingMessage[]> {
    const request = ++this.#requests;
    this.say({ kind: 'command', request, address: `/engine/${address}`, args, client });
    const isReply = (message: ToOsc): boolean => message.kind === 'reply' && message.request === request;
    await until(() => this.told.some(isReply));
    return (this.told.find(isReply) as { messages: OutgoingMessage[] }).messages;
  }
  tables(): Extract<ToOsc, { kind: 'table' }>[] {
    return this.told.filter((message) => message.kind === 'table');
  }
  pushes(): OutgoingMessage[] {
    return this.told.flatMap((message) => (message.kind === 'push' ? message.messages : []));
  }
}

/** A folder for the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'krell-osc-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

const plain = (value: Value): unknown => (typeof value === 'object' && value !== null && 'type' in value ? value.value : value);
/** Messages as lists of plain values, address first. */
export const said = (messages: readonly OutgoingMessage[]): unknown[][] =>
  messages.map(({ address, args }) => [address, ...args.map(plain)]);

export const PATCH = {
  format: 'krell-patch',
  formatVersion: 1,
  title: 'First',
  tempo: 100,
  modules: { vco: { type: 'vco' }, pad: { type: 'vco', voices: 4 }, vcf: { type: 'vcf' }, out: { type: 'out' } },
  cables: [{ from: 'vco.saw', to: 'vcf.in', gain: 0.5 }],
  snapshots: { low: { 'vcf.cutoff': 100 } },
  osc: { '/1/fader1': { to: 'vcf.cutoff', range: [200, 8000] } },
};

/** What a test works with; `engine` plays PATCH when the test begins. */
export interface Stage {
  engine: Engine;
  readonly threads: ScriptedThread[];
  /** Starts a server. @returns its thread */
  serve(options?: OscServerOptions): Promise<ScriptedThread>;
  /** What the OSC thread would say of a parameter that was set. */
  change(id: string, param: string, value: number): ParamChange;
  /** For tests that start or stop the engine: one of their own. */
  ownEngine(): Promise<void>;
}

/** Sets the stage for the tests of a file. */
export function stage(): Stage {
  let shared: Engine;
  let servers: OscServer[] = [];
  const create = (): Promise<Engine> => Engine.create({ workers: 1, realtime: false });
  const stage: Stage = {
    engine: undefined as never,
    threads: [],
    async serve(options = {}) {
      const startThread = (given: OscThreadOptions): OscThread => {
        stage.threads.push(new ScriptedThread(given));
        return stage.threads.at(-1)!;
      };
      servers.push(await OscServer.start(stage.engine, { startThread, ...options }));
      return stage.threads.at(-1)!;
    },
    change(id, param, value) {
      const { address } = stage.engine.liveModules().find((module) => module.id === id)!;
      return { id, address, param, voice: -1, value };
    },
    async ownEngine() {
      stage.engine = await create();
      await stage.engine.loadPatch(PATCH);
    },
  };
  beforeAll(async () => void (shared = await create()));
  beforeEach(async () => {
    stage.engine = shared;
    stage.threads.length = 0;
    await shared.loadPatch(PATCH);
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    servers = [];
    if (stage.engine !== shared) await stage.engine.stop();
  });
  afterAll(() => shared.stop());
  return stage;
}
