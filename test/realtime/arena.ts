// A small arena for tests of the DSP loop: plans of one module type, "adders", made by hand.
//
// Sample n (from 0) of an adder is (n + 1 + value + the sum of its inputs) modulo 4096, so that a module run twice, not at
// all, or before its inputs shows in every sample downstream. `value` is its one parameter.
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';
import { encodeRunner } from '#src/kernel/wasm/runner.js';
import type { DspSummary, DspTask } from '#src/realtime/worker.js';
import { signal } from '#src/shared/gate.js';
import {
  COMMAND,
  COMMAND_SET,
  COMMANDS_CONTROL_W,
  CONTROL,
  HEAP,
  MAX_SLOTS,
  OUTPUT_RING_W,
  PARAM,
  PARTITION,
  PLAN,
  RING_FRAMES,
  RUN_STOP,
  SEGMENT,
  SLOT,
  SLOTS_W,
  STATE,
  STEP,
  WORKER,
  workerWord,
} from '#src/shared/layout.js';
import { CommandRing, FrameRing } from '#src/shared/ring.js';
import { newThreadPool } from '#src/threads/pool.js';

const WORKER_FILE = new URL(import.meta.resolve('#src/realtime/worker.js'));
const PAGES = 512;

/** An adder's state: mask, voice, one parameter, then these. Bytes from the state's address. */
const VALUE = STATE.HEADER_BYTES + 8;
const [STEP_AT, TARGET_AT, REMAINING_AT] = [VALUE + 4 * PARAM.STEP, VALUE + 4 * PARAM.TARGET, VALUE + 4 * PARAM.REMAINING];
const COUNTER = VALUE + 16;
const CALLS = COUNTER + 4;
const STATE_BYTES = 128;

/** `kernel(step, offset, frames)` of an adder. PORTS: output, number of inputs, then every other word an input. */
export function adderKernel(): Uint8Array<ArrayBuffer> {
  const [step, offset, frames, state, end, sum, i] = [0, 1, 2, 3, 4, 5, 6] as const;
  const code = new Bytes();
  const bump = (at: number, by: number): Bytes =>
    code.get(state).get(state).memory(OP.i32Load, at).int(by).op(OP.i32Add).memory(OP.i32Store, at);
  code
    .get(step)
    .memory(OP.i32Load, STEP.STATE * 4)
    .set(state);
  bump(CALLS, 1);
  code.get(offset).get(frames).op(OP.i32Add).set(end);
  code.block(OP.loop);
  bump(COUNTER, 1);
  code.get(state).memory(OP.i32Load, REMAINING_AT).block(OP.if);
  code.get(state).get(state).memory(OP.f32Load, VALUE).get(state).memory(OP.f32Load, STEP_AT).op(OP.f32Add).memory(OP.f32Store, VALUE);
  bump(REMAINING_AT, -1);
  code.get(state).memory(OP.i32Load, REMAINING_AT).op(OP.i32Eqz).block(OP.if);
  code.get(state).get(state).memory(OP.f32Load, TARGET_AT).memory(OP.f32Store, VALUE).end().end();
  code.get(state).memory(OP.i32Load, COUNTER).get(state).memory(OP.f32Load, VALUE).op(OP.i32TruncSatF32S).op(OP.i32Add).set(sum);
  code.int(0).set(i).block(OP.block).block(OP.loop);
  code
    .get(i)
    .get(step)
    .memory(OP.i32Load, (STEP.PORTS + 1) * 4)
    .op(OP.i32GeS)
    .branch(OP.brIf, 1);
  code
    .get(sum)
    .get(step)
    .get(i)
    .int(3)
    .op(OP.i32Shl)
    .op(OP.i32Add)
    .memory(OP.i32Load, (STEP.PORTS + 2) * 4);
  code.get(offset).int(2).op(OP.i32Shl).op(OP.i32Add).memory(OP.f32Load).op(OP.i32TruncSatF32S).op(OP.i32Add).set(sum);
  code.get(i).int(1).op(OP.i32Add).set(i).branch(OP.br, 0).end().end();
  code
    .get(step)
    .memory(OP.i32Load, STEP.PORTS * 4)
    .get(offset)
    .int(2)
    .op(OP.i32Shl)
    .op(OP.i32Add);
  code.get(sum).int(4095).op(OP.i32And).op(OP.f32ConvertI32S).memory(OP.f32Store);
  code.get(offset).int(1).op(OP.i32Add).tee(offset).get(end).op(OP.i32LtS).branch(OP.brIf, 0).end();
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [I32, I32, I32, I32], body: code }]);
}

/** A module in a test plan: the numbers of those it listens to, and the thread meant to run it. */
export interface Adder {
  readonly inputs: readonly number[];
  readonly worker?: number;
}

/** What sample `n` of each adder is, when none has a value. `order`: any order in which inputs come first. */
export function expected(adders: readonly Adder[], last: number, n: number): number {
  const known = new Map<number, number>();
  const sample = (i: number): number => {
    if (!known.has(i)) known.set(i, (n + 1 + adders[i]!.inputs.reduce((sum, input) => sum + sample(input), 0)) & 4095);
    return known.get(i)!;
  };
  return sample(last);
}

export class TestArena {
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  readonly buffer = this.memory.buffer as unknown as SharedArrayBuffer;
  readonly words = new Int32Array(this.buffer);
  readonly ring: FrameRing;
  readonly commands = new CommandRing(this.buffer, COMMANDS_CONTROL_W);
  readonly block: number;
  private heap = HEAP;
  private pool: Piscina<DspTask, DspSummary> | undefined;
  private readonly ports: MessagePort[] = [];
  private running: Promise<DspSummary>[] = [];

  constructor(config: { block?: number; depth?: number; spin?: number; channels?: number } = {}) {
    const { block = 64, depth = 4 * block, spin = 0, channels = 1 } = config;
    this.block = block;
    for (const [word, value] of [
      [CONTROL.SAMPLE_RATE, 48000],
      [CONTROL.BLOCK_FRAMES, block],
      [CONTROL.CHANNELS, channels],
      [CONTROL.RING_DEPTH, depth],
      [CONTROL.SPIN, spin],
    ] as const)
      this.words[word] = value;
    this.ring = new FrameRing(this.buffer, OUTPUT_RING_W, RING_FRAMES, channels);
  }

  get(word: number): number {
    return Atomics.load(this.words, word);
  }
  worker(index: number, field: number): number {
    return this.get(workerWord(index, field));
  }
  alloc(bytes: number): number {
    const at = this.heap;
    this.heap += Math.ceil(bytes / 128) * 128;
    if (this.heap > PAGES * 65536) throw new Error('test arena is full');
    return at;
  }

  /** A module's state, in slot `slot`. */
  newState(slot: number, generation = 1): number {
    const state = this.alloc(STATE_BYTES);
    const word = state >> 2;
    this.words[word + STATE.LANES] = 1;
    this.words[word + STATE.GROUPS] = 1;
    this.words[word + STATE.GROUP_BYTES] = STATE_BYTES - STATE.HEADER_BYTES;
    this.words[word + STATE.VOICES] = 1;
    this.words[word + STATE.PARAMS] = 1;
    this.words[SLOTS_W + slot * SLOT.WORDS + SLOT.GENERATION] = generation;
    this.words[SLOTS_W + slot * SLOT.WORDS + SLOT.STATE] = state;
    return state;
  }
  callsOf(state: number): number {
    return this.words[(state + CALLS) >> 2]!;
  }

  /**
   * A plan: one partition per adder, adder i in slot i. `order[k]` is the adder in partition k. The bus is what
   * adder `last` says. `kernel`, `lastKernel`: indices in the kernel table.
   */
  newPlan(
    adders: readonly Adder[],
    states: readonly number[],
    { order = adders.map((_, i) => i), last = adders.length - 1, workers = 1, kernel = 0, lastKernel = kernel, mode = 0 } = {},
  ): number {
    const { words } = this;
    const plan = this.alloc(PLAN.WORDS * 4) >> 2;
    const partitions = this.alloc(adders.length * PARTITION.WORDS * 4);
    const buffers = adders.map(() => this.alloc(this.block * 4));
    const place = new Map(order.map((adder, k) => [adder, k]));
    const slots = this.alloc(MAX_SLOTS * 4) >> 2;
    words.fill(-1, slots, slots + MAX_SLOTS);
    adders.forEach(({ inputs, worker = 0 }, i) => {
      words[slots + i] = place.get(i)!;
      const step = this.alloc((STEP.PORTS + 2 + 2 * inputs.length) * 4) >> 2;
      words[step + STEP.KERNEL] = i === last ? lastKernel : kernel;
      words[step + STEP.STATE] = states[i]!;
      words[step + STEP.PORTS] = buffers[i]!;
      words[step + STEP.PORTS + 1] = inputs.length;
      inputs.forEach((input, k) => (words[step + STEP.PORTS + 2 + 2 * k] = buffers[input]!));
      const steps = this.alloc(4);
      words[steps >> 2] = step << 2;
      const segment = this.alloc(SEGMENT.WORDS * 4);
      words.set([mode, steps, 1], segment >> 2);
      const followers = adders.flatMap((other, k) => other.inputs.filter((input) => input === i).map(() => place.get(k)!));
      const successors = this.alloc(followers.length * 4 + 4);
      words.set(followers, successors >> 2);
      const partition = (partitions >> 2) + place.get(i)! * PARTITION.WORDS;
      const before = inputs.map((input) => place.get(input)!);
      const after = this.alloc(before.length * 4 + 4);
      words.set(before, after >> 2);
      words[partition + PARTITION.AFTER] = after;
      words[partition + PARTITION.AFTER_COUNT] = before.length;
      const outputs = this.alloc(8);
      words.set([buffers[i]!, 1], outputs >> 2);
      words[partition + PARTITION.OUTPUTS] = outputs;
      words[partition + PARTITION.OUTPUT_COUNT] = 1;
      words[partition + PARTITION.SEGMENTS] = segment;
      words[partition + PARTITION.SEGMENT_COUNT] = 1;
      words[partition + PARTITION.SUCCESSORS] = successors;
      words[partition + PARTITION.SUCCESSOR_COUNT] = followers.length;
      words[partition + PARTITION.WORKER] = worker;
    });
    const bus = this.alloc(this.ring.channels * 4);
    words.fill(buffers[last]!, bus >> 2, (bus >> 2) + this.ring.channels);
    words[plan + PLAN.PARTITIONS] = partitions;
    words[plan + PLAN.PARTITION_COUNT] = adders.length;
    words[plan + PLAN.BUS] = bus;
    words[plan + PLAN.SLOT_PARTITION] = slots << 2;
    words[plan + PLAN.WORKERS] = workers;
    return plan << 2;
  }

  // ── threads ──

  /** Starts `workers` DSP threads and installs `kernels`. */
  async start(workers: number, kernels: readonly Uint8Array<ArrayBuffer>[] = [adderKernel()]): Promise<void> {
    this.pool = newThreadPool(WORKER_FILE, { minThreads: workers, maxThreads: workers, idleTimeout: 60_000 });
    const runner = await WebAssembly.compile(encodeRunner());
    for (let worker = 0; worker < workers; worker++) {
      const { port1, port2 } = new MessageChannel();
      this.ports.push(port1);
      const task: DspTask = { memory: this.memory, runner, worker, seat: worker + 1, realtime: false, port: port2 };
      this.running.push(this.pool.run(task, { transferList: [port2] }));
    }
    for (const [index, bytes] of kernels.entries()) this.postKernel(index, await WebAssembly.compile(bytes));
    await this.until(() => this.running.every((_, worker) => this.worker(worker, WORKER.KERNELS) === kernels.length));
  }
  postKernel(index: number, module: WebAssembly.Module): void {
    for (const port of this.ports) port.postMessage({ index, module });
    Atomics.add(this.words, CONTROL.KERNELS_POSTED, 1);
    this.wake();
  }
  wake(): void {
    signal(this.words, CONTROL.TICK);
    signal(this.words, CONTROL.BLOCK_GATE);
  }
  setRun(state: number): void {
    Atomics.store(this.words, CONTROL.RUN, state);
    this.wake();
  }
  async publish(plan: number): Promise<void> {
    Atomics.store(this.words, CONTROL.NEXT_PLAN, plan);
    this.wake();
    await this.until(() => this.get(CONTROL.PLAN) === plan);
  }
  async stop(): Promise<DspSummary[]> {
    this.setRun(RUN_STOP);
    const summaries = await Promise.all(this.running);
    await this.pool?.destroy();
    for (const port of this.ports) port.close();
    return summaries;
  }

  // ── playing ──

  /** Waits for a condition; the test's own time limit ends it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(1);
  }
  /** Takes `frames` frames as the audio host would, as fast as they come: numbers of the first channel, in volts. */
  async play(frames: number): Promise<number[]> {
    const played: number[] = [];
    const { channels } = this.ring;
    const chunk = new Float32Array(this.block * channels);
    while (played.length < frames) {
      const got = this.ring.read(chunk, 0, Math.min(this.block, frames - played.length));
      for (let frame = 0; frame < got; frame++) played.push(Math.round(chunk[frame * channels]! * 10));
      signal(this.words, CONTROL.TICK);
      if (got === 0) await sleep(0);
    }
    return played;
  }
  /** Sends a parameter change, or an event of another kind, to the module in `slot`; at no frame: now. */
  send(
    slot: number,
    value: number,
    { frame = -1, ramp = 0, generation = 1, voice = -1, param = 0, kind = COMMAND_SET as number, ring = this.commands } = {},
  ): boolean {
    const command = new Int32Array(COMMAND.WORDS);
    command[COMMAND.KIND] = kind;
    command[COMMAND.SLOT] = slot | (generation << 16);
    command[COMMAND.PARAM] = param;
    command[COMMAND.VOICE] = voice;
    new Float32Array(command.buffer)[COMMAND.VALUE] = value;
    command[COMMAND.FRAME_LO] = frame;
    command[COMMAND.FRAME_HI] = frame < 0 ? -1 : Math.floor(frame / 2 ** 32);
    command[COMMAND.RAMP] = ramp;
    return ring.push(command);
  }
}
