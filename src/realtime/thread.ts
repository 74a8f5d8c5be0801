// One DSP thread: its views of the arena, the kernels it can call, and what it tells the others about itself.
import type { MessagePort } from 'node:worker_threads';
import { CONTROL, FLIGHT, flightAt, MAX_WORKERS, WORKER, workerWord } from '../shared/layout.js';
import { openClock, type Clock } from './clock.js';
import { Costs } from './cost.js';
import { mend } from './mend.js';
import { Search } from './search.js';
import { Spin } from './spin.js';

/** `run` of the step runner (src/kernel/wasm/runner.ts): `count` segments from `segment` on. */
export type Run = (segment: number, count: number, offset: number, frames: number, worker: number, first: number, frame: number) => void;

/** Seconds in which the sound of a module that failed falls by 60 dB. */
const FADE_S = 0.005;

/** Kernels the table holds at first. It grows when more come, which is the one time a thread allocates while playing. */
const FIRST_KERNELS = 1024;

/** Who a thread is, whatever place it has: what goes into the words of these names. */
export interface Identity {
  readonly seat: number;
  readonly thread: number;
  readonly systemId: number;
  readonly scheduling: number;
  readonly flushes: number;
}

export class DspThread {
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** This thread's place; 0 leads. */
  index = 0;
  /** Word index of its WORKER record. */
  base = 0;
  private readonly identity: Identity;
  readonly run: Run;
  readonly table: WebAssembly.Table;
  readonly port: MessagePort;
  readonly search = new Search();
  /** For a block to begin, and in it for what others run. */
  readonly blockSpin: Spin;
  readonly partitionSpin: Spin;
  readonly costs: Costs;
  /** What a fade-out multiplies with, per frame. */
  readonly fade: number;
  /** Kernel messages installed so far. */
  kernels = 0;
  /** Partitions that the leader is about to give up: of each thread one at the most. */
  readonly overdue = new Int32Array(MAX_WORKERS);
  /** Where `mend` found a sample that is no number. */
  badSample = 0;
  private readonly clock: Clock;
  /** When the block began, and when the latest pause in it ended. */
  private blockStart = 0;
  private workStart = 0;
  private pausedAt = 0;
  private blockFrame = 0;
  private busyNs = 0;

  // setup
  constructor(memory: WebAssembly.Memory, runner: WebAssembly.Module, index: number, port: MessagePort, identity: Identity) {
    this.memory = memory;
    this.words = new Int32Array(memory.buffer);
    this.floats = new Float32Array(memory.buffer);
    this.identity = identity;
    this.become(index);
    this.port = port;
    this.clock = openClock();
    this.blockSpin = new Spin(this.words[CONTROL.SPIN]!);
    this.partitionSpin = new Spin(this.words[CONTROL.SPIN]!);
    this.table = new WebAssembly.Table({ initial: FIRST_KERNELS, element: 'anyfunc' });
    this.fade = 0.001 ** (1 / (FADE_S * this.words[CONTROL.SAMPLE_RATE]!));
    const costs = new Costs(this);
    this.costs = costs;
    const imports = {
      memory,
      table: this.table,
      mend: (step: number, offset: number, frames: number) => mend(this, step, offset, frames),
      time: (step: number, frames: number, phase: number) => costs.time(step, frames, phase),
    };
    this.run = new WebAssembly.Instance(runner, { krell: imports }).exports['run'] as Run;
  }

  /** The number under which control knows this thread. */
  get seat(): number {
    return this.identity.seat;
  }

  /** Whether control has posted kernels that this thread has not installed. One load, so that looking is free. */
  lacksKernels(): boolean {
    return Atomics.load(this.words, CONTROL.KERNELS_POSTED) !== this.kernels;
  }

  /** Takes a place and says in its record who has it. */
  become(index: number): void {
    const { words, identity } = this;
    this.index = index;
    this.base = workerWord(index, 0);
    words[this.base + WORKER.THREAD] = identity.thread;
    words[this.base + WORKER.SYSTEM_ID] = identity.systemId;
    words[this.base + WORKER.SCHEDULING] = identity.scheduling;
    words[this.base + WORKER.FLUSHES] = identity.flushes;
    Atomics.store(words, this.base + WORKER.SEAT, identity.seat);
    Atomics.store(words, this.base + WORKER.KERNELS, this.kernels);
  }

  /** Adds to a count of this thread's WORKER record. */
  count(field: number, amount: number): void {
    const word = this.base + field;
    Atomics.store(this.words, word, (this.words[word]! + amount) | 0);
  }

  // ── load ──

  /** A block begins. */
  startBlock(): void {
    this.blockStart = this.workStart = this.clock();
    this.blockFrame = this.words[CONTROL.FRAME_LO]!;
    this.busyNs = 0;
  }

  /** Nanoseconds since it began. */
  blockNs(): number {
    return (this.clock() - this.blockStart) | 0;
  }

  /** Nothing to do until another thread has done something: the time until `resume` is not spent on partitions. */
  pause(): void {
    this.pausedAt = this.clock();
    const ns = (this.pausedAt - this.workStart) | 0;
    this.busyNs += ns;
    this.count(WORKER.BUSY_NS, ns);
  }
  resume(): void {
    this.workStart = this.clock();
  }

  /** A block has ended: with the work (`isWorking`), or in a pause. */
  endBlock(isWorking: boolean): void {
    if (isWorking) this.pause();
    const ns = isWorking ? (this.pausedAt - this.blockStart) | 0 : this.blockNs();
    const longest = this.base + WORKER.MAX_BLOCK_NS;
    if (ns > this.words[longest]!) Atomics.store(this.words, longest, ns);
    this.costs.endBlock(ns);
    const flight = flightAt(this.index, this.words[this.base + WORKER.BLOCKS]!);
    this.words[flight + FLIGHT.FRAME] = this.blockFrame;
    this.words[flight + FLIGHT.START_NS] = this.blockStart;
    this.words[flight + FLIGHT.WALL_NS] = ns;
    this.words[flight + FLIGHT.BUSY_NS] = this.busyNs;
    this.count(WORKER.BLOCKS, 1);
  }
}
