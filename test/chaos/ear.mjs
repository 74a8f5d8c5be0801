// Hears what the engine computes: every frame, in order, by its number.
//
// It reads the output ring as a bystander, behind the engine's write index and past the device's read index: what a device would have
// heard in time does not matter here, nor whether the machine let the device thread run. The ring keeps what was written for
// 8192 frames (170 ms); who is kept from looking for longer than that has not heard some frames, and knows which. When it was late
// itself the machine has taken those from it; when it looked in time, the engine has.
import { CONTROL, OUTPUT_RING_W, RING, RING_FRAMES } from '#src/shared/layout.js';

/** Share of the time for which the ring keeps its frames: what is ready is computed faster than it is played. */
const LATE = 0.5;

export class Ear {
  /** Frames that have been computed; of those, not heard; of those, while the machine kept this from looking. */
  frames = 0;
  missed = 0;
  excused = 0;
  #words;
  #floats;
  #copy;
  #check;
  #clock;
  #before;

  /**
   * @param {WebAssembly.Memory} memory
   * @param {import('./tone.mjs').ToneCheck} check
   * @param {() => number} clock in milliseconds
   */
  constructor(memory, check, clock) {
    this.#words = new Int32Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    this.#copy = new Float32Array(RING_FRAMES * this.#words[CONTROL.CHANNELS]);
    this.#check = check;
    this.#clock = clock;
    this.#before = clock();
  }

  /** Takes in what is new. */
  look() {
    const [floats, copy, check] = [this.#floats, this.#copy, this.#check];
    const channels = this.#words[CONTROL.CHANNELS];
    // The block that is being written lies in front of the index.
    const readable = RING_FRAMES - this.#words[CONTROL.BLOCK_FRAMES];
    const start = this.#clock();
    const count = this.#new();
    for (let i = 0; i < count && count <= readable; i++) {
      const at = OUTPUT_RING_W + RING.DATA + ((this.frames + i) & (RING_FRAMES - 1)) * channels;
      for (let channel = 0; channel < channels; channel++) copy[i * channels + channel] = floats[at + channel];
    }
    // What was overwritten meanwhile has not been heard.
    if (this.#new() > readable) {
      const keptMs = (1000 * readable) / this.#words[CONTROL.SAMPLE_RATE];
      this.missed += count;
      if (this.#clock() - this.#before > LATE * keptMs) this.excused += count;
      check.skip();
    } else for (let i = 0; i < count; i++) check.hear(this.frames + i, copy[i * channels], copy[i * channels + 1]);
    this.frames += count;
    this.#before = start;
  }

  #new() {
    return (Atomics.load(this.#words, OUTPUT_RING_W + RING.WRITE) - this.frames) | 0;
  }
}
