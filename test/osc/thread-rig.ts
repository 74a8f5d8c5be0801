// The OSC thread as it runs: real sockets, an arena without an engine, and a control that does as it is told here.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, it } from 'vitest';
import { decode, encodeMessage } from '#src/osc/codec.js';
import { frame, Unframer, type Framing } from '#src/osc/framing.js';
import type { FromOsc, OscThreadOptions, OutgoingMessage, ToOsc } from '#src/osc/protocol.js';
import { TestSpace, TYPES, type TestCommand } from './rig.js';

type Heard = [address: string, ...args: unknown[]];
export const read = (packet: Uint8Array): Heard => {
  const message = decode(packet);
  if (message.kind !== 'message') throw new Error('an answer is no message');
  return [message.address, ...message.args.map(({ value }) => value)];
};

export const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Lets a test stop the thread: `block` milliseconds. */
const BLOCKABLE = `import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ block }) => { if (block) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block); });`;

/** The thread, and what it has said to control. */
export class Thread {
  readonly arena = new TestSpace();
  readonly said: FromOsc[] = [];
  /** What control answers to a command. */
  answer: (address: string, args: readonly unknown[]) => OutgoingMessage[] = (address) => [{ address: '/done', args: [address] }];
  private readonly worker: Worker;
  readonly exited: Promise<unknown>;

  private constructor(options: Partial<OscThreadOptions>) {
    const workerData: OscThreadOptions = {
      memory: this.arena.memory,
      bind: '127.0.0.1',
      oscPort: 0,
      httpPort: undefined,
      version: '0.0.0',
      trustLoopback: true,
      registered: [],
      ...options,
    };
    const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(BLOCKABLE)}`];
    this.worker = new Worker(new URL(import.meta.resolve('#src/osc/thread.js')), { workerData, execArgv });
    this.exited = once(this.worker, 'exit');
    this.worker.on('message', (message: FromOsc) => {
      this.said.push(message);
      if (message.kind === 'changes') this.tell({ kind: 'changed' });
      if (message.kind === 'command')
        this.tell({ kind: 'reply', request: message.request, messages: this.answer(message.address, message.args) });
    });
    cleanups.push(() => this.worker.terminate());
  }

  static async start(options: Partial<OscThreadOptions> = {}): Promise<Thread> {
    const thread = new Thread(options);
    await thread.until(() => thread.said.length > 0);
    const modules = [thread.arena.module('vcf'), thread.arena.module('pad', { voices: 4 }), thread.arena.module('keys', { type: 'keys' })];
    thread.tell({ kind: 'table', types: TYPES, modules, removed: [] });
    return thread;
  }

  get listening(): Extract<FromOsc, { kind: 'listening' }> {
    const [first] = this.said;
    if (first?.kind !== 'listening') throw new Error(JSON.stringify(first));
    return first;
  }
  tell(message: ToOsc | { block: number }): void {
    this.worker.postMessage(message);
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(2);
  }
  counter(word: number): number {
    return Atomics.load(this.arena.words, word);
  }
  /** The next commands, `count` of them at least. */
  async commands(count: number): Promise<TestCommand[]> {
    const commands: TestCommand[] = [];
    while (commands.length < count) {
      commands.push(...this.arena.commands());
      await sleep(2);
    }
    return commands;
  }
  async udp(): Promise<Peer> {
    const socket = createSocket('udp4');
    cleanups.push(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Peer(socket, this.listening.oscPort);
  }
  async tcp(framing: Framing): Promise<Stream> {
    const socket = connect(this.listening.oscPort, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    await once(socket, 'connect');
    return new Stream(socket, framing);
  }
}

/** A UDP client. */
export class Peer {
  readonly heard: Heard[] = [];
  constructor(
    readonly socket: UdpSocket,
    private readonly to: number,
  ) {
    socket.on('message', (packet) => this.heard.push(read(packet)));
  }
  sendRaw(packet: Uint8Array): void {
    this.socket.send(packet, this.to, '127.0.0.1');
  }
  send(address: string, ...args: NonNullable<Parameters<typeof encodeMessage>[1]>): void {
    this.sendRaw(encodeMessage(address, args));
  }
  async next(): Promise<Heard> {
    while (this.heard.length === 0) await sleep(1);
    return this.heard.shift()!;
  }
}

/** Asks until there is an answer: a socket that is full of other answers loses some. */
export async function stillAnswers(peer: Peer, token: number): Promise<void> {
  const isAnswered = (): boolean => peer.heard.splice(0).some((heard) => heard.at(-1) === token);
  for (let ms = 0; !isAnswered(); ms += 10) {
    if (ms % 200 === 0) peer.send('/engine/version', token);
    await sleep(10);
  }
}

/** A TCP client. */
export class Stream {
  readonly heard: Heard[] = [];
  constructor(
    readonly socket: Socket,
    readonly framing: Framing,
  ) {
    const unframer = new Unframer((packet) => this.heard.push(read(packet)));
    socket.on('data', (chunk: Uint8Array) => unframer.take(chunk));
    socket.on('error', () => {});
  }
  send(address: string, ...args: NonNullable<Parameters<typeof encodeMessage>[1]>): void {
    this.socket.write(frame(encodeMessage(address, args), this.framing));
  }
  async next(): Promise<Heard> {
    while (this.heard.length === 0) await sleep(1);
    return this.heard.shift()!;
  }
}
