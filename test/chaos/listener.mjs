// The thread of the ear: looks all the time, and tells of what it hears and of its own lateness.
import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL } from '#src/shared/layout.js';
import { Ear } from './ear.mjs';
import { ToneCheck } from './tone.mjs';

const LOOK_MS = 5;
/** Milliseconds by which a look comes too late when the machine stands still. */
const STALL_MS = 20;

const { memory, stop } = workerData;
const check = new ToneCheck(new Int32Array(memory.buffer)[CONTROL.BLOCK_FRAMES]);
const ear = new Ear(memory, check, () => performance.now());
let told = 0;
let isReady = false;

function look() {
  ear.look();
  if (check.isReady && !isReady) parentPort.postMessage({ kind: 'ready', impurity: check.impurity, tone: check.tone });
  isReady = check.isReady;
  for (; told < check.gaps.length; told++) parentPort.postMessage({ kind: 'gap', gap: check.gaps[told] });
}

let last = performance.now();
while (Atomics.load(stop, 0) === 0) {
  look();
  Atomics.wait(stop, 0, 0, LOOK_MS);
  const now = performance.now();
  if (now - last > LOOK_MS + STALL_MS) parentPort.postMessage({ kind: 'stall', frame: ear.frames, ms: Math.round(now - last) });
  last = now;
}
look();
check.end();
look();
const { frames, missed, excused } = ear;
parentPort.postMessage({ kind: 'end', frames, missed, excused });
