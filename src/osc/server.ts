// OSC for an engine: starts the OSC thread, tells it what there is to play, and carries out what it passes on.
//
// Parameter changes do not come through here: the OSC thread writes them into the arena. What does may take its time without harm to them.
import { Worker } from 'node:worker_threads';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../control/engine.js';
import type { EngineEvent, EngineEventKind, EngineListener } from '../control/events.js';
import { KrellError } from '../errors.js';
import { PACKAGE_ROOT } from '../kernel/source.js';
import { COMMANDS_OSC_W, CONTROL, RUN_PLAYING } from '../shared/layout.js';
import { CommandRing } from '../shared/ring.js';
import { Folders } from './execute-files.js';
import { execute, type Context, type Sender } from './execute.js';
import { shortened } from './plain.js';
import type { FromOsc, OscThreadOptions, OutgoingMessage, Registration, ToOsc } from './protocol.js';
import { Table } from './table.js';

export interface OscServerOptions {
  /** UDP and TCP; 9000 unless given, 0 = any free one. */
  readonly oscPort?: number;
  /** HTTP and WebSocket; 9001 unless given, 0 = any free one, false = none. */
  readonly httpPort?: number | false;
  /** Address to listen at; this machine only unless given. */
  readonly bind?: string;
  /** Folders whose patches may be loaded; the first is the one to save to. */
  readonly patchFolders?: readonly string[];
  /** Name of the patch that plays, for saving it without one. */
  readonly patchName?: string;
  /** Folder for recordings; none are made unless given. */
  readonly recordFolder?: string;
  /** What `/engine/quit` does; it is refused unless given. */
  readonly onQuit?: () => void;
  /** Whether senders on this machine are answered at length without asking to be; they are unless told not to. */
  readonly trustLoopback?: boolean;
  /** Instead of a Worker: for tests. */
  readonly startThread?: (options: OscThreadOptions) => OscThread;
}

/** As much of a Worker as is needed of the OSC thread. */
export interface OscThread {
  postMessage(message: ToOsc): void;
  on(event: 'message', listener: (message: FromOsc) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  terminate(): Promise<unknown>;
}

export const OSC_PORT = 9000;
export const HTTP_PORT = 9001;
export const LOOPBACK = '127.0.0.1';

/** Milliseconds the thread may take to listen, to hand over changes, the engine to read them, and the thread to leave. */
const LISTEN_MS = 10_000;
const FLUSH_MS = 1000;
const DRAIN_MS = 1000;
const STOP_MS = 500;
/** A thread that dies more often than this within a minute is not started again. */
const RESTARTS = 5;
const RESTART_WITHIN_MS = 60_000;
/** Milliseconds before it is: the system has to let go of the ports. */
const RESTART_MS = 100;
/** Senders whose commands are under way, or who have a transaction open. */
const MAX_SENDERS = 1024;

interface QueuedSender extends Sender {
  /** The sender's commands are carried out one after the other. */
  last: Promise<void>;
  waiting: number;
}

export class OscServer {
  oscPort: number;
  /** Undefined when there is no HTTP. */
  httpPort: number | undefined;
  readonly #engine: Engine;
  readonly #options: OscServerOptions;
  readonly #context: Context;
  readonly #senders = new Map<number, QueuedSender>();
  readonly #flushes = new Map<number, () => void>();
  readonly #listeners: (() => void)[] = [];
  readonly #deaths: number[] = [];
  #table = new Table();
  /** Who is registered over UDP: the next thread is to know them. */
  #registered: readonly Registration[] = [];
  #thread: OscThread | undefined;
  #exited: Promise<void> = Promise.resolve();
  #requests = 0;
  #restart: NodeJS.Timeout | undefined;
  #isStopped = false;

  private constructor(engine: Engine, options: OscServerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.oscPort = options.oscPort ?? OSC_PORT;
    this.httpPort = options.httpPort === false ? undefined : (options.httpPort ?? HTTP_PORT);
    this.#context = {
      engine,
      folders: new Folders(options.patchFolders ?? [], options.recordFolder),
      patchName: options.patchName,
      flush: () => this.#flush(),
      quit: options.onQuit,
    };
  }

  /** Resolves when the ports are open. @throws KrellError when they cannot be */
  static async start(engine: Engine, options: OscServerOptions = {}): Promise<OscServer> {
    const server = new OscServer(engine, options);
    await server.#open();
    server.#listen();
    return server;
  }

  /** Closes the ports. May be called again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#restart);
    for (const forget of this.#listeners.splice(0)) forget();
    const thread = this.#thread;
    if (!thread) return;
    thread.postMessage({ kind: 'stop' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => (timer = setTimeout(done, STOP_MS)));
    await Promise.race([this.#exited, late]);
    clearTimeout(timer);
    await thread.terminate();
  }

  // ── the thread ──

  /** Starts the thread; resolves when it listens and knows all modules. @throws KrellError */
  async #open(): Promise<void> {
    const { bind = LOOPBACK, trustLoopback = true, startThread = startWorker } = this.#options;
    const { memory } = this.#engine.arena;
    const ports = { oscPort: this.oscPort, httpPort: this.httpPort };
    const thread = startThread({ memory, bind, ...ports, version: VERSION, trustLoopback, registered: this.#registered });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((listens, fail) => {
        let death: Error | undefined;
        thread.on('error', (error) => {
          death = error;
          fail(new KrellError('osc', `the OSC thread failed: ${error.message}`, { cause: error }));
        });
        this.#exited = new Promise((exited) => {
          thread.on('exit', () => {
            exited();
            fail(new KrellError('osc', 'the OSC thread ended before it listened'));
            if (this.#thread === thread) this.#died(death);
          });
        });
        thread.on('message', (message) => {
          if (message.kind === 'failed') fail(new KrellError(message.code, message.message, { hint: message.hint }));
          else if (message.kind === 'listening') {
            ({ oscPort: this.oscPort, httpPort: this.httpPort } = message);
            this.#thread = thread;
            this.#table = new Table();
            this.#update();
            listens();
          } else if (this.#thread === thread) this.#take(message);
        });
        timer = setTimeout(() => fail(new KrellError('osc', 'the OSC thread did not open its ports in time')), LISTEN_MS);
      });
    } catch (error) {
      await thread.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #died(cause: Error | undefined): void {
    this.#thread = undefined;
    this.#senders.clear();
    for (const done of this.#flushes.values()) done();
    if (!this.#isStopped) this.#startAnew(cause?.message ?? 'it ended');
  }

  #startAnew(reason: string): void {
    const now = performance.now();
    while (this.#deaths.length > 0 && now - this.#deaths[0]! > RESTART_WITHIN_MS) this.#deaths.shift();
    this.#deaths.push(now);
    const isLast = this.#deaths.length > RESTARTS;
    this.#report(`the OSC thread died (${reason}) ${isLast ? 'too often and stays away' : 'and is started anew'}`);
    if (isLast) return;
    this.#restart = setTimeout(() => {
      this.#open().then(
        () => (this.#isStopped ? this.stop() : this.#push('/engine/restarted')),
        (error: Error) => !this.#isStopped && this.#startAnew(error.message),
      );
    }, RESTART_MS).unref();
  }

  #report(message: string): void {
    this.#engine.report({ kind: 'fault', what: 'osc', frame: this.#engine.frame, message });
  }

  #post(message: ToOsc): void {
    this.#thread?.postMessage(message);
  }

  #push(address: string, ...args: OutgoingMessage['args']): void {
    this.#post({ kind: 'push', messages: [{ address, args }] });
  }

  // ── what it says ──

  #take(message: FromOsc): void {
    switch (message.kind) {
      case 'command':
        return this.#command(message);
      case 'gone':
        return void this.#senders.delete(message.client);
      case 'changes':
        this.#engine.applyChanges(message.changes.filter((change) => this.#table.has(change)));
        return this.#post({ kind: 'changed' });
      case 'registered':
        return void (this.#registered = message.registered);
      case 'flushed':
        return this.#flushes.get(message.request)?.();
    }
  }

  #command({ request, address, args, client }: Extract<FromOsc, { kind: 'command' }>): void {
    let sender = this.#senders.get(client);
    if (!sender) {
      if (this.#senders.size >= MAX_SENDERS) {
        const messages = [{ address: '/fail', args: [address, 'busy: too many senders have transactions open'] }];
        return this.#post({ kind: 'reply', request, messages });
      }
      sender = { last: Promise.resolve(), waiting: 0 };
      this.#senders.set(client, sender);
    }
    const thread = this.#thread;
    sender.waiting++;
    sender.last = sender.last.then(async () => {
      const { messages, afterwards } = await execute(this.#context, sender, address, args);
      if (this.#thread === thread) this.#post({ kind: 'reply', request, messages });
      sender.waiting--;
      if (sender.waiting === 0 && !sender.transaction && this.#senders.get(client) === sender) this.#senders.delete(client);
      if (afterwards) setImmediate(afterwards);
    });
  }

  /** Resolves when the engine has taken in what OSC has set so far, or the thread does not answer. */
  async #flush(): Promise<void> {
    if (!this.#thread) return;
    const request = ++this.#requests;
    await new Promise<void>((done) => {
      const timer = setTimeout(done, FLUSH_MS);
      this.#flushes.set(request, () => {
        clearTimeout(timer);
        done();
      });
      this.#post({ kind: 'flush', request });
    });
    this.#flushes.delete(request);
    await this.#drained();
  }

  /** Waits until the engine has read what OSC had set: what control says next is to come after it. */
  async #drained(): Promise<void> {
    const { words, buffer } = this.#engine.arena;
    const ring = new CommandRing(buffer, COMMANDS_OSC_W);
    const end = performance.now() + DRAIN_MS;
    while (ring.fill() > 0 && Atomics.load(words, CONTROL.RUN) === RUN_PLAYING && performance.now() < end) await sleep(1);
  }

  // ── what the engine says ──

  #on<K extends EngineEventKind>(kind: K, listener: EngineListener<K>): void {
    this.#engine.on(kind, listener);
    this.#listeners.push(() => this.#engine.off(kind, listener));
  }

  #listen(): void {
    this.#on('edit', ({ added, removed, changed }) => {
      this.#update();
      const gone = [...removed, ...changed].map((id) => ({ address: '/engine/module/removed', args: [id] }));
      const made = [...added, ...changed].map((id) => ({
        address: '/engine/module/created',
        args: [id, this.#engine.patch.modules.get(id)!.type],
      }));
      if (gone.length + made.length > 0) this.#post({ kind: 'push', messages: [...gone, ...made] });
    });
    this.#on('load', ({ title }) => {
      // Unless OSC has loaded it, nobody knows what file it is.
      this.#context.patchName = undefined;
      this.#push('/engine/patch/loaded', title.replaceAll('\0', ''));
    });
    this.#on('fault', (event) => this.#push('/fail', ...faultArgs(event)));
    this.#on('underrun', ({ count, total }) => this.#push('/engine/underrun', count, total));
    this.#on('device', ({ state, output }) => this.#push('/engine/device', state, output.driver, output.device ?? ''));
    this.#on('stopped', () => {
      this.#push('/engine/stopped');
      return this.stop();
    });
  }

  /** Tells the thread what has come, gone or changed. */
  #update(): void {
    const changes = this.#table.update(this.#engine);
    if (changes) this.#post(changes);
  }
}

/** `module nan vcf1 …` of a module's fault, `worker 1 …` of a thread's, `osc …` of any other. */
function faultArgs({ what, id, worker, message }: Extract<EngineEvent, { kind: 'fault' }>): (string | number)[] {
  const text = shortened(message);
  if (id !== undefined) return ['module', what, id, text];
  return worker === undefined ? [what, text] : [what, worker, text];
}

const startWorker = (workerData: OscThreadOptions): OscThread => new Worker(new URL('./thread.js', import.meta.url), { workerData });

const VERSION = (JSON.parse(readFileSync(resolve(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }).version;
