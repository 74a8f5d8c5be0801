// A patch that plays in a terminal: what is shown meanwhile, and what is said in the end.
import type { Engine } from '../control/engine.js';
import type { EngineStats, WorkerStats } from '../control/stats.js';
import type { Recording } from '../host/recorder.js';
import { liveLine, Meter } from './live-line.js';
import { pause } from './signals.js';
import { counted, dbOf, decibels, duration, type LiveLine } from './terminal.js';

const REFRESH_S = 1 / 15;

/** Says on stderr what fails, and what becomes of the device. */
export function tellOf(engine: Engine, line: LiveLine): void {
  const say = (text: string): void => {
    line.clear();
    line.stream.write(`${text}\n`);
  };
  engine.on('fault', ({ message }) => say(message));
  engine.on('device', ({ state, output }) => {
    if (state !== 'open') say(`the device is ${state}${output.reason ? `: ${output.reason}` : ''}`);
  });
}

/** What `play` reports in the end: the last state of the engine, but peak and loads over the whole time. */
export type Session = Omit<EngineStats, 'peak' | 'workers'> & {
  peak: number;
  /** null: silence */
  peakDb: number | null;
  workers: Omit<WorkerStats, 'blocks'>[];
};

/** Shows the engine at work for `seconds`, or until the signal. */
export async function watch(
  engine: Engine,
  line: LiveLine,
  seconds: number,
  signal: AbortSignal,
  oscPort: number | undefined,
): Promise<Session> {
  const meters: Meter[] = [];
  const workers: { load: number; maxBlockMs: number }[] = Array.from({ length: engine.workers }, () => ({ load: 0, maxBlockMs: 0 }));
  let peak = 0;
  const begin = performance.now() / 1000;
  for (let now = begin; ;) {
    await pause(Math.min(REFRESH_S, begin + seconds - now), signal);
    const elapsed = performance.now() / 1000 - now;
    now += elapsed;
    const stats = engine.stats();
    stats.peak.forEach((level, channel) => (meters[channel] ??= new Meter()).update(level, now, elapsed));
    peak = Math.max(peak, ...stats.peak);
    stats.workers.forEach(({ load, maxBlockMs }, i) => {
      const worker = workers[i]!;
      worker.load += (load - worker.load) * (elapsed / (now - begin));
      worker.maxBlockMs = Math.max(worker.maxBlockMs, maxBlockMs);
    });
    if (signal.aborted || now >= begin + seconds) {
      line.clear();
      return {
        ...stats,
        peak,
        peakDb: dbOf(peak),
        workers: stats.workers.map(({ blocks: _, ...last }, i) => ({ ...last, ...workers[i]! })),
      };
    }
    line.draw(liveLine(stats, meters, line.width, line.hasColour, oscPort));
  }
}

/** What became of a recording. */
export type Take = Recording | { readonly error: string };

/** Completes the recording, if there is one, even if the disk did not take all of it. */
export const endTake = (engine: Engine): Promise<Take | undefined> =>
  engine.stopRecording().catch((error: unknown) => ({ error: (error as Error).message }));

const takeText = (take: Take): string => ('error' in take ? take.error : `${duration(take.seconds)} in ${take.path}`);

export const summaryOf = ({ seconds, underruns, peak, workers }: Session, take: Take | undefined): string =>
  [
    `played ${duration(seconds)}`,
    counted(underruns, 'underrun'),
    `peak ${decibels(peak)}`,
    `load ${workers.map(({ load }) => `${Math.round(load * 100)}%`).join(' ')}`,
    ...(take ? [takeText(take)] : []),
  ].join(', ');
