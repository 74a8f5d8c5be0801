// The audio host, seen from control: a thread of its own that is started, told where to play, and ended.
import { Worker } from 'node:worker_threads';
import { KrellError } from '../errors.js';
import { ringDepthFor, type DriverName, type FileTarget, type HostMessage, type HostOptions } from '../host/driver.js';
import type { FileResult } from '../host/file.js';
import { Recorder, type Recording } from '../host/recorder.js';
import { CONTROL, RING_FRAMES } from '../shared/layout.js';
import type { Arena } from './arena.js';

export interface OutputOptions {
  /** `auto` (unless given): the best that opens. */
  readonly driver?: 'auto' | DriverName;
  /** Number or part of the name of a device. */
  readonly device?: string;
  /** Frames the device takes at a time; the engine's block unless given. */
  readonly periodFrames?: number;
  /** Path of a WAV file that gets what is played, from the first frame on. */
  readonly record?: string;
  /** For the driver `file`. */
  readonly file?: FileTarget;
}

export interface OutputState {
  readonly driver: DriverName | 'none';
  readonly device?: string;
  /** Why `auto` settled for this driver. */
  readonly reason?: string;
  readonly latencyMs?: number;
  /** Of the driver `file`, at the end. */
  readonly file?: FileResult;
  /** Of `record`, at the end. */
  readonly recording?: Recording;
}

/** Milliseconds the host may take to leave. */
const CLOSE_MS = 1000;
/** Frames kept ready for a file: offline, depth costs nothing. */
const FILE_DEPTH = RING_FRAMES / 2;

export class Output {
  state: OutputState = { driver: 'none' };
  /** Resolves when the host ends by itself: a file is complete. Rejects when it fails. */
  readonly ended: Promise<OutputState>;
  readonly #arena: Arena;
  readonly #blockFrames: number;
  #worker: Worker | undefined;
  #exited = Promise.resolve();
  #recorder: Recorder | undefined;
  #end!: () => void;
  #fail!: (error: Error) => void;

  constructor(arena: Arena, settings: { blockFrames: number }) {
    this.#arena = arena;
    this.#blockFrames = settings.blockFrames;
    this.ended = new Promise((resolve, reject) => {
      this.#end = () => resolve(this.state);
      this.#fail = reject;
    });
    // Whoever waits for the end hears of a failure; nobody has to.
    this.ended.catch(() => {});
  }

  /** Opens the device; sound follows once the engine plays. @throws KrellError */
  async open(options: OutputOptions): Promise<OutputState> {
    if (this.#worker) throw new KrellError('playing', 'the engine has been started already');
    if (options.record !== undefined) await this.startRecording(options.record);
    const { driver = 'auto', device, file, periodFrames = this.#blockFrames } = options;
    const { words } = this.#arena;
    // The file driver begins at once; a device tells its period first.
    if (driver === 'file') words[CONTROL.RING_DEPTH] = FILE_DEPTH;
    const workerData: HostOptions = { memory: this.#arena.memory, driver, device, periodFrames, file };
    const worker = new Worker(new URL('../host/host.js', import.meta.url), { workerData });
    this.#worker = worker;
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    void this.#exited.then(this.#end);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        reject(error);
        this.#fail(error);
      };
      worker.on('error', fail);
      worker.on('message', (message: HostMessage) => {
        switch (message.kind) {
          case 'open': {
            const { kind: _, periodFrames: period, ...state } = message;
            if (driver !== 'file') words[CONTROL.RING_DEPTH] = ringDepthFor(period, this.#blockFrames);
            resolve((this.state = state));
            break;
          }
          case 'lost':
            this.state = { ...this.state, reason: message.message };
            break;
          case 'ended':
            this.state = { ...this.state, ...(message.file ? { file: message.file } : {}) };
            this.#end();
            break;
          case 'failed':
            fail(new KrellError(message.code, message.message));
        }
      });
    });
  }

  /** Writes what is played from now on to a WAV file of 32-bit floats. @throws KrellError */
  async startRecording(path: string): Promise<void> {
    if (this.#recorder) throw new KrellError('recording', `'${this.#recorder.path}' is being recorded`, { hint: 'stop that first' });
    this.#recorder = await Recorder.start(this.#arena.memory, path);
  }

  /** @returns what was recorded, undefined when nothing was */
  async stopRecording(): Promise<Recording | undefined> {
    const recording = await this.#recorder?.stop();
    this.#recorder = undefined;
    if (recording) this.state = { ...this.state, recording };
    return recording;
  }

  /** Waits for the host to leave after RUN_STOP, ends it if it does not, and completes the recording. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([this.#exited, late]);
    clearTimeout(timer);
    await this.#worker?.terminate();
    await this.stopRecording();
  }
}
