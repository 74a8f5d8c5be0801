// How far the engine works ahead of its device: as little as holds.
//
// The ring's depth is only how soon the leader stops, so it may change at any time without a click: a deeper ring is filled
// once, in a shallower one the leader rests for a block. Too many underruns widen it; a long quiet narrows it, by a block at a
// time, if the ring was never so low that the block would have been missed.
import { CONTROL, RING_FRAMES } from '../shared/layout.js';

/** `low`: each period is computed when the device asks for it. `safe`: two periods ahead, at least 5 ms. Or milliseconds ahead. */
export type Latency = 'low' | 'safe' | number;

/** Frames kept ready in safety, 5 ms at 48 kHz: a thread that is woken a few milliseconds late is common, and the ear does not mind five. */
const SAFE_FRAMES = 256;
const WIDEN_BY = 1.5;
const WIDEST_MS = 50;
/** So many underruns within so many seconds are too many. */
const [TOO_MANY, WITHIN_S] = [2, 10];
const QUIET_S = 60;
/** What RING_LOW is raised to before the host lowers it. */
const NOT_YET = 2 ** 30;

export interface DepthSettings {
  readonly latency: Latency;
  readonly periodFrames: number;
  readonly blockFrames: number;
  readonly sampleRate: number;
}

/** Frames to keep ready to begin with, in whole blocks. */
export function firstDepth({ latency, periodFrames, blockFrames, sampleRate }: DepthSettings): number {
  if (latency === 'low') return 0;
  const blocks = (frames: number): number => Math.ceil(frames / blockFrames);
  const wanted = latency === 'safe' ? Math.max(2 * blocks(periodFrames), blocks(SAFE_FRAMES)) : blocks((latency * sampleRate) / 1000);
  return Math.min(wanted, Math.floor(RING_FRAMES / blockFrames)) * blockFrames;
}

export class RingDepth {
  frames: number;
  readonly #words: Int32Array;
  readonly #floor: number;
  readonly #ceiling: number;
  readonly #blockFrames: number;
  readonly #periodFrames: number;
  #underruns: number;
  /** When, in seconds, as far back as it matters. */
  #recent: number[] = [];
  #quietSince: number;

  constructor(words: Int32Array, settings: DepthSettings, now: number) {
    const { blockFrames, periodFrames, sampleRate } = settings;
    this.#words = words;
    this.#blockFrames = blockFrames;
    this.#periodFrames = periodFrames;
    this.#floor = firstDepth(settings);
    const widest = Math.max(2 * periodFrames, (WIDEST_MS * sampleRate) / 1000);
    this.#ceiling = Math.max(this.#floor, Math.min(RING_FRAMES, Math.ceil(widest / blockFrames) * blockFrames));
    this.frames = this.#floor;
    this.#underruns = Atomics.load(words, CONTROL.UNDERRUNS);
    this.#quietSince = now;
    this.#set(this.#floor);
  }

  /** Looks at what has happened since the last look and changes the depth if that is called for. `now` in seconds. */
  look(now: number): void {
    const words = this.#words;
    const underruns = Atomics.load(words, CONTROL.UNDERRUNS);
    const low = Atomics.exchange(words, CONTROL.RING_LOW, NOT_YET);
    const fresh = (underruns - this.#underruns) | 0;
    this.#underruns = underruns;
    this.#recent = [...this.#recent, ...new Array<number>(Math.min(fresh, TOO_MANY)).fill(now)].filter((then) => now - then < WITHIN_S);
    // What is computed on demand leaves nothing in the ring.
    const isNarrow = this.frames > this.#periodFrames && low < this.#blockFrames;
    if (fresh > 0 || isNarrow) this.#quietSince = now;
    if (this.#recent.length >= TOO_MANY) this.#widen(now);
    else if (now - this.#quietSince >= QUIET_S) this.#narrow(now);
  }

  #widen(now: number): void {
    const block = this.#blockFrames;
    const wider = Math.max(this.frames + block, Math.ceil((this.frames * WIDEN_BY) / block) * block);
    this.#recent = [];
    this.#quietSince = now;
    this.#set(Math.min(wider, this.#ceiling));
  }

  #narrow(now: number): void {
    this.#quietSince = now;
    this.#set(Math.max(this.frames - this.#blockFrames, this.#floor));
  }

  #set(frames: number): void {
    this.frames = frames;
    Atomics.store(this.#words, CONTROL.RING_DEPTH, frames);
    Atomics.store(this.#words, CONTROL.RING_LOW, NOT_YET);
  }
}
