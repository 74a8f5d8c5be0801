// Faults of modules: what the DSP threads tell of them, what became of them, and how they come back.
//
// The threads act at once and by themselves (src/realtime/mend.ts, faults.ts); here it is put into words. Whether a module is bypassed
// stands in its state in the arena, so it stays so whatever is edited, until the module is revived or made anew.
import {
  FAULT,
  FAULT_BUDGET,
  FAULT_LATE,
  FAULT_NAN,
  FAULT_OFTEN,
  FAULT_SLOTS,
  FAULT_TRAP,
  faultRing,
  HEALTH,
  HEALTH_W,
  COST_BINS,
  MAX_WORKERS,
  MUTED_REVIVE,
  RING,
  STATE,
  STEP,
} from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import type { Arena } from './arena.js';
import type { FaultEvent } from './events.js';
import { isMixer, type Instance, type Instances } from './instances.js';

/** Events reported per look at the rings, 100 times a second; the rest is counted with its module only. */
const EVENTS_PER_LOOK = 4;
/** Milliseconds that cables rest after they were bypassed. */
const REVIVE_MS = 1000;
const PACK_LANES = 4;
const { fround } = Math;
const bits = new DataView(new ArrayBuffer(4));
const floatOf = (word: number): number => (bits.setInt32(0, word), bits.getFloat32(0));

export interface Cost {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly meanUs: number;
  /** Blocks in which it was measured. */
  readonly timings: number;
}

/** The middle of a bin of src/realtime/cost.ts, in microseconds. */
export const binUs = (bin: number): number => (32 * 2 ** (bin >> 2) * (1 + ((bin & 3) + 0.5) / 4)) / 1000;

interface Told {
  readonly what: string;
  readonly message: string;
  readonly bypassed: boolean;
}

function inWords(kind: number, name: string, value: number): Told {
  switch (kind) {
    case FAULT_NAN:
      return { what: 'nan', message: `${name} put out ${String(fround(floatOf(value)))} and began anew`, bypassed: false };
    case FAULT_OFTEN:
      return { what: 'nan', message: `${name} failed ${value} times within a second and is bypassed`, bypassed: true };
    case FAULT_TRAP:
      return { what: 'trap', message: `${name} did what no module may and is bypassed`, bypassed: true };
    case FAULT_BUDGET:
      return { what: 'budget', message: `${name} takes ${(value / 1e6).toFixed(2)} ms of every block and is bypassed`, bypassed: true };
    case FAULT_LATE:
      return { what: 'late', message: `DSP thread ${value} was too late; what it computed was left out meanwhile`, bypassed: false };
    default:
      return { what: 'unknown', message: `${name}: fault ${kind}`, bypassed: false };
  }
}

export class Faults {
  readonly #arena: Arena;
  readonly #instances: Instances;
  readonly #report: (event: FaultEvent) => void;
  /** Read from the rings, but too many at once to be reported. */
  #unreported = 0;
  /** What found the rings full, as of the last look. */
  #dropped = 0;

  constructor(arena: Arena, instances: Instances, report: (event: FaultEvent) => void) {
    this.#arena = arena;
    this.#instances = instances;
    this.#report = report;
  }

  /** Faults that were no events, because there were too many at once; their modules have counted them. */
  get untold(): number {
    return this.#unreported + this.#dropped;
  }

  /** Reports what the threads have told since the last time. */
  drain(): void {
    const { words } = this.#arena;
    let left = EVENTS_PER_LOOK;
    let dropped = 0;
    for (let worker = 0; worker <= MAX_WORKERS; worker++) {
      left = this.#drain(faultRing(worker), left);
      dropped += Atomics.load(words, faultRing(worker) + RING.DROPS) >>> 0;
    }
    if (dropped === this.#dropped) return;
    this.#dropped = dropped;
    // Among them may be that cables were bypassed.
    for (const instance of this.#instances.all())
      if (isMixer(instance.definition) && this.isBypassed(instance)) this.#reviveLater(instance);
  }

  #drain(ring: number, limit: number): number {
    const { words } = this.#arena;
    const end = Atomics.load(words, ring + RING.WRITE);
    let left = limit;
    for (let read = words[ring + RING.READ]!; read !== end; read = (read + 1) | 0) {
      const fault = ring + RING.DATA + (read & (FAULT_SLOTS - 1)) * FAULT.WORDS;
      const [kind, slot, low, high, value] = words.subarray(fault, fault + FAULT.WORDS) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      Atomics.store(words, ring + RING.READ, (read + 1) | 0);
      const isLate = kind === FAULT_LATE;
      const instance = isLate ? undefined : this.#instances.at(slot);
      // Its module is gone already.
      if (!isLate && !instance) continue;
      const told = inWords(kind, nameOf(instance), value);
      if (told.bypassed && instance && isMixer(instance.definition)) this.#reviveLater(instance);
      if (left-- <= 0 && !told.bypassed) {
        this.#unreported++;
        continue;
      }
      this.#report({ kind: 'fault', ...told, frame: high * 2 ** 32 + (low >>> 0), ...(isLate ? { worker: value } : idOf(instance)) });
    }
    return left;
  }

  /** Modules that a step (a word index) computes. */
  modulesOf(step: number): Instance[] {
    const { words } = this.#arena;
    return Array.from({ length: PACK_LANES }, (_, lane) => lane).flatMap((lane) => {
      const instance = words[step + STEP.LANES]! & (1 << lane) ? this.#instances.at(words[step + STEP.SLOTS + lane]!) : undefined;
      return instance ? [instance] : [];
    });
  }

  /** Bypasses a module and says so. Any thread may be running it. Cables are never to blame for a thread. */
  bypass(instance: Instance, what: string, message: string, worker: number, frame: number): void {
    if (isMixer(instance.definition)) return;
    const { words } = this.#arena;
    Atomics.or(words, instance.state / 4 + STATE.MUTED, 1 << (instance.lane ?? 0));
    words[healthAt(instance) + HEALTH.FAULTS]!++;
    this.#report({ kind: 'fault', what, ...idOf(instance), worker, frame, message: `${nameOf(instance)} ${message}`, bypassed: true });
  }

  /** Lets a bypassed module begin anew, from its next block on. */
  revive(instance: Instance): void {
    const { words } = this.#arena;
    const [word, bit] = [instance.state / 4 + STATE.MUTED, 1 << (instance.lane ?? 0)];
    if (Atomics.load(words, word) & bit) Atomics.or(words, word, bit << MUTED_REVIVE);
  }

  /** Cables are nobody's to revive: what was sent through them is to blame, and may be better by then. */
  #reviveLater(instance: Instance): void {
    setTimeout(() => {
      if (this.#instances.at(instance.address) === instance) this.revive(instance);
    }, REVIVE_MS).unref();
  }

  isBypassed(instance: Instance): boolean {
    const muted = Atomics.load(this.#arena.words, instance.state / 4 + STATE.MUTED) >> (instance.lane ?? 0);
    return (muted & 1) !== 0 && ((muted >> MUTED_REVIVE) & 1) === 0;
  }

  /** How a module fares. `cost`: once it has been measured. */
  healthOf(instance: Instance): { readonly faults: number; readonly bypassed: boolean; readonly cost?: Cost } {
    const { words } = this.#arena;
    const health = healthAt(instance);
    const timings = words[health + HEALTH.TIMINGS]!;
    const bypassed = this.isBypassed(instance);
    const faults = words[health + HEALTH.FAULTS]!;
    if (timings === 0) return { faults, bypassed };
    const bins = words.slice(health + HEALTH.BINS, health + HEALTH.BINS + COST_BINS);
    const total = bins.reduce((sum, count) => sum + count, 0);
    const quantile = (share: number): number => {
      let sum = 0;
      return binUs(bins.findIndex((count) => (sum += count) >= share * total));
    };
    const meanUs = readFrame(words, health + HEALTH.SUM_NS) / timings / 1000;
    return { faults, bypassed, cost: { p50Us: quantile(0.5), p99Us: quantile(0.99), meanUs, timings } };
  }
}

const healthAt = ({ slot }: Instance): number => HEALTH_W + slot * HEALTH.WORDS;
const nameOf = (instance: Instance | undefined): string =>
  instance && !isMixer(instance.definition) ? `module '${instance.name}'` : (instance?.name ?? 'the engine');
const idOf = (instance: Instance | undefined): { id?: string } => (instance && !isMixer(instance.definition) ? { id: instance.name } : {});
