// WAV: bytes of headers and samples. 16 and 24 bits with dither, 32-bit float as it is; RF64 beyond 4 GiB.
// RIFF/WAVE: Microsoft, "Multimedia Data Standards Update", 1994, and "Multiple Channel Audio Data and WAVE Files", 2001; RF64: EBU Tech 3306 (2009).
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
/** Stands for those two where more is to be said than the plain format can; there they are followed by SUBFORMAT. */
const EXTENSIBLE = 0xfffe;
const SUBFORMAT = Buffer.from('000000001000800000aa00389b71', 'hex');
/** For one channel the centre, for two left and right; more have no places. */
const SPEAKERS = [0, 4, 3];
const bitsOf = (bits: WavBits): number => (bits === '32f' ? 32 : bits);
const frameBytes = ({ channels, bits }: WavFormat): number => (channels * bitsOf(bits)) / 8;
/** The largest that a RIFF size field can say. */
const RIFF_LIMIT = 2 ** 32 - 1;
/** Of a chunk: its name and size. */
const HEAD_BYTES = 8;
const RIFF_BYTES = HEAD_BYTES + 4;
const DS64_BYTES = 28;
const FACT_BYTES = 4;

const text = (name: string): Buffer => Buffer.from(name, 'latin1');
/** Whole numbers of so many bytes each. */
function numbers(bytes: number, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  values.forEach((value, i) => buffer.writeUIntLE(value, bytes * i, bytes));
  return buffer;
}
const head = (name: string, bytes: number): Buffer => Buffer.concat([text(name), numbers(4, bytes)]);
const chunk = (name: string, body: Buffer): Buffer => Buffer.concat([head(name, body.length), body]);

/** Plain for 16 bits; what is not PCM has an extension, if an empty one; more than 16 bits or two channels are told in it. */
function formatChunk(format: WavFormat): Buffer {
  const { channels, sampleRate, bits } = format;
  const kind = bits === '32f' ? FLOAT : PCM;
  const isExtensible = channels > 2 || bits === 24;
  const plain = Buffer.concat([
    numbers(2, isExtensible ? EXTENSIBLE : kind, channels),
    numbers(4, sampleRate, sampleRate * frameBytes(format)),
    numbers(2, frameBytes(format), bitsOf(bits)),
  ]);
  if (!isExtensible && kind === PCM) return chunk('fmt ', plain);
  const extension = isExtensible ? [numbers(2, bitsOf(bits)), numbers(4, SPEAKERS[channels] ?? 0), numbers(2, kind), SUBFORMAT] : [];
  const bytes = Buffer.concat(extension);
  return chunk('fmt ', Buffer.concat([plain, numbers(2, bytes.length), bytes]));
}

/** Turns floats (1 = full scale) into a WAV file's bytes, piece by piece. */
export class WavEncoder {
  readonly format: WavFormat;
  readonly headerBytes: number;
  private readonly formatChunk: Buffer;
  /** Whether there is room for the sizes of a long file. */
  private readonly hasRoom: boolean;
  /** Of the dither's generator. */
  private random: number;

  constructor(format: WavFormat) {
    this.format = format;
    this.formatChunk = formatChunk(format);
    const fact = format.bits === '32f' ? HEAD_BYTES + FACT_BYTES : 0;
    const short = RIFF_BYTES + this.formatChunk.length + fact + HEAD_BYTES;
    this.hasRoom = format.frames === undefined || short + this.dataBytes(format.frames) > RIFF_LIMIT;
    this.headerBytes = short + (this.hasRoom ? HEAD_BYTES + DS64_BYTES : 0);
    this.random = format.seed | 0 || 1;
  }

  /** What `frames` frames take. */
  dataBytes(frames: number): number {
    return frames * frameBytes(this.format);
  }

  /** The header of a file with `frames` frames. */
  header(frames: number): Buffer {
    const dataBytes = this.dataBytes(frames);
    const riffBytes = this.headerBytes - HEAD_BYTES + dataBytes + (dataBytes % 2);
    const isLong = riffBytes > RIFF_LIMIT;
    const size = (count: number): number => (isLong ? RIFF_LIMIT : count);
    const sizes = Buffer.alloc(DS64_BYTES);
    if (isLong) [riffBytes, dataBytes, frames].forEach((count, i) => sizes.writeBigUInt64LE(BigInt(count), 8 * i));
    return Buffer.concat([
      head(isLong ? 'RF64' : 'RIFF', size(riffBytes)),
      text('WAVE'),
      ...(this.hasRoom ? [chunk(isLong ? 'ds64' : 'JUNK', sizes)] : []),
      this.formatChunk,
      ...(this.format.bits === '32f' ? [chunk('fact', numbers(FACT_BYTES, size(frames)))] : []),
      head('data', size(dataBytes)),
    ]);
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
  const frames = channels[0]!.length;
  const buffer = { numberOfChannels: channels.length, sampleRate, getChannelData: (channel: number) => channels[channel]! };
  const file = Buffer.from(toWavFile(buffer, { float32: bits === '32f' }));
  if (bits === 16) return file;
  // Its header is one of PCM; ours says what floats need.
  const encoder = new WavEncoder({ channels: channels.length, sampleRate, bits, seed: 1, frames });
  const samples = file.subarray(file.length - encoder.dataBytes(frames));
  return Buffer.concat([encoder.header(frames), samples]);
}
