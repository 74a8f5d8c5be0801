// `krell play`: a patch through the sound card, until Ctrl-C.
import { Engine } from '../../control/engine.js';
import type { EngineStats } from '../../control/stats.js';
import { KrellError } from '../../errors.js';
import type { Recording } from '../../host/recorder.js';
import { defineCommand, ENGINE_OPTIONS, given, JSON_OPTION } from '../args.js';
import { readPatchFile } from '../../control/patch/index.js';
import type { OscServer } from '../../osc/server.js';
import { liveLine, Meter } from '../live-line.js';
import { SERVE_OPTIONS, serveOsc } from '../osc/serve.js';
import { abortOnInterrupt, pause } from '../signals.js';
import { counted, decibels, duration, LiveLine } from '../terminal.js';

const REFRESH_S = 1 / 15;

export const command = defineCommand({
  name: 'play',
  summary: 'Plays a patch until Ctrl-C.',
  operands: { name: 'patch', min: 1, max: 1, help: 'patch file' },
  options: {
    driver: {
      type: 'choice',
      values: ['auto', 'jack', 'portaudio', 'naudiodon', 'null'],
      default: 'auto',
      help: 'how sound leaves the program',
    },
    device: { type: 'text', value: 'name', help: "sound device (see 'krell devices')" },
    ...ENGINE_OPTIONS,
    ...SERVE_OPTIONS,
    record: { type: 'text', value: 'file.wav', help: 'also write what is heard to a WAV file' },
    seconds: { type: 'number', value: 'N', min: 0.1, max: 604_800, otherwise: 'until Ctrl-C', help: 'how long' },
    json: JSON_OPTION,
  },

  async run([patch], { driver, device, record, seconds = Infinity, json, ...options }) {
    if (driver === 'null' && device !== undefined)
      throw new KrellError('value', 'the null driver has no devices', { path: '--device', hint: 'leave one of the two out' });
    const interrupt = abortOnInterrupt();
    const text = await readPatchFile(patch!);
    const engine = await Engine.create({ sampleRate: options.rate, ...given({ blockFrames: options.block, workers: options.workers }) });
    const [ended, quit] = [new AbortController(), new AbortController()];
    let osc: OscServer | undefined;
    try {
      await engine.loadPatch(text, { source: patch! });
      if (!options['no-osc']) osc = await serveOsc(engine, patch!, options, () => quit.abort());
      const end = (error?: Error): void => ended.abort(error ?? new KrellError('output', 'the sound output has ended by itself'));
      engine.ended.then(() => end(), end);
      const opened = await engine.start({ driver, ...given({ device, record }) });
      process.stderr.write(`playing ${patch} on ${opened.device ?? opened.driver}${opened.reason ? ` (${opened.reason})` : ''}\n`);
      const session = await watch(engine, seconds, AbortSignal.any([interrupt, quit.signal, ended.signal]), osc?.oscPort);
      ended.signal.throwIfAborted();
      const recording = await engine.stopRecording();
      await engine.stop();
      const ports = { oscPort: osc?.oscPort, httpPort: osc?.httpPort };
      process.stdout.write(`${json ? JSON.stringify({ ...session, ...given({ ...ports, recording }) }) : summaryOf(session, recording)}\n`);
      if (recording && recording.drops > 0) process.stderr.write(`the disk was too slow: ${counted(recording.drops, 'frame')} missing\n`);
      return 0;
    } finally {
      await Promise.all([osc?.stop(), engine.stop()]);
    }
  },
});

/** What `play` reports in the end: the last state of the engine, but peak and loads over the whole time. */
type Session = Omit<EngineStats, 'peak' | 'workers'> & { peak: number; workers: { load: number; maxBlockMs: number; faults: number }[] };

/** Shows the engine at work for `seconds`, or until the signal. */
async function watch(engine: Engine, seconds: number, signal: AbortSignal, oscPort: number | undefined): Promise<Session> {
  const line = new LiveLine();
  const meters: Meter[] = [];
  const workers = Array.from({ length: engine.workers }, () => ({ load: 0, maxBlockMs: 0, faults: 0 }));
  let peak = 0;
  const begin = performance.now() / 1000;
  for (let now = begin; ;) {
    await pause(Math.min(REFRESH_S, begin + seconds - now), signal);
    const elapsed = performance.now() / 1000 - now;
    now += elapsed;
    const stats = engine.stats();
    stats.peak.forEach((level, channel) => (meters[channel] ??= new Meter()).update(level, now, elapsed));
    peak = Math.max(peak, ...stats.peak);
    stats.workers.forEach(({ load, maxBlockMs, faults }, i) => {
      const worker = workers[i]!;
      worker.load += (load - worker.load) * (elapsed / (now - begin));
      worker.maxBlockMs = Math.max(worker.maxBlockMs, maxBlockMs);
      worker.faults = faults;
    });
    if (signal.aborted || now >= begin + seconds) {
      line.clear();
      return { ...stats, peak, workers };
    }
    line.draw(liveLine(stats, meters, line.width, line.hasColour, oscPort));
  }
}

const summaryOf = ({ seconds, underruns, peak, workers }: Session, recording: Recording | undefined): string =>
  [
    `played ${duration(seconds)}`,
    counted(underruns, 'underrun'),
    `peak ${decibels(peak)}`,
    `load ${workers.map(({ load }) => `${Math.round(load * 100)}%`).join(' ')}`,
    ...(recording ? [`${duration(recording.seconds)} in ${recording.path}`] : []),
  ].join(', ');
