// What an engine is told when it is made, and whether that is possible.
import { availableParallelism } from 'node:os';
import { KrellError } from '../errors.js';
import { MAX_WORKERS } from '../shared/layout.js';
import { DEFAULT_MEMORY_BYTES } from './arena.js';
import { LIMITS } from './patch/index.js';
import { HANDOFF_NS } from './schedule.js';

export interface EngineOptions {
  /** Hz, 8000..192000 */
  readonly sampleRate?: number;
  /** Frames computed at a time: a power of two, 16..1024. Sounds the same whatever it is. */
  readonly blockFrames?: number;
  /** DSP threads, 1..16; all cores but one unless given. */
  readonly workers?: number;
  /** Main outputs, 1..8 */
  readonly channels?: number;
  /** Instead of the patch's own. */
  readonly seed?: number;
  /** Bytes for module state, plans and delay lines. */
  readonly memoryBytes?: number;
  /** Whether the threads ask for real-time priority; they do unless told not to. */
  readonly realtime?: boolean;
  /** Modules a patch may have, 1..4096. */
  readonly maxModules?: number;
  /** Turns a DSP thread spins at the most before it sleeps. */
  readonly spin?: number;
  /** Nanoseconds that it is reckoned to take to hand work to another thread: with more, only larger patches are divided. */
  readonly handoffNs?: number;
  /** Seconds after which a DSP thread gives its place to a fresh one, without a gap; six hours unless given. */
  readonly maxThreadAgeS?: number;
  /** Where a file of the last seconds goes when the device ran dry; else what KRELL_FLIGHT says, else nowhere. */
  readonly flightFolder?: string;
}

/** The same with nothing left open. */
export type EngineSettings = Required<Omit<EngineOptions, 'seed' | 'flightFolder'>> & {
  readonly seed: number | undefined;
  readonly flightFolder: string | undefined;
};

/** Powers of two that a block may have. */
export const BLOCK_FRAMES = [16, 32, 64, 128, 256, 512, 1024] as const;
/** Live, only for those who have a core to spin on. */
export const SPIN = 2000;
const MAX_SPIN = 1e9;
const MAX_THREAD_AGE_S = 6 * 3600;

/** @throws KrellError `option` */
export function wholeNumber(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new KrellError('option', `${name} is ${value}`, { hint: `give a whole number from ${min} to ${max}` });
}

/** @throws KrellError `option` for a value out of range */
export function settingsOf(options: EngineOptions, cores = availableParallelism()): EngineSettings {
  const { blockFrames = 64, seed, maxThreadAgeS = MAX_THREAD_AGE_S, realtime = true, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
  if (!(BLOCK_FRAMES as readonly number[]).includes(blockFrames))
    throw new KrellError('option', `blockFrames is ${blockFrames}`, { hint: `give one of ${BLOCK_FRAMES.join(', ')}` });
  if (!(maxThreadAgeS > 0))
    throw new KrellError('option', `maxThreadAgeS is ${maxThreadAgeS}`, { hint: 'give a number of seconds above 0, or Infinity' });
  const workers = wholeNumber('workers', options.workers ?? Math.min(MAX_WORKERS, Math.max(1, cores - 1)), 1, MAX_WORKERS);
  const spin = wholeNumber('spin', options.spin ?? (workers > 1 && cores > workers ? SPIN : 0), 0, MAX_SPIN);
  return {
    sampleRate: wholeNumber('sampleRate', options.sampleRate ?? 48_000, 8000, 192_000),
    blockFrames,
    workers,
    channels: wholeNumber('channels', options.channels ?? 2, 1, 8),
    seed: seed === undefined ? undefined : wholeNumber('seed', seed, 0, LIMITS.seed),
    memoryBytes,
    realtime,
    maxModules: wholeNumber('maxModules', options.maxModules ?? LIMITS.modules, 1, LIMITS.modules),
    spin,
    handoffNs: wholeNumber('handoffNs', options.handoffNs ?? (spin > 0 ? HANDOFF_NS.spinning : HANDOFF_NS.sleeping), 0, 1e9),
    maxThreadAgeS,
    flightFolder: options.flightFolder ?? process.env['KRELL_FLIGHT'],
  };
}
