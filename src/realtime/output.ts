// The main bus on its way to the output ring: mono buffers in volts become interleaved samples, 10 V = 1.
import { CONTROL, PLAN } from '../shared/layout.js';
import type { FrameRing } from '../shared/ring.js';

const PER_VOLT = 0.1;

/** Writes one block of the bus of `plan` (a word index; 0 = silence) to the ring, which has room for it. */
export function writeBus(words: Int32Array, ring: FrameRing, plan: number): void {
  const { floats, channels } = ring;
  const frames = words[CONTROL.BLOCK_FRAMES]!;
  const bus = words[plan + PLAN.BUS]! >> 2;
  const first = ring.written();
  for (let channel = 0; channel < channels; channel++) {
    const source = plan === 0 ? 0 : words[bus + channel]! >> 2;
    for (let frame = 0; frame < frames; frame++)
      floats[ring.at(first + frame) + channel] = source === 0 ? 0 : floats[source + frame]! * PER_VOLT;
  }
  ring.commit(frames);
}
