// `krell play`: a patch through the sound card, until Ctrl-C.
import { Engine } from '../../control/engine.js';
import type { Latency } from '../../control/ring-depth.js';
import { KrellError, UsageError } from '../../errors.js';
import type { OscServer } from '../../osc/server.js';
import { defineCommand, ENGINE_OPTIONS, engineOptions, given, JSON_OPTION } from '../args.js';
import { checkFolder, checkOutput, sourcesOf } from '../outputs.js';
import { SERVE_OPTIONS, serveOsc } from '../osc/serve.js';
import { openPatch } from '../patch.js';
import { endTake, summaryOf, tellOf, watch } from '../session.js';
import { abortOnInterrupt } from '../signals.js';
import { counted, LiveLine } from '../terminal.js';

const LATENCY_MS = { min: 0.5, max: 150 } as const;

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
    latency: {
      type: 'text',
      value: 'low|safe|ms',
      default: 'safe',
      help: 'how far to work ahead of the device: as little as possible, 5 ms, or so many',
    },
    inputs: {
      type: 'number',
      value: 'N',
      min: 0,
      max: 2,
      only: 'integers',
      default: 0,
      help: "channels of the sound card's input to take in, for the module 'in'",
    },
    ...ENGINE_OPTIONS,
    ...SERVE_OPTIONS,
    record: { type: 'text', value: 'file.wav', help: 'also write what is heard to a WAV file' },
    flight: { type: 'text', value: 'folder', help: 'write the last ten seconds of block times here when the device runs dry' },
    seconds: { type: 'number', value: 'N', min: 0.1, max: 604_800, otherwise: 'until Ctrl-C', help: 'how long' },
    json: JSON_OPTION,
  },

  async run([path], { driver, device, record, flight, seconds = Infinity, json, ...options }) {
    if (driver === 'null' && device !== undefined)
      throw new UsageError('the null driver has no devices', { path: '--device', hint: 'leave one of the two out' });
    const latency = latencyOf(options.latency);
    const interrupt = abortOnInterrupt();
    const patch = await openPatch(path!);
    if (record !== undefined) checkOutput('--record', record, 'WAV file', sourcesOf(patch, path!));
    if (flight !== undefined) checkFolder('--flight', flight);
    const engine = await Engine.create({ ...engineOptions(options), ...given({ flightFolder: flight }) });
    const line = new LiveLine();
    tellOf(engine, line);
    const [ended, quit] = [new AbortController(), new AbortController()];
    let osc: OscServer | undefined;
    try {
      await engine.loadPatch(patch, { source: path! });
      if (!options['no-osc']) osc = await serveOsc(engine, path!, options, () => quit.abort());
      const end = (error?: Error): void => ended.abort(error ?? new KrellError('output', 'the sound output has ended by itself'));
      engine.ended.then(() => end(), end);
      const opened = await engine.start({ driver, latency, inputs: options.inputs as 0 | 1 | 2, ...given({ device, record }) });
      process.stderr.write(`playing ${path} on ${opened.device ?? opened.driver}${opened.reason ? ` (${opened.reason})` : ''}\n`);
      const session = await watch(engine, line, seconds, AbortSignal.any([interrupt, quit.signal, ended.signal]), osc?.oscPort);
      ended.signal.throwIfAborted();
      const recording = await endTake(engine);
      await engine.stop();
      const ports = { oscPort: osc?.oscPort, httpPort: osc?.httpPort };
      process.stdout.write(`${json ? JSON.stringify({ ...session, ...given({ ...ports, recording }) }) : summaryOf(session, recording)}\n`);
      if (recording && 'error' in recording) return 1;
      if (recording && recording.drops > 0) process.stderr.write(`the disk was too slow: ${counted(recording.drops, 'frame')} missing\n`);
      return 0;
    } finally {
      await Promise.all([osc?.stop(), engine.stop()]);
    }
  },
});

/** @throws UsageError */
function latencyOf(text: string): Latency {
  if (text === 'low' || text === 'safe') return text;
  const ms = text.trim() === '' ? NaN : Number(text);
  if (ms >= LATENCY_MS.min && ms <= LATENCY_MS.max) return ms;
  const hint = `give low, safe, or milliseconds from ${LATENCY_MS.min} to ${LATENCY_MS.max}`;
  throw new UsageError(`'${text}' is not possible`, { path: '--latency', hint });
}
