// WAV: bytes of headers and samples. 16 and 24 bits with dither, 32-bit float as it is; RF64 beyond 4 GiB.
// RIFF/WAVE: Microsoft, "Multimedia Data Standards Update", 1994; RF64: EBU Tech 3306 (2009).
import toWavFile from 'audiobuffer-to-wav';
import type { WavBits } from './driver.js';

export interface WavFormat {
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: WavBits;
  /** Of the dither. */
  readonly seed: number;
  /** Length, when it is known beforehand; without it the header leaves room for the sizes of a long file. */
  readonly frames?: number;
}

const PCM = 1;
const FLOAT = 3;
const bitsOf = (bits: WavBits): number => (bits === '32f' ? 32 : bits);
const frameBytes = ({ channels, bits }: WavFormat): number => (channels * bitsOf(bits)) / 8;
/** The largest that a RIFF size field can say. */
const RIFF_LIMIT = 2 ** 32 - 1;
const PLAIN_HEADER = 44;
/** RIFF, ds64 (or as much room), fmt, data. */
const LONG_HEADER = 80;

/** Turns floats (1 = full scale) into a WAV file's bytes, piece by piece. */
export class WavEncoder {
  readonly format: WavFormat;
  readonly headerBytes: number;
  /** Of the dither's generator. */
  private random: number;

  constructor(format: WavFormat) {
    this.format = format;
    const bytes = format.frames === undefined ? Infinity : format.frames * frameBytes(format);
    this.headerBytes = PLAIN_HEADER + bytes > RIFF_LIMIT ? LONG_HEADER : PLAIN_HEADER;
    this.random = format.seed | 0 || 1;
  }

  /** What `frames` frames take. */
  dataBytes(frames: number): number {
    return frames * frameBytes(this.format);
  }

  /** The header of a file with `frames` frames. */
  header(frames: number): Buffer {
    const { channels, sampleRate, bits } = this.format;
    const header = Buffer.alloc(this.headerBytes);
    const dataBytes = this.dataBytes(frames);
    const riffBytes = this.headerBytes - 8 + dataBytes + (dataBytes % 2);
    const isLong = riffBytes > RIFF_LIMIT;
    const size = (bytes: number): number => (isLong ? RIFF_LIMIT : bytes);
    header.write(isLong ? 'RF64' : 'RIFF', 0, 'latin1');
    header.writeUInt32LE(size(riffBytes), 4);
    header.write('WAVE', 8, 'latin1');
    let at = 12;
    if (this.headerBytes === LONG_HEADER) {
      header.write(isLong ? 'ds64' : 'JUNK', at, 'latin1');
      header.writeUInt32LE(28, at + 4);
      if (isLong) [riffBytes, dataBytes, frames].forEach((count, i) => header.writeBigUInt64LE(BigInt(count), at + 8 + 8 * i));
      at += 36;
    }
    header.write('fmt ', at, 'latin1');
    header.writeUInt32LE(16, at + 4);
    header.writeUInt16LE(bits === '32f' ? FLOAT : PCM, at + 8);
    header.writeUInt16LE(channels, at + 10);
    header.writeUInt32LE(sampleRate, at + 12);
    header.writeUInt32LE(sampleRate * frameBytes(this.format), at + 16);
    header.writeUInt16LE(frameBytes(this.format), at + 20);
    header.writeUInt16LE(bitsOf(bits), at + 22);
    header.write('data', at + 24, 'latin1');
    header.writeUInt32LE(size(dataBytes), at + 28);
    return header;
  }

  /** What follows `frames` frames: chunks have an even number of bytes. */
  trailer(frames: number): Buffer {
    return Buffer.alloc(this.dataBytes(frames) % 2);
  }

  /** The bytes of interleaved samples that follow those encoded before. */
  encode(samples: Float32Array): Buffer {
    const { bits } = this.format;
    if (bits === '32f') return Buffer.from(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
    const bytes = bits / 8;
    const out = Buffer.alloc(samples.length * bytes);
    const scale = 2 ** (bits - 1);
    for (let i = 0; i < samples.length; i++) {
      // Triangular dither of ±1 step, which makes the rounding error a noise that does not depend on the signal.
      const dither = this.uniform() - this.uniform();
      const step = Math.floor(samples[i]! * scale + dither + 0.5);
      const clipped = step > scale - 1 ? scale - 1 : step < -scale ? -scale : step | 0;
      for (let byte = 0; byte < bytes; byte++) out[i * bytes + byte] = clipped >> (8 * byte);
    }
    return out;
  }

  /** Uniform in [0, 1): xorshift32 (Marsaglia 2003). */
  private uniform(): number {
    let state = this.random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.random = state;
    return (state >>> 0) / 2 ** 32;
  }
}

/** A whole WAV file from one array per channel (one or two), for short sounds: 16-bit without dither, or float. */
export function toWav(channels: readonly Float32Array[], sampleRate: number, bits: 16 | '32f'): Buffer {
  const buffer = { numberOfChannels: channels.length, sampleRate, getChannelData: (channel: number) => channels[channel]! };
  return Buffer.from(toWavFile(buffer, { float32: bits === '32f' }));
}
