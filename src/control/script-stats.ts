// What scripts do, as their threads have counted it in the arena, and how the script of one module fares.
import { COST_BINS, MAX_SCRIPT_THREADS, SCRIPT, scriptWord } from '../shared/layout.js';
import { binUs } from './faults.js';

/** How the script of a module fares. */
export interface ScriptInfo {
  readonly file: string;
  /** `outdated`: an edit of it failed, and it plays on as it was before. */
  readonly state: 'running' | 'resting' | 'outdated';
  /** What was wrong last, until it is edited. */
  readonly error?: string;
}

interface Known {
  /** Modules with a script that runs. */
  readonly modules: number;
  /** Modules with a script that does not: it hung, or did not begin. */
  readonly resting: number;
  readonly threads: number;
  /** Threads that hung or died. */
  readonly restarts: number;
}

export interface ScriptStats extends Known {
  readonly ticks: number;
  /** Values that came after their frame. */
  readonly late: number;
  /** Values that were not played: those late ones that their script wants dropped, and what there was no room for. */
  readonly dropped: number;
  /** Ticks that threw. */
  readonly errors: number;
  /** What a tick takes. */
  readonly tickMs: { readonly p50: number; readonly p99: number };
}

export function scriptStats(words: Int32Array, known: Known): ScriptStats {
  const records = Array.from({ length: MAX_SCRIPT_THREADS }, (_, place) => place);
  const sum = (field: number): number => records.reduce((total, place) => total + (Atomics.load(words, scriptWord(place, field)) >>> 0), 0);
  const bins = Array.from({ length: COST_BINS }, (_, bin) => sum(SCRIPT.BINS + bin));
  return {
    ...known,
    ticks: sum(SCRIPT.TICKS),
    late: sum(SCRIPT.LATE),
    dropped: sum(SCRIPT.DROPPED),
    errors: sum(SCRIPT.ERRORS),
    tickMs: { p50: quantileMs(bins, 0.5), p99: quantileMs(bins, 0.99) },
  };
}

/** In milliseconds: the middle of the bin below which this share of all lies. */
function quantileMs(bins: readonly number[], share: number): number {
  const total = bins.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  return total === 0 ? 0 : binUs(bins.findIndex((count) => (sum += count) >= share * total)) / 1000;
}
