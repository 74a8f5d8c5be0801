// A WAV file being written, by a thread that may wait for the disk. Memory does not grow with its length.
import { accessSync, closeSync, constants, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { KrellError } from '../errors.js';
import { WavEncoder, type WavFormat } from './wav.js';

const REASONS: Record<string, string> = {
  ENOENT: 'its folder does not exist; create it first',
  EACCES: 'no permission to write there; choose another place',
  EPERM: 'no permission to write there; choose another place',
  EISDIR: 'it is a folder; name a file in it',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only; choose another place',
  ENOSPC: 'the disk is full',
};

/** What `error` means for somebody who wanted to write `path`. */
export function cannotWrite(path: string, error: unknown): KrellError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new KrellError('unwritable', `cannot write '${path}': ${REASONS[code] ?? message}`, { cause: error });
}

/**
 * Makes sure, as far as one can tell without touching it, that `path` can be written.
 * @throws KrellError 'unwritable' otherwise.
 */
export function checkWritable(path: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(found ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

export class WavFile {
  private readonly path: string;
  private readonly encoder: WavEncoder;
  private readonly file: number;
  private frames = 0;
  private position = 0;
  private isOpen = true;

  /** @throws KrellError 'unwritable'. */
  constructor(path: string, format: WavFormat) {
    this.path = path;
    this.encoder = new WavEncoder(format);
    try {
      this.file = openSync(path, 'w');
    } catch (error) {
      throw cannotWrite(path, error);
    }
    this.put(this.encoder.header(0));
  }

  /** Appends interleaved samples. @throws KrellError 'unwritable' (a full disk). */
  write(samples: Float32Array): void {
    this.put(this.encoder.encode(samples));
    this.frames += samples.length / this.encoder.format.channels;
  }

  /** Completes the file, once; its header tells the frames written. @throws KrellError 'unwritable'. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      this.put(this.encoder.trailer(this.frames));
      this.put(this.encoder.header(this.frames), 0);
    } finally {
      closeSync(this.file);
    }
  }

  private put(bytes: Buffer, at = this.position): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done, undefined, at + done);
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.position = Math.max(this.position, at + bytes.length);
  }
}
