// One DSP thread: its views of the arena, the kernels it can call, and what it tells the others about itself.
import { performance } from 'node:perf_hooks';
import type { MessagePort } from 'node:worker_threads';
import { CONTROL, WORKER, workerWord } from '../shared/layout.js';

/** `run` of the step runner: all `count` segments at `segments` for `frames` frames from `offset` on. */
export type Run = (segments: number, count: number, offset: number, frames: number, stepWord: number) => void;

/** Kernels the table holds at first. It grows when more come, which is the one time a thread allocates while playing. */
const FIRST_KERNELS = 1024;

export class DspThread {
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** This thread's number; 0 leads. */
  readonly index: number;
  /** Word index of this thread's WORKER record. */
  readonly base: number;
  readonly run: Run;
  readonly table: WebAssembly.Table;
  readonly port: MessagePort;
  /** Milliseconds, see `startClock`. In an array, for a float in an object's field lives on the heap. */
  private readonly clock = new Float64Array(2);

  // setup
  constructor(memory: WebAssembly.Memory, runner: WebAssembly.Module, index: number, port: MessagePort) {
    this.memory = memory;
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    this.index = index;
    this.base = workerWord(index, 0);
    this.port = port;
    this.table = new WebAssembly.Table({ initial: FIRST_KERNELS, element: 'anyfunc' });
    this.run = new WebAssembly.Instance(runner, { krell: { memory, table: this.table } }).exports['run'] as Run;
  }

  /** Whether control has posted kernels that this thread has not installed. One load, so that looking is free. */
  lacksKernels(): boolean {
    return Atomics.load(this.words, CONTROL.KERNELS_POSTED) !== this.words[this.base + WORKER.KERNELS]!;
  }

  /** Adds to a count of this thread's WORKER record. */
  count(field: number, amount: number): void {
    const word = this.base + field;
    Atomics.store(this.words, word, (this.words[word]! + amount) | 0);
  }

  // ── load ──

  /** A block begins. */
  startBlock(): void {
    this.clock[0] = performance.now();
    this.clock[1] = this.clock[0]!;
  }

  /** Work begins after a pause: the time since the last lap was not spent on partitions. */
  resumeClock(): void {
    this.clock[1] = performance.now();
  }

  /** A piece of work has ended: the time since the last lap goes to BUSY_NS. */
  lap(): void {
    const now = performance.now();
    this.count(WORKER.BUSY_NS, ((now - this.clock[1]!) * 1e6) | 0);
    this.clock[1] = now;
  }

  /** A block has ended. */
  endBlock(): void {
    const ns = ((performance.now() - this.clock[0]!) * 1e6) | 0;
    const longest = this.base + WORKER.MAX_BLOCK_NS;
    if (ns > this.words[longest]!) Atomics.store(this.words, longest, ns);
    this.count(WORKER.BLOCKS, 1);
  }
}
