// What the device brings, on its way to `in` modules: interleaved samples become a block of volts in their tables, 1 = 10 V.
import { CONTROL, INPUT, INPUT_FRAMES } from '../shared/layout.js';
import type { FrameRing } from '../shared/ring.js';

const FULL_V = 10;

/** Takes the input of the block to come, as much of it as there is, then silence. The leader, before the block. */
export function takeInput(words: Int32Array, floats: Float32Array, ring: FrameRing): void {
  if (Atomics.load(words, CONTROL.INPUT_CHANNELS) === 0) return;
  const frames = words[CONTROL.BLOCK_FRAMES]!;
  // After an underrun of the output more comes than goes: it must not become latency.
  const most = 2 * (words[CONTROL.PERIOD_FRAMES]! + frames);
  const fill = ring.fill();
  if (fill > most) ring.release(fill - (most >> 1));
  const available = ring.fill();
  const got = available < frames ? available : frames;
  if (got < frames && ring.written() !== 0) Atomics.add(words, CONTROL.INPUT_UNDERRUNS, 1);
  const table = Atomics.load(words, CONTROL.INPUT_TABLE);
  if (table !== 0) {
    const start = words[CONTROL.FRAME_LO]! & (INPUT_FRAMES - 1);
    for (let channel = 0; channel < ring.channels; channel++)
      fillSide(floats, table + channel * INPUT_FRAMES, start, ring, channel, got, frames);
    floats[table + INPUT.BLOCK_START] = start;
    floats[table + INPUT.BLOCK_FRAMES] = frames;
  }
  ring.release(got);
}

function fillSide(floats: Float32Array, side: number, start: number, ring: FrameRing, channel: number, got: number, frames: number): void {
  const first = ring.first();
  for (let frame = 0; frame < frames; frame++) {
    const to = side + ((start + frame) & (INPUT_FRAMES - 1));
    floats[to] = frame < got ? ring.floats[ring.at(first + frame) + channel]! * FULL_V : 0;
  }
}
