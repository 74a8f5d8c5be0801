// Offline rendering: the same plan and the same threads as live, driven as fast as they go by the file driver.
import { availableParallelism } from 'node:os';
import { KrellError } from '../errors.js';
import type { WavBits } from '../host/driver.js';
import { playScore } from '../osc/score.js';
import { Table } from '../osc/table.js';
import { Engine, type EngineOptions } from './engine.js';
import type { FaultEvent } from './events.js';
import { SPIN } from './options.js';
import type { JsonObject, Patch } from './patch/index.js';
import { HANDOFF_NS } from './schedule.js';

export interface RenderOptions extends EngineOptions {
  /** Path of the WAV file; without one the sound is only measured. */
  readonly out?: string;
  /** Length; frames = round(seconds × sampleRate). */
  readonly seconds: number;
  readonly bits?: WavBits;
  /** Name of the patch in messages. */
  readonly source?: string;
  /** OSC bundles to play, timed from the start: a score as SuperCollider's non-realtime server reads them. */
  readonly score?: Uint8Array;
  /** Also return the samples. */
  readonly keep?: boolean;
  readonly onProgress?: (fraction: number) => void;
  /** Called when something fails meanwhile; the render goes on, as the engine does live. */
  readonly onFault?: (fault: FaultEvent) => void;
  readonly signal?: AbortSignal;
}

export interface RenderResult {
  readonly frames: number;
  readonly seconds: number;
  /** From the opening of the output to the last frame. */
  readonly renderSeconds: number;
  readonly realtimeFactor: number;
  /** Of the samples as 32-bit little-endian floats, interleaved. */
  readonly sha256: string;
  /** Largest |sample|; 1 = 0 dBFS. */
  readonly peak: number;
  readonly workers: number;
  readonly blockFrames: number;
  readonly sampleRate: number;
  readonly bits: WavBits;
  readonly out?: string;
  /** Samples of each channel, when asked to `keep` them. */
  readonly channels?: readonly Float32Array<ArrayBuffer>[];
}

/** Larger than live: fewer hand-offs, each of which may have to wait for a thread that another program keeps from its core. */
export const RENDER_BLOCK_FRAMES = 512;
const PROGRESS_MS = 100;

/** Renders a patch. @throws PatchError, KrellError */
export async function render(patch: string | JsonObject | Patch, options: RenderOptions): Promise<RenderResult> {
  const { out, bits = '32f', seconds, score, keep = false, onProgress, onFault, signal, source } = options;
  if (!(seconds > 0 && Number.isFinite(seconds)))
    throw new KrellError('option', `seconds is ${seconds}`, { hint: 'give a number above 0' });
  const engine = await Engine.create({
    blockFrames: RENDER_BLOCK_FRAMES,
    workers: Math.min(8, availableParallelism()),
    // Who waits here may yet have to sleep, for the audio host wants a core, too.
    ...(options.spin === undefined ? { spin: SPIN, handoffNs: HANDOFF_NS.sleeping } : {}),
    realtime: false,
    ...options,
  });
  const frames = Math.round(seconds * engine.sampleRate);
  // The engine works ahead of the file, beyond its end too. When a script failed, its ticks were ahead of that in turn.
  engine.on('fault', (fault) => (fault.frame < frames || fault.what === 'script') && onFault?.(fault));
  let progress: NodeJS.Timeout | undefined;
  try {
    await engine.loadPatch(patch, source === undefined ? {} : { source });
    const table = new Table().update(engine);
    if (score && table) playScore({ memory: engine.arena.buffer, table }, score);
    signal?.throwIfAborted();
    const aborted = new Promise<never>((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
    aborted.catch(() => {});
    await engine.start({ driver: 'file', periodFrames: engine.blockFrames, file: { path: out, frames, bits, keep } });
    const begin = performance.now();
    if (onProgress) progress = setInterval(() => onProgress(Math.min(1, engine.stats().frames / frames)), PROGRESS_MS);
    const { file } = await Promise.race([engine.ended, aborted]);
    const renderSeconds = (performance.now() - begin) / 1000;
    if (!file) throw new KrellError('host', 'the render ended before it was complete');
    onProgress?.(1);
    return {
      frames: file.frames,
      seconds: file.seconds,
      renderSeconds,
      realtimeFactor: file.seconds / renderSeconds,
      sha256: file.sha256,
      peak: file.peak,
      workers: engine.workers,
      blockFrames: engine.blockFrames,
      sampleRate: engine.sampleRate,
      bits,
      ...(out === undefined ? {} : { out }),
      ...(file.channels ? { channels: file.channels } : {}),
    };
  } finally {
    clearInterval(progress);
    await engine.stop();
  }
}
