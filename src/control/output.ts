// The audio host, seen from control: a thread of its own that is started, told where to play, and ended.
import { Worker } from 'node:worker_threads';
import { KrellError } from '../errors.js';
import type { DriverName, FileTarget, HostMessage, HostOptions } from '../host/driver.js';
import type { FileResult } from '../host/file.js';
import { Recorder, type Recording } from '../host/recorder.js';
import { CONTROL, RING_FRAMES, RUN_STOP } from '../shared/layout.js';
import type { Arena } from './arena.js';
import { RingDepth, type Latency } from './ring-depth.js';

/** A device that goes away while it plays, or is there again. */
export interface DeviceEvent {
  readonly kind: 'lost' | 'back';
  /** In a sentence. */
  readonly message: string;
}

export interface OutputOptions {
  /** `auto` (unless given): the best that opens. */
  readonly driver?: 'auto' | DriverName;
  /** Number or part of the name of a device. */
  readonly device?: string;
  /** Frames the device takes at a time; the engine's block unless given. */
  readonly periodFrames?: number;
  /** Channels to take in from the device, for modules of type `in`; none unless given. */
  readonly inputs?: 0 | 1 | 2;
  /** How far the engine works ahead of the device; `safe` unless given. It grows when that does not hold, and comes back. */
  readonly latency?: Latency;
  /** Told when the device is lost and when it is back. Meanwhile the engine plays on by the clock. */
  readonly onDevice?: (event: DeviceEvent) => void;
  /** Path of a WAV file that gets what is played, from the first frame on. */
  readonly record?: string;
  /** For the driver `file`. */
  readonly file?: FileTarget;
}

export interface OutputState {
  readonly driver: DriverName | 'none';
  readonly device?: string;
  /** Why it is this driver: what `auto` settled for, or what has become of the device. */
  readonly reason?: string;
  /** From a frame's leaving the engine's output ring to its being heard. */
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
const LOOK_MS = 1000;

export class Output {
  state: OutputState = { driver: 'none' };
  /** Resolves when the host ends by itself: a file is complete. Rejects when it fails. */
  readonly ended: Promise<OutputState>;
  readonly #arena: Arena;
  readonly #settings: { readonly blockFrames: number; readonly sampleRate: number };
  #options: OutputOptions = {};
  /** Host threads: the one that plays, and after a loss one on standby. */
  readonly #hosts = new Set<Worker>();
  /** How many hosts there have been. */
  #turns = 0;
  #timer: NodeJS.Timeout | undefined;
  #recorder: Recorder | undefined;
  #opened!: (state: OutputState) => void;
  #end!: () => void;
  #fail!: (error: Error) => void;

  constructor(arena: Arena, settings: { blockFrames: number; sampleRate: number }) {
    this.#arena = arena;
    this.#settings = settings;
    this.ended = new Promise((resolve, reject) => {
      this.#end = () => resolve(this.state);
      this.#fail = reject;
    });
    // Whoever waits for the end hears of a failure; nobody has to.
    this.ended.catch(() => {});
  }

  /** Opens the device; sound follows once the engine plays. @throws KrellError */
  async open(options: OutputOptions): Promise<OutputState> {
    if (this.#turns > 0) throw new KrellError('playing', 'the engine has been started already');
    this.#options = options;
    const { driver = 'auto', record } = options;
    if (record !== undefined) await this.startRecording(record);
    // The file driver begins at once; a device tells its period first.
    if (driver === 'file') this.#arena.words[CONTROL.RING_DEPTH] = FILE_DEPTH;
    const opened = new Promise<OutputState>((resolve) => (this.#opened = resolve));
    this.#start(driver);
    return Promise.race([opened, this.ended]);
  }

  /** Starts a host. After the first one: to play once it can open the device again. */
  #start(driver: HostOptions['driver'], handle?: bigint): void {
    const turn = this.#turns++;
    const { device, inputs, file, periodFrames = this.#settings.blockFrames } = this.#options;
    const workerData: HostOptions = { memory: this.#arena.memory, driver, device, inputs, periodFrames, file, turn, handle };
    const host = new Worker(new URL('../host/host.js', import.meta.url), { workerData });
    this.#hosts.add(host);
    host.once('exit', () => {
      this.#hosts.delete(host);
      const { words } = this.#arena;
      if (Atomics.load(words, CONTROL.HOST_TURN) === turn || Atomics.load(words, CONTROL.RUN) === RUN_STOP) this.#end();
    });
    host.on('error', (error: Error) => this.#failed(error, turn));
    host.on('message', (message: HostMessage) => this.#hear(message, turn));
  }

  #hear(message: HostMessage, turn: number): void {
    switch (message.kind) {
      case 'open': {
        const { kind: _, periodFrames, ...state } = message;
        if (state.driver !== 'file') {
          this.#arena.words[CONTROL.LIVE] = 1;
          this.#adapt(periodFrames);
        }
        this.state = state;
        this.#opened(state);
        if (turn > 0) this.#options.onDevice?.({ kind: 'back', message: `sound device '${state.device}' is back` });
        break;
      }
      case 'lost':
        this.state = { ...this.state, driver: 'null', reason: message.message };
        this.#options.onDevice?.({ kind: 'lost', message: message.message });
        if (message.handle !== undefined) this.#start(message.driver, message.handle);
        break;
      case 'waiting':
        this.state = { ...this.state, reason: message.message };
        break;
      case 'ended':
        this.state = { ...this.state, ...(message.file ? { file: message.file } : {}) };
        this.#end();
        break;
      case 'failed':
        this.#failed(new KrellError(message.code, message.message), turn);
    }
  }

  /** Only the host that plays matters so much. */
  #failed(error: Error, turn: number): void {
    if (Atomics.load(this.#arena.words, CONTROL.HOST_TURN) === turn) this.#fail(error);
    else this.state = { ...this.state, reason: error.message };
  }

  /** Keeps the ring as shallow as holds. */
  #adapt(periodFrames: number): void {
    const { latency = 'safe' } = this.#options;
    const seconds = (): number => performance.now() / 1000;
    const depth = new RingDepth(this.#arena.words, { ...this.#settings, latency, periodFrames }, seconds());
    clearInterval(this.#timer);
    this.#timer = setInterval(() => depth.look(seconds()), LOOK_MS);
    this.#timer.unref();
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

  /** Waits for the hosts to leave after RUN_STOP, ends those that do not, and completes the recording. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const exits = [...this.#hosts].map((host) => new Promise<void>((resolve) => host.once('exit', () => resolve())));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([Promise.all(exits), late]);
    clearTimeout(timer);
    // One that is inside a library may not even hear of it.
    for (const host of this.#hosts) void host.terminate();
    await this.stopRecording();
  }
}
