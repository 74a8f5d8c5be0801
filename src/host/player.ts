// Between the output ring and a device: takes a period at a time, whatever the ring holds.
//
// Silent until the engine plays and the first period is there. From then on every call delivers a whole period, in time:
// what the ring lacks is made up by the latest sound, backwards and fading out (it continues where the sound broke off),
// then silence, and one underrun is counted. What comes after a gap fades in. The device never waits for the engine, so a
// gap is over when it is over: it does not become latency.
//
// A device that is taken up in the middle of the sound hears it fade in; a recording goes on as if nothing had been.
import { openClock } from '../realtime/clock.js';
import { advanceFrame } from '../shared/frame.js';
import { signal } from '../shared/gate.js';
import {
  CONTROL,
  INPUT_RING_CHANNELS,
  INPUT_RING_W,
  OUTPUT_RING_W,
  PERIOD,
  periodAt,
  RING_FRAMES,
  RUN_PLAYING,
  RUN_STOP,
  TAP_FRAMES,
  TAP_RING_W,
} from '../shared/layout.js';
import { FrameRing } from '../shared/ring.js';
import { writeStamp } from '../shared/stamp.js';
import { WallClock } from './time.js';

/** Milliseconds after which `take` looks around by itself. */
const WAIT_MS = 100;
/** Share of a period that its sound may take to come, when none is kept ready. */
const PATIENCE = 0.75;

export class Player {
  readonly words: Int32Array;
  readonly sampleRate: number;
  readonly channels: number;
  readonly periodFrames: number;
  readonly periodNs: number;
  private readonly floats: Float32Array;
  private readonly ring: FrameRing;
  private readonly tap: FrameRing;
  private readonly input: FrameRing;
  private readonly wall = new WallClock();
  private readonly clock = openClock();
  /** Milliseconds of a period that may pass in waiting for its sound; whole ones, which leave nothing on the heap. */
  private readonly patienceMs: number;
  /** The period delivered last. */
  private readonly previous: Float32Array;
  /** Whether the engine has delivered since it began to play. */
  private flowing = false;
  /** Whether the latest period ended in silence for want of sound. */
  private broken = false;
  /** Whether the device is yet to hear its first sound, of one that is under way. */
  private arriving: boolean;
  private readonly turn: number;

  /** `turn`: the host thread's; `arriving`: it goes on with sound that is under way. */
  constructor(memory: WebAssembly.Memory, periodFrames: number, turn = 0, arriving = false) {
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    this.sampleRate = this.words[CONTROL.SAMPLE_RATE]!;
    this.channels = this.words[CONTROL.CHANNELS]!;
    this.turn = turn;
    this.arriving = arriving;
    this.periodFrames = periodFrames;
    this.periodNs = Math.floor((1e9 * periodFrames) / this.sampleRate);
    this.patienceMs = Math.max(1, Math.floor((PATIENCE * this.periodNs) / 1e6));
    this.ring = new FrameRing(buffer, OUTPUT_RING_W, RING_FRAMES, this.channels);
    this.tap = new FrameRing(buffer, TAP_RING_W, TAP_FRAMES, this.channels);
    this.input = new FrameRing(buffer, INPUT_RING_W, RING_FRAMES, INPUT_RING_CHANNELS);
    this.previous = new Float32Array(periodFrames * this.channels);
    Atomics.store(this.words, CONTROL.PERIOD_FRAMES, periodFrames);
  }

  /** Whether the host is to leave: the engine has stopped, or another host takes over. */
  stopped(): boolean {
    return Atomics.load(this.words, CONTROL.RUN) === RUN_STOP || Atomics.load(this.words, CONTROL.HOST_TURN) !== this.turn;
  }

  /** The driver was itself too late for its device. */
  stalled(): void {
    Atomics.add(this.words, CONTROL.STALLS, 1);
  }

  /** Before `fill`: takes in `frames` frames of INPUT_RING_CHANNELS interleaved channels. */
  hear(samples: Float32Array, frames: number): void {
    Atomics.store(this.words, CONTROL.INPUT_CHANNELS, INPUT_RING_CHANNELS);
    if (this.flowing) this.input.write(samples, 0, frames);
  }

  /** Fills `period` (periodFrames interleaved frames): the next piece of sound, if need be a piece of its end, or silence. */
  fill(period: Float32Array): void {
    const { words, periodFrames, channels, wall } = this;
    wall.read();
    writeStamp(words, wall.seconds, wall.nanoseconds, CONTROL.TAKEN_LO);
    this.logPeriod();
    const depth = words[CONTROL.RING_DEPTH]!;
    const ahead = depth >= periodFrames;
    if (ahead) Atomics.store(words, CONTROL.HOST_NEEDS, 0);
    else this.need(depth);
    if (Atomics.load(words, CONTROL.RUN) !== RUN_PLAYING) this.flowing = false;
    // Not before all is ready that is to be kept ready: an engine's first blocks are its slowest.
    else if (this.ring.fill() >= (ahead ? depth : periodFrames)) this.flowing = true;
    if (!this.flowing) {
      period.fill(0);
      return;
    }
    if (!ahead) this.awaitNeeded();
    const got = this.ring.read(period, 0, periodFrames);
    const left = this.ring.fill();
    if (left < words[CONTROL.RING_LOW]!) Atomics.store(words, CONTROL.RING_LOW, left);
    if (depth > 0) signal(words, CONTROL.TICK);
    advanceFrame(words, CONTROL.TAKEN_LO, got);
    if (this.broken) fadeIn(period, got, channels);
    if (got < periodFrames) {
      Atomics.add(words, CONTROL.UNDERRUNS, 1);
      if (this.broken && got === 0) period.fill(0);
      else fadeOut(period, got, this.previous, channels);
    }
    this.broken = got < periodFrames;
    this.previous.set(period);
    this.delivered(period);
    if (this.arriving) fadeIn(period, periodFrames, channels);
    this.arriving = false;
  }

  /** For the flight recorder. */
  private logPeriod(): void {
    const { words } = this;
    const period = words[CONTROL.PERIODS]!;
    const at = periodAt(period);
    words[at + PERIOD.START_NS] = this.clock();
    words[at + PERIOD.READY] = this.ring.fill();
    Atomics.store(words, CONTROL.PERIODS, (period + 1) | 0);
  }

  /** The device reports that it ran dry although every period was in time. */
  underflowed(): void {
    if (this.flowing) Atomics.add(this.words, CONTROL.UNDERRUNS, 1);
  }

  /**
   * Takes up to `frames` frames, as soon as there are `atLeast`: for a driver that has time.
   * @returns frames taken; 0 when stopped.
   */
  take(target: Float32Array, frames: number, atLeast: number): number {
    const { words, ring } = this;
    while (!this.await(atLeast, WAIT_MS)) if (this.stopped()) return 0;
    const got = ring.read(target, 0, frames);
    signal(words, CONTROL.TICK);
    advanceFrame(words, CONTROL.HOST_FRAME_LO, got);
    return got;
  }

  /** Has the leader compute a period now: less is kept ready than one takes. */
  private need(depth: number): void {
    const { words } = this;
    // As many blocks as it takes, whatever lies in the ring.
    Atomics.store(words, CONTROL.HOST_NEEDS, this.periodFrames + words[CONTROL.BLOCK_FRAMES]! - 1 - depth);
    signal(words, CONTROL.TICK);
  }

  /** Waits for what was needed, as long as the device has time. */
  private awaitNeeded(): void {
    const { clock } = this;
    const start = clock();
    while (!this.await(this.periodFrames, this.patienceMs)) if (((clock() - start) | 0) > PATIENCE * this.periodNs) break;
    Atomics.store(this.words, CONTROL.HOST_NEEDS, 0);
  }

  /** Waits until the ring holds `atLeast` frames, or `ms` have passed. @returns whether it does */
  private await(atLeast: number, ms: number): boolean {
    const { words, ring } = this;
    if (ring.fill() >= atLeast) return true;
    // Asks first and looks again then, so that the leader either sees the wish or has already granted it.
    Atomics.store(words, CONTROL.HOST_WANTS, atLeast);
    const seen = Atomics.load(words, CONTROL.BLOCKS);
    if (ring.fill() < atLeast) Atomics.wait(words, CONTROL.BLOCKS, seen, ms);
    Atomics.store(words, CONTROL.HOST_WANTS, 0);
    return ring.fill() >= atLeast;
  }

  /** Counts, measures and, while recording, copies what goes out. */
  private delivered(period: Float32Array): void {
    const { words, channels, periodFrames } = this;
    advanceFrame(words, CONTROL.HOST_FRAME_LO, periodFrames);
    this.measure(period, 0, CONTROL.PEAK_LEFT);
    this.measure(period, channels > 1 ? 1 : 0, CONTROL.PEAK_RIGHT);
    if (Atomics.load(words, CONTROL.TAP) === 1) this.tap.write(period, 0, periodFrames);
  }

  private measure(samples: Float32Array, channel: number, word: number): void {
    let peak = this.floats[word]!;
    for (let at = channel; at < samples.length; at += this.channels) {
      const size = Math.abs(samples[at]!);
      if (size > peak) peak = size;
    }
    this.floats[word] = peak;
  }
}

/** Completes a period of which only `got` frames came: what was played before, backwards, down to nothing. */
function fadeOut(period: Float32Array, got: number, previous: Float32Array, channels: number): void {
  const frames = period.length / channels;
  for (let frame = got; frame < frames; frame++) {
    const gain = (frames - 1 - frame) / (frames - got);
    // Mirrored at the break; before the period's start lies the previous period.
    const mirrored = 2 * got - 1 - frame;
    for (let channel = 0; channel < channels; channel++) {
      const before = mirrored >= 0 ? period[mirrored * channels + channel]! : previous[(frames + mirrored) * channels + channel]!;
      period[frame * channels + channel] = before * gain;
    }
  }
}

function fadeIn(period: Float32Array, frames: number, channels: number): void {
  for (let frame = 0; frame < frames; frame++)
    for (let channel = 0; channel < channels; channel++) period[frame * channels + channel]! *= (frame + 1) / frames;
}
