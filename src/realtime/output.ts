// The main bus on its way to the output ring: mono buffers in volts become interleaved samples, 10 V = 1.
import { CONTROL, PLAN } from '../shared/layout.js';
import type { FrameRing } from '../shared/ring.js';

const PER_VOLT = 0.1;

/** Writes one block of the bus of `plan` (a word index; 0 = silence) to the ring, which has room for it. */
export function writeBus(words: Int32Array, ring: FrameRing, plan: number): void {
  const frames = words[CONTROL.BLOCK_FRAMES]!;
  const bus = words[plan + PLAN.BUS]! >> 2;
  const first = ring.written();
  const whole = ring.beforeEnd(first, frames);
  for (let channel = 0; channel < ring.channels; channel++) {
    const source = plan === 0 ? 0 : words[bus + channel]! >> 2;
    interleave(ring, ring.at(first) + channel, source, whole);
    interleave(ring, ring.at(first + whole) + channel, source === 0 ? 0 : source + whole, frames - whole);
  }
  ring.commit(frames);
}

/** One channel, from the mono buffer at index `from` of the arena's floats (0 = silence) to index `to` and on. */
function interleave({ floats, channels }: FrameRing, to: number, from: number, frames: number): void {
  for (let frame = 0; frame < frames; frame++) floats[to + frame * channels] = from === 0 ? 0 : floats[from + frame]! * PER_VOLT;
}
