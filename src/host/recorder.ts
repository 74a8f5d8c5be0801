// Records what the host plays: drains the tap ring to a WAV file from control's event loop. Whatever the disk does,
// the host does not wait: what the ring cannot hold (2.7 s at 48 kHz) is dropped and counted.
import { open, type FileHandle } from 'node:fs/promises';
import type { KrellError } from '../errors.js';
import { CONTROL, TAP_FRAMES, TAP_RING_W } from '../shared/layout.js';
import { FrameRing } from '../shared/ring.js';
import type { WavBits } from './driver.js';
import { cannotWrite } from './wav-file.js';
import { WavEncoder } from './wav.js';

const DRAIN_MS = 100;
/** Frames written at a time. */
const CHUNK_FRAMES = 16384;

export interface Recording {
  readonly path: string;
  readonly frames: number;
  readonly seconds: number;
  /** Frames missing because the disk was too slow. */
  readonly drops: number;
}

export class Recorder {
  readonly path: string;
  private readonly words: Int32Array;
  private readonly ring: FrameRing;
  private readonly encoder: WavEncoder;
  private readonly file: FileHandle;
  private readonly chunk: Float32Array;
  private readonly dropsBefore: number;
  private readonly timer: NodeJS.Timeout;
  private frames = 0;
  /** The drain under way; they follow one another. */
  private draining = Promise.resolve();
  private problem: KrellError | undefined;
  private readonly onFailed: (problem: KrellError) => void;

  private constructor(memory: WebAssembly.Memory, path: string, file: FileHandle, bits: WavBits, onFailed: (problem: KrellError) => void) {
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.path = path;
    this.file = file;
    this.onFailed = onFailed;
    this.words = new Int32Array(buffer);
    const channels = this.words[CONTROL.CHANNELS]!;
    this.ring = new FrameRing(buffer, TAP_RING_W, TAP_FRAMES, channels);
    this.encoder = new WavEncoder({ channels, sampleRate: this.words[CONTROL.SAMPLE_RATE]!, bits, seed: 1 });
    this.chunk = new Float32Array(CHUNK_FRAMES * channels);
    this.dropsBefore = this.ring.drops();
    this.timer = setInterval(() => void this.drain(), DRAIN_MS);
  }

  /**
   * Starts recording with the period that the host plays next; before the engine plays, with its first. `onFailed` is told at once when the
   * disk fails on the way.
   * @throws KrellError 'unwritable'.
   */
  static async start(
    memory: WebAssembly.Memory,
    path: string,
    bits: WavBits = '32f',
    onFailed: (problem: KrellError) => void = () => {},
  ): Promise<Recorder> {
    const file = await open(path, 'w').catch((error: unknown) => {
      throw cannotWrite(path, error);
    });
    const recorder = new Recorder(memory, path, file, bits, onFailed);
    // What an earlier recording left behind.
    while (recorder.ring.read(recorder.chunk, 0, CHUNK_FRAMES) > 0);
    Atomics.store(recorder.words, CONTROL.TAP, 1);
    return recorder;
  }

  /** Ends the recording and completes the file. @throws KrellError 'unwritable' when the disk failed on the way. */
  async stop(): Promise<Recording> {
    Atomics.store(this.words, CONTROL.TAP, 0);
    clearInterval(this.timer);
    await this.drain();
    await this.file.close();
    if (this.problem) throw this.problem;
    const { path, frames } = this;
    return { path, frames, seconds: frames / this.encoder.format.sampleRate, drops: (this.ring.drops() - this.dropsBefore) | 0 };
  }

  /** Writes what the ring holds, after what is being written. */
  private drain(): Promise<void> {
    this.draining = this.draining
      .then(() => this.write())
      .catch((error: unknown) => {
        Atomics.store(this.words, CONTROL.TAP, 0);
        this.problem = cannotWrite(this.path, error);
        this.onFailed(this.problem);
      });
    return this.draining;
  }

  private async write(): Promise<void> {
    if (this.problem) return;
    const { channels } = this.encoder.format;
    for (let got; (got = this.ring.read(this.chunk, 0, CHUNK_FRAMES)) > 0; this.frames += got) {
      const bytes = this.encoder.encode(this.chunk.subarray(0, got * channels));
      await this.put(bytes, this.encoder.headerBytes + this.encoder.dataBytes(this.frames));
    }
    await this.put(this.encoder.trailer(this.frames), this.encoder.headerBytes + this.encoder.dataBytes(this.frames));
    // Each time, so that the file is whole even if the program is killed.
    await this.put(this.encoder.header(this.frames), 0);
  }

  private async put(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) done += (await this.file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
