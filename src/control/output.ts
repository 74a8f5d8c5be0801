// The audio host, seen from control: a thread of its own that is started, told where to play, and ended.
import { Worker } from 'node:worker_threads';
import { KrellError } from '../errors.js';
import {
  DRIVERS,
  JACK_CLIENTS,
  MAX_PERIOD_FRAMES,
  type Abandoned,
  type DriverName,
  type FileTarget,
  type HostMessage,
  type HostOptions,
} from '../host/driver.js';
import { exitWithoutThreads } from '../host/exit.js';
import type { FileResult } from '../host/file.js';
import { Recorder, type Recording } from '../host/recorder.js';
import { CONTROL, RING_FRAMES, RUN_STOP } from '../shared/layout.js';
import type { Arena } from './arena.js';
import { tell } from './events.js';
import { didYouMean } from './names.js';
import { wholeNumber } from './options.js';
import { stopped } from './stopped.js';
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

/** Milliseconds a device may take to open. A sound server that hangs never answers. */
const OPEN_MS = 10_000;
/** Milliseconds that `auto` gives a library before it goes on without: a JACK server answers at once; one that looks for sound cards may take its time, but not behind another that hangs. */
const ANSWER_MS = { jack: 1500, any: 3000, next: 1000 } as const;
/** Milliseconds the host may take to leave. */
const CLOSE_MS = 1000;
/** Frames kept ready for a file: offline, depth costs nothing. */
const FILE_DEPTH = RING_FRAMES / 2;
const LOOK_MS = 1000;
/** Shared by all engines of the process. */
const quiet = new Int32Array(new SharedArrayBuffer(4));
/** More than the ring can hold. */
const MAX_LATENCY_MS = 1000;

export class Output {
  state: OutputState = { driver: 'none' };
  /** Resolves when the host ends by itself: a file is complete. Rejects when it fails. */
  readonly ended: Promise<OutputState>;
  readonly #arena: Arena;
  readonly #settings: { readonly blockFrames: number; readonly sampleRate: number };
  readonly #report: (kind: DeviceEvent['kind']) => void;
  readonly #onRecordingFailed: (message: string) => void;
  #options: OutputOptions = {};
  /** Host threads: the one that plays, and after a loss one on standby. */
  readonly #hosts = new Set<Worker>();
  /** How many hosts there have been. */
  #turns = 0;
  /** Drivers whose library does not answer, and the first host after those that were left inside one. */
  readonly #hanging: DriverName[] = [];
  #first = 0;
  #patience: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #recorder: Recorder | undefined;
  /** Beginnings and ends of recordings, one after the other. */
  #recording: Promise<unknown> = Promise.resolve();
  #isOpen = false;
  #isClosed = false;
  #opened!: (state: OutputState) => void;
  #end!: () => void;
  #fail!: (error: Error) => void;

  /** `report` is told what the options' `onDevice` is told, `onRecordingFailed` what ends a recording before it is ended. */
  constructor(
    arena: Arena,
    settings: { blockFrames: number; sampleRate: number },
    report: (kind: DeviceEvent['kind']) => void,
    onRecordingFailed: (message: string) => void,
  ) {
    this.#arena = arena;
    this.#settings = settings;
    this.#report = report;
    this.#onRecordingFailed = onRecordingFailed;
    this.ended = new Promise((resolve, reject) => {
      this.#end = () => resolve(this.state);
      this.#fail = reject;
    });
    // Whoever waits for the end hears of a failure; nobody has to.
    this.ended.catch(() => {});
  }

  /** Opens the device; sound follows once the engine plays. @throws KrellError */
  async open(options: OutputOptions): Promise<OutputState> {
    checkOptions(options);
    if (this.#isOpen) throw new KrellError('playing', 'the engine has been started already', { hint: 'create another for another device' });
    this.#isOpen = true;
    this.#options = options;
    const { driver = 'auto', record } = options;
    // What cannot be recorded has opened nothing.
    if (record !== undefined) await this.startRecording(record).catch((error: unknown) => this.#notOpen(error));
    if (this.#isClosed) throw stopped();
    // The file driver begins at once; a device tells its period first.
    if (driver === 'file') this.#arena.words[CONTROL.RING_DEPTH] = FILE_DEPTH;
    const opened = new Promise<OutputState>((resolve) => (this.#opened = resolve));
    this.#start(driver);
    const timer = setTimeout(() => this.#fail(notAnswering(driver)), OPEN_MS);
    const state = await Promise.race([opened, this.ended]).finally(() => {
      clearTimeout(timer);
      clearTimeout(this.#patience);
    });
    if (this.#isClosed) throw stopped();
    return state;
  }

  /** `auto` calls a library. If that does not answer, another host goes on with the next; the first is left inside. */
  #await(driver: DriverName): void {
    clearTimeout(this.#patience);
    const ms = this.#hanging.length > 0 ? ANSWER_MS.next : driver === 'jack' ? ANSWER_MS.jack : ANSWER_MS.any;
    this.#patience = setTimeout(() => {
      if (this.#isClosed) return;
      this.#hanging.push(...(driver === 'jack' ? JACK_CLIENTS : [driver]));
      this.#first = this.#turns;
      Atomics.store(this.#arena.words, CONTROL.HOST_TURN, this.#first);
      this.#start('auto');
    }, ms);
  }

  #notOpen(error: unknown): never {
    this.#isOpen = false;
    throw error;
  }

  /** Starts a host. After the first one: to play once it can open the device again. */
  #start(driver: HostOptions['driver'], { device = this.#options.device, handle }: Partial<Abandoned> = {}): void {
    const turn = this.#turns++;
    const { inputs, file, periodFrames = this.#settings.blockFrames } = this.#options;
    const workerData: HostOptions = {
      memory: this.#arena.memory,
      driver,
      device,
      inputs,
      periodFrames,
      file,
      turn,
      handle,
      quiet,
      hanging: this.#hanging,
    };
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
    if (turn < this.#first) return;
    switch (message.kind) {
      case 'trying':
        this.#await(message.driver);
        break;
      case 'open': {
        const { kind: _, periodFrames, ...state } = message;
        if (state.driver !== 'file') {
          this.#arena.words[CONTROL.LIVE] = 1;
          this.#adapt(periodFrames);
        }
        this.state = state;
        clearTimeout(this.#patience);
        this.#opened(state);
        if (turn > this.#first) this.#tell({ kind: 'back', message: `sound device '${state.device}' is back` });
        break;
      }
      case 'lost':
        this.state = { ...this.state, driver: 'null', reason: message.message };
        this.#tell({ kind: 'lost', message: message.message });
        if (message.abandoned && !this.#isClosed) this.#start(message.abandoned.driver, message.abandoned);
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

  #tell(event: DeviceEvent): void {
    this.#report(event.kind);
    tell(this.#options.onDevice, event);
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
  startRecording(path: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isClosed) throw stopped();
      if (this.#recorder) throw new KrellError('recording', `'${this.#recorder.path}' is being recorded`, { hint: 'stop that first' });
      this.#recorder = await Recorder.start(this.#arena.memory, path, '32f', ({ message }) => this.#onRecordingFailed(message));
    });
  }

  /** @returns what was recorded, undefined when nothing was */
  stopRecording(): Promise<Recording | undefined> {
    return this.#inTurn(async () => {
      const recorder = this.#recorder;
      this.#recorder = undefined;
      const recording = await recorder?.stop();
      if (recording) this.state = { ...this.state, recording };
      return recording;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#recording.then(work);
    this.#recording = done.catch(() => {});
    return done;
  }

  /**
   * Waits for the hosts to leave after RUN_STOP, and completes the recording. One that is inside a sound library leaves when that returns, if it does:
   * to end it there would not make it return, and where it is being loaded would abort the process.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#patience);
    const exits = [...this.#hosts].map((host) => new Promise<void>((resolve) => host.once('exit', () => resolve())));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([Promise.all(exits), late]);
    clearTimeout(timer);
    for (const host of this.#hosts) {
      host.unref();
      exitWithoutThreads();
    }
    // There may have been none.
    this.#end();
    await this.stopRecording();
  }
}

const notAnswering = (driver: string): KrellError =>
  new KrellError('device', `the sound library does not answer (driver '${driver}', ${OPEN_MS / 1000} s)`, {
    hint: 'a sound server may hang: start it anew, or choose another driver',
  });

/** @throws KrellError `option` for what no driver could make sense of */
function checkOptions({ driver = 'auto', latency = 'safe', periodFrames, inputs = 0, file }: OutputOptions): void {
  const drivers = ['auto', ...DRIVERS];
  if (!drivers.includes(driver)) throw new KrellError('option', `there is no driver '${driver}'`, { hint: didYouMean(driver, drivers) });
  if (latency !== 'low' && latency !== 'safe' && !(latency >= 0 && latency <= MAX_LATENCY_MS))
    throw new KrellError('option', `latency is ${latency}`, { hint: `give 'low', 'safe', or milliseconds up to ${MAX_LATENCY_MS}` });
  if (periodFrames !== undefined) wholeNumber('periodFrames', periodFrames, 1, MAX_PERIOD_FRAMES);
  wholeNumber('inputs', inputs, 0, 2);
  if (driver === 'file' && !file)
    throw new KrellError('option', 'the file driver needs to know how much to write', { hint: 'give file: { frames, bits }' });
}
