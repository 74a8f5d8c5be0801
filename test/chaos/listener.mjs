// A thread that hears what the engine computes: every frame, in order, by its number.
//
// It reads the output ring as a bystander, behind the engine's write index and past the device's read index: what a device would have
// heard in time does not matter here, nor whether the machine let the device thread run. The ring keeps what was written for
// 8192 frames (170 ms); whoever is kept from looking for longer than that has not heard some frames, knows which, and says so.
import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL, OUTPUT_RING_W, RING, RING_FRAMES } from '#src/shared/layout.js';
import { ToneCheck } from './tone.mjs';

const LOOK_MS = 5;
/** Milliseconds by which a look comes too late when the machine stands still. */
const STALL_MS = 20;

const { memory, stop } = workerData;
const words = new Int32Array(memory.buffer);
const floats = new Float32Array(memory.buffer);
const channels = words[CONTROL.CHANNELS];
/** The block that is being written lies in front of the index. */
const readable = RING_FRAMES - words[CONTROL.BLOCK_FRAMES];
const copy = new Float32Array(RING_FRAMES * channels);
const written = () => Atomics.load(words, OUTPUT_RING_W + RING.WRITE);
const check = new ToneCheck(words[CONTROL.BLOCK_FRAMES]);
let frame = 0;
let missed = 0;
let told = 0;
let isReady = false;

/** Takes in what is new. */
function look() {
  const count = (written() - frame) | 0;
  for (let i = 0; i < count && count <= readable; i++) {
    const at = OUTPUT_RING_W + RING.DATA + ((frame + i) & (RING_FRAMES - 1)) * channels;
    for (let channel = 0; channel < channels; channel++) copy[i * channels + channel] = floats[at + channel];
  }
  // What was overwritten meanwhile has not been heard.
  if (((written() - frame) | 0) > readable) {
    missed += count;
    check.skip();
  } else for (let i = 0; i < count; i++) check.hear(frame + i, copy[i * channels], copy[i * channels + 1]);
  frame += count;
  if (check.isReady && !isReady) parentPort.postMessage({ kind: 'ready', impurity: check.impurity, tone: check.tone });
  isReady = check.isReady;
  for (; told < check.gaps.length; told++) parentPort.postMessage({ kind: 'gap', gap: check.gaps[told] });
}

let last = performance.now();
while (Atomics.load(stop, 0) === 0) {
  look();
  Atomics.wait(stop, 0, 0, LOOK_MS);
  const now = performance.now();
  if (now - last > LOOK_MS + STALL_MS) parentPort.postMessage({ kind: 'stall', frame, ms: Math.round(now - last) });
  last = now;
}
look();
check.end();
look();
parentPort.postMessage({ kind: 'end', frames: frame, missed });
