// The file driver: an offline render. Takes frames as fast as they come, exactly as many as wanted.
import { createHash } from 'node:crypto';
import type { AudioDriver, FileTarget, HostOptions } from './driver.js';
import type { Player } from './player.js';
import { CONTROL } from '../shared/layout.js';
import { WavFile } from './wav-file.js';

/** What was rendered. */
export interface FileResult {
  readonly frames: number;
  /** Of the samples as 32-bit little-endian floats, interleaved, whatever the file's format. */
  readonly sha256: string;
  /** Largest |sample|; 1 is full scale. */
  readonly peak: number;
  /** Length of the sound. */
  readonly seconds: number;
  /** When asked to `keep` them. */
  readonly channels?: readonly Float32Array<ArrayBuffer>[];
}

export class FileDriver implements AudioDriver {
  readonly name = 'file';
  readonly device: string;
  readonly periodFrames: number;
  readonly latencyMs = 0;
  private readonly target: FileTarget;
  private readonly wav: WavFile | undefined;

  /** @throws KrellError 'unwritable'. */
  constructor({ file, memory, periodFrames }: Pick<HostOptions, 'file' | 'memory' | 'periodFrames'>) {
    this.target = file ?? { frames: 0, bits: '32f' };
    this.device = this.target.path ?? 'nowhere';
    this.periodFrames = periodFrames;
    const words = new Int32Array(memory.buffer);
    if (this.target.path !== undefined)
      this.wav = new WavFile(this.target.path, {
        channels: words[CONTROL.CHANNELS]!,
        sampleRate: words[CONTROL.SAMPLE_RATE]!,
        bits: this.target.bits,
        seed: this.target.seed ?? 1,
        frames: this.target.frames,
      });
  }

  run(player: Player): FileResult {
    const { words, channels, sampleRate } = player;
    const { frames } = this.target;
    const depth = words[CONTROL.RING_DEPTH]!;
    const samples = new Float32Array(depth * channels);
    const hash = createHash('sha256');
    const kept = this.target.keep ? Array.from({ length: channels }, () => new Float32Array(frames)) : undefined;
    let done = 0;
    let peak = 0;
    while (done < frames) {
      // Half a ring at a time: the engine fills one half while the other is written.
      const left = frames - done;
      const got = player.take(samples, Math.min(depth, left), Math.min(depth >> 1, left));
      if (got === 0) break;
      const taken = samples.subarray(0, got * channels);
      hash.update(Buffer.from(taken.buffer, 0, taken.byteLength));
      for (let i = 0; i < taken.length; i++) peak = Math.max(peak, Math.abs(taken[i]!));
      this.wav?.write(taken);
      kept?.forEach((channel, c) => {
        for (let frame = 0; frame < got; frame++) channel[done + frame] = taken[frame * channels + c]!;
      });
      done += got;
    }
    this.wav?.close();
    return { frames: done, sha256: hash.digest('hex'), peak, seconds: done / sampleRate, ...(kept ? { channels: kept } : {}) };
  }

  close(): void {
    try {
      this.wav?.close();
    } catch {
      // The file was given up already, and why is known.
    }
  }
}
