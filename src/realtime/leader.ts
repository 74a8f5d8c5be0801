// DSP thread 0: decides when a block begins, hands out its work and delivers it.
import {
  COMMANDS_CONTROL_W,
  COMMANDS_OSC_W,
  COMMANDS_SCRIPT_W,
  CONTROL,
  INPUT_RING_CHANNELS,
  INPUT_RING_W,
  OUTPUT_RING_W,
  PLAN,
  RING_FRAMES,
  RUN_PLAYING,
  RUN_STOP,
  STAGE_DEALT,
  STAGE_DONE,
  STAGE_FREE,
  STAGE_OPEN,
  WORKER,
} from '../shared/layout.js';
import { setAdvanced } from '../shared/frame.js';
import { waitGate } from '../shared/gate.js';
import { takeNextPlan } from '../shared/plans.js';
import { CommandRing, FrameRing } from '../shared/ring.js';
import { hasAbandoned } from './abandon.js';
import { takePart } from './block.js';
import { dealEvents } from './events.js';
import { takeInput } from './input.js';
import { installKernels } from './kernels.js';
import { writeBus } from './output.js';
import { openPartitions, preparePartitions } from './partitions.js';
import { CONTROL_PLACES, forgetDealt, gather, takeCommands } from './pending.js';
import { scriptsHaveSpoken, wakeScripts } from './scripts.js';
import { mayRetire } from './spare.js';
import type { DspThread } from './thread.js';

/** Milliseconds after which a leader without room looks around by itself. */
const WAIT_MS = 100;

export class Leader {
  private readonly thread: DspThread;
  private readonly ring: FrameRing;
  private readonly input: FrameRing;
  private readonly fromControl: CommandRing;
  private readonly fromOsc: CommandRing;
  private readonly fromScript: CommandRing;

  // setup
  constructor(thread: DspThread) {
    const { buffer } = thread.memory;
    this.thread = thread;
    this.ring = new FrameRing(buffer as SharedArrayBuffer, OUTPUT_RING_W, RING_FRAMES, thread.words[CONTROL.CHANNELS]!);
    this.input = new FrameRing(buffer as SharedArrayBuffer, INPUT_RING_W, RING_FRAMES, INPUT_RING_CHANNELS);
    this.fromControl = new CommandRing(buffer as SharedArrayBuffer, COMMANDS_CONTROL_W);
    this.fromOsc = new CommandRing(buffer as SharedArrayBuffer, COMMANDS_OSC_W);
    this.fromScript = new CommandRing(buffer as SharedArrayBuffer, COMMANDS_SCRIPT_W);
    gather(thread.words, [this.fromControl, this.fromOsc, this.fromScript]);
  }

  /** Until RUN_STOP, or until it retires. */
  lead(): void {
    const { thread, ring } = this;
    const { words } = thread;
    for (;;) {
      const seen = Atomics.load(words, CONTROL.TICK);
      const state = Atomics.load(words, CONTROL.RUN);
      if (state === RUN_STOP) return;
      thread.count(WORKER.HEARTBEAT, 1);
      if (thread.lacksKernels()) installKernels(thread);
      const isBetween = words[CONTROL.STAGE] === STAGE_FREE;
      if (isBetween && mayRetire(thread)) return;
      if (isBetween && Atomics.load(words, CONTROL.NEXT_PLAN) !== words[CONTROL.PLAN]!) this.adopt();
      const wanted = words[CONTROL.RING_DEPTH]! + Atomics.load(words, CONTROL.HOST_NEEDS);
      const filled = ring.fill() + words[CONTROL.BLOCK_FRAMES]!;
      const hasRoom = state === RUN_PLAYING && filled <= wanted && filled <= RING_FRAMES;
      if (!isBetween || (hasRoom && scriptsHaveSpoken(words))) {
        this.block();
      } else {
        Atomics.add(words, CONTROL.LEADER_SLEEPS, 1);
        // Who makes room offline, the host, may need this core for it.
        waitGate(words, CONTROL.TICK, seen, words[CONTROL.LIVE]! * words[CONTROL.SPIN]!, WAIT_MS);
      }
    }
  }

  /** Makes the next plan the one that plays. Between blocks, so nobody runs the old one; but for a thread that is late, for which the next plan waits. */
  private adopt(): void {
    const { words } = this.thread;
    if (hasAbandoned(words, words[CONTROL.PLAN]! >> 2)) return;
    Atomics.store(words, CONTROL.PLAN, takeNextPlan(words));
    Atomics.add(words, CONTROL.ADOPTED, 1);
    Atomics.notify(words, CONTROL.ADOPTED);
  }

  /** Computes one block and puts it into the output ring, from the stage on at which the leader before may have left it. */
  private block(): void {
    const { words, floats } = this.thread;
    const plan = words[CONTROL.PLAN]! >> 2;
    const frames = words[CONTROL.BLOCK_FRAMES]!;
    if (words[CONTROL.STAGE] === STAGE_FREE) {
      takeCommands(words, this.fromControl, 0);
      takeCommands(words, this.fromOsc, CONTROL_PLACES);
      takeCommands(words, this.fromScript, CONTROL_PLACES);
      takeInput(words, floats, this.input);
      if (plan !== 0) preparePartitions(words, plan);
      const taken = dealEvents(words, floats, plan, frames);
      words[CONTROL.STAGE_WRITTEN] = this.ring.written();
      words[CONTROL.STAGE_FRAME] = words[CONTROL.FRAME_LO]!;
      words[CONTROL.STAGE_FRAME_HI] = words[CONTROL.FRAME_HI]!;
      Atomics.store(words, CONTROL.STAGE, STAGE_DEALT);
      forgetDealt(words, taken);
    }
    if (words[CONTROL.STAGE] === STAGE_DEALT) openPartitions(this.thread, plan);
    if (words[CONTROL.STAGE] === STAGE_OPEN) {
      if (plan !== 0 && !this.play(plan)) return;
      Atomics.store(words, CONTROL.STAGE, STAGE_DONE);
    }
    this.deliver(plan, frames);
  }

  /** Runs the plan for a block, with the other threads if it has work for them. @returns false when stopped half-way. */
  private play(plan: number): boolean {
    const { thread } = this;
    const { words } = thread;
    const ticket = words[CONTROL.STAGE_TICKET]!;
    // Publishes what the block's partitions hold: whoever has this ticket has read it here.
    Atomics.store(words, CONTROL.BLOCK_TICKET, ticket);
    const workers = words[plan + PLAN.WORKERS]!;
    if (workers > 1) {
      Atomics.add(words, CONTROL.BLOCK_GATE, 1);
      Atomics.notify(words, CONTROL.BLOCK_GATE, workers - 1);
    }
    return takePart(thread, plan, ticket, true);
  }

  /** The block goes to the ring, once, and time goes on, to where it must be, whoever began with that. */
  private deliver(plan: number, frames: number): void {
    const { words } = this.thread;
    if (this.ring.written() === words[CONTROL.STAGE_WRITTEN]) writeBus(words, this.ring, plan);
    setAdvanced(words, CONTROL.FRAME_LO, words[CONTROL.STAGE_FRAME]!, words[CONTROL.STAGE_FRAME_HI]!, frames);
    Atomics.store(words, CONTROL.STAGE, STAGE_FREE);
    Atomics.add(words, CONTROL.BLOCKS, 1);
    wakeScripts(words);
    const wanted = Atomics.load(words, CONTROL.HOST_WANTS);
    // Once for each wish: to notify costs more than a small block.
    if (wanted > 0 && this.ring.fill() >= wanted && Atomics.compareExchange(words, CONTROL.HOST_WANTS, wanted, 0) === wanted)
      Atomics.notify(words, CONTROL.BLOCKS);
  }
}
