// The audio host from outside: starts the thread, learns what it opened, waits for its end.
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { KrellError } from '#src/errors.js';
import type { HostMessage, HostOptions } from '#src/host/driver.js';
import type { FileResult } from '#src/host/file.js';

/** What a host has opened. */
export type OpenDevice = Omit<Extract<HostMessage, { kind: 'open' }>, 'kind'>;

/** A thread that has not left by then is ended by force. */
const PATIENCE_MS = 700;

export class AudioHost {
  readonly opened: OpenDevice;
  /** Resolves when the host has left: with what was rendered, if it was a file. Rejects when the device failed. */
  readonly ended: Promise<FileResult | undefined>;
  /** Resolves with a sentence when the device has gone. */
  readonly lost: Promise<string>;
  private readonly worker: Worker;
  private readonly left: Promise<unknown>;

  private constructor(
    worker: Worker,
    opened: OpenDevice,
    ended: Promise<FileResult | undefined>,
    left: Promise<unknown>,
    lost: Promise<string>,
  ) {
    this.lost = lost;
    this.worker = worker;
    this.opened = opened;
    this.ended = ended;
    this.left = left;
  }

  /**
   * Starts the host thread. Resolves when the device is open and takes frames: silence, until RUN_PLAYING.
   * @throws KrellError when it cannot be opened.
   */
  static async open(options: HostOptions): Promise<AudioHost> {
    const worker = new Worker(fileURLToPath(import.meta.resolve('#src/host/host.js')), { workerData: options, name: 'krell audio host' });
    const left = new Promise((resolve) => worker.once('exit', resolve));
    let goes: (message: string) => void;
    const lost = new Promise<string>((resolve) => (goes = resolve));
    let opened: (device: OpenDevice) => void;
    const open = new Promise<OpenDevice>((resolve) => (opened = resolve));
    const ended = new Promise<FileResult | undefined>((resolve, reject) => {
      worker.on('message', (message: HostMessage) => {
        if (message.kind === 'open') opened(message);
        else if (message.kind === 'ended') resolve(message.file);
        else if (message.kind === 'lost') goes(message.message);
        else if (message.kind === 'failed') reject(new KrellError(message.code, message.message));
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new KrellError('host', 'the audio host ended unexpectedly')));
    });
    // Who awaits `ended` hears of a failure; nobody has to.
    ended.catch(() => undefined);
    const device = await Promise.race([open, ended.then(() => open)]);
    return new AudioHost(worker, device, ended, left, lost);
  }

  /** Waits for the thread to leave after RUN_STOP, and ends it when it does not. */
  async close(): Promise<void> {
    const timer = setTimeout(() => void this.worker.terminate(), PATIENCE_MS);
    await this.left;
    clearTimeout(timer);
  }
}
