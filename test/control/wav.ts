// Reads back the 32-bit float WAV files that tests render.
import { readFileSync } from 'node:fs';

/** Channels of a 32-bit float WAV file. */
export function readFloatWav(path: string): Float32Array[] {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 12;
  let channels = 0;
  while (at < bytes.length) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = view.getUint32(at + 4, true);
    if (id === 'fmt ') channels = view.getUint16(at + 10, true);
    if (id === 'data') {
      const frames = size / 4 / channels;
      return Array.from({ length: channels }, (_, channel) =>
        Float32Array.from({ length: frames }, (_, frame) => view.getFloat32(at + 8 + (frame * channels + channel) * 4, true)),
      );
    }
    at += 8 + size + (size & 1);
  }
  throw new Error(`${path}: no data chunk`);
}
