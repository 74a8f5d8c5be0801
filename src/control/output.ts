// The audio host, seen from control: a thread of its own that is started, told where to play, and ended.
import { Worker } from 'node:worker_threads';
import { KrellError } from '../errors.js';
import type { DriverName, FileTarget, HostMessage, HostOptions } from '../host/driver.js';
import type { FileResult } from '../host/file.js';
import { CONTROL, RING_FRAMES } from '../shared/layout.js';
import type { Arena } from './arena.js';

export interface OutputOptions {
  /** `auto` picks the best that opens. */
  readonly driver?: 'auto' | DriverName;
  /** Number or part of the name of a device. */
  readonly device?: string;
  /** Frames the device takes at a time; the engine's block unless given. */
  readonly periodFrames?: number;
  /** For the driver `file`. */
  readonly file?: FileTarget;
}

export interface OutputState {
  readonly driver: DriverName | 'none';
  readonly device?: string;
  /** Why `auto` chose it. */
  readonly reason?: string;
  readonly latencyMs?: number;
  /** Of the driver `file`, at the end. */
  readonly file?: FileResult;
}

/** Milliseconds the host may take to leave. */
const CLOSE_MS = 1000;
/** Frames kept ready for a file: offline, depth costs nothing. */
const FILE_DEPTH = RING_FRAMES / 2;

export class Output {
  state: OutputState = { driver: 'none' };
  readonly #arena: Arena;
  readonly #blockFrames: number;
  #worker: Worker | undefined;
  readonly ended: Promise<OutputState>;
  #end!: (state: OutputState) => void;
  #fail!: (error: Error) => void;

  constructor(arena: Arena, settings: { blockFrames: number }) {
    this.#arena = arena;
    this.#blockFrames = settings.blockFrames;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    // Whoever waits for the end hears of a failure; nobody has to.
    this.ended.catch(() => {});
  }

  /** Opens the device; sound follows once the engine plays. @throws KrellError */
  async open(options: OutputOptions): Promise<OutputState> {
    if (this.#worker) throw new KrellError('playing', 'the engine has been started already');
    const { driver = 'auto', device } = options;
    const { words } = this.#arena;
    const block = this.#blockFrames;
    const periodFrames = options.periodFrames ?? block;
    words[CONTROL.RING_DEPTH] = driver === 'file' ? FILE_DEPTH : Math.max(2 * block, periodFrames + block);
    const workerData: HostOptions = { memory: this.#arena.memory, driver, device, periodFrames, file: options.file };
    const worker = new Worker(new URL('../host/host.js', import.meta.url), { workerData, stdout: false, stderr: false });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: HostMessage) => {
        if (message.kind === 'open') {
          const { device, latencyMs, reason } = message;
          words[CONTROL.RING_DEPTH] = Math.max(words[CONTROL.RING_DEPTH]!, message.periodFrames + block);
          resolve((this.state = { driver: message.driver, device, latencyMs, ...(reason ? { reason } : {}) }));
        } else if (message.kind === 'ended') this.#end((this.state = { ...this.state, ...(message.file ? { file: message.file } : {}) }));
        else if (message.kind === 'failed') {
          const error = new KrellError(message.code, message.message);
          reject(error);
          this.#fail(error);
        }
      });
      worker.on('error', (error) => {
        reject(error as Error);
        this.#fail(error as Error);
      });
      worker.on('exit', () => this.#end(this.state));
    });
  }

  /** Waits for the host to leave after RUN_STOP, and ends it if it does not. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    if (worker.threadId >= 0) await Promise.race([exited, late]);
    clearTimeout(timer);
    await worker.terminate();
  }
}
