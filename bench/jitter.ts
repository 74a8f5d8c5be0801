// How even are the periods, with and without load, and why did the device run dry if it did?
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flight } from '../src/control/flight.js';
import { Engine } from '../src/index.js';
import { OscServer } from '../src/osc/server.js';
import type { Flood } from './osc/sender.js';
import { findJackd, startJackd } from './peers/jackd.js';
import { distributionRow, machine, quantile, rounded, STALLS_NOTE, type BenchOptions, type Distribution, type Report } from './report.js';
import { standardVoices } from './standard-voice.js';

/** Seconds of each run, unless KRELL_JITTER_MINUTES says otherwise. */
const SECONDS = 30;
const QUICK_S = 1;
const PERIOD_FRAMES = 128;
const SAMPLE_RATE = 48_000;
const PERIOD_US = (PERIOD_FRAMES / SAMPLE_RATE) * 1e6;
/** Of the DSP threads' time. */
const LOAD = 0.7;
/** Often enough that no record is overwritten before it is read. */
const LOOK_MS = 5000;
const LITTER_MS = 20;
const LITTER_OBJECTS = 4000;
const EDIT_MS = 1000;

interface Run {
  readonly name: string;
  readonly periods: number[];
  readonly blocks: number[];
  readonly gaps: number[];
  readonly underruns: number;
  readonly stalls: number;
  readonly load: number;
  /** What was to blame for underruns. */
  readonly causes: string[];
}

/** Gathers what the flight recorder knows before it is overwritten. */
class Log {
  readonly periods: number[] = [];
  readonly blocks: number[] = [];
  readonly gaps: number[] = [];
  readonly causes = new Map<string, string>();
  #period: number;
  #frame: number;

  constructor({ periods, frame }: Flight) {
    this.#period = (periods.at(-1)?.number ?? 0) + 1;
    this.#frame = frame;
  }

  take({ periods, workers, events, frame }: Flight): void {
    const news = periods.filter(({ number }) => number > this.#period);
    this.periods.push(...news.map(({ sinceUs }) => sinceUs));
    this.#period = periods.at(-1)?.number ?? this.#period;
    for (const blocks of workers)
      for (const block of blocks) {
        if (block.frame < this.#frame) continue;
        this.blocks.push(block.wallUs);
        this.gaps.push(block.wallUs - block.busyUs);
      }
    for (const { kind, message, frame: at } of events) if (kind === 'underrun') this.causes.set(`${at} ${message}`, message);
    this.#frame = frame;
  }
}

/** Everything a show may do at once: OSC from another process, edits, garbage on the main thread. */
function disturb(engine: Engine, port: number, seconds: number): { sender: ChildProcess; stop: () => Promise<void> } {
  const sender = fork(new URL('osc/sender.js', import.meta.url));
  const addresses = Array.from({ length: 8 }, (_, i) => `/vcf${i + 1}/resonance`);
  sender.send({ port, addresses, perPacket: 20, packetsPerSecond: 500, seconds, last: 0 } satisfies Flood);
  let kept: object[] = [];
  const litter = setInterval(() => {
    kept = Array.from({ length: LITTER_OBJECTS }, (_, i) => ({ i, text: `object ${i}`, before: kept.length }));
  }, LITTER_MS);
  let n = 0;
  const edit = async (): Promise<void> => {
    const id = `edit${n++}`;
    await engine.createModule('vca', id);
    await engine.connect(`vcf1.low`, `${id}.in`);
    await engine.removeModule(id);
  };
  let editing: Promise<void> = Promise.resolve();
  const edits = setInterval(() => (editing = editing.then(edit)), EDIT_MS);
  return {
    sender,
    stop: async () => {
      clearInterval(litter);
      clearInterval(edits);
      await editing;
      sender.kill();
    },
  };
}

async function play(name: string, driver: 'null' | 'jack', voices: number, seconds: number, loaded: boolean): Promise<Run> {
  const engine = await Engine.create({ sampleRate: SAMPLE_RATE, workers: 1 });
  let server: OscServer | undefined;
  try {
    await engine.loadPatch(standardVoices(voices, 'poly'));
    server = await OscServer.start(engine, { oscPort: 0, httpPort: false });
    await engine.start({ driver, periodFrames: PERIOD_FRAMES });
    await sleep(1000);
    const before = engine.stats();
    const log = new Log(engine.flight());
    const disturbance = loaded ? disturb(engine, server.oscPort, seconds) : undefined;
    const loads: number[] = [];
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      await sleep(Math.min(LOOK_MS, Math.max(1, end - performance.now())));
      log.take(engine.flight());
      loads.push(engine.stats().workers[0]!.load);
    }
    const after = engine.stats();
    await disturbance?.stop();
    const { periods, blocks, gaps, causes } = log;
    return {
      name,
      periods,
      blocks,
      gaps,
      underruns: after.underruns - before.underruns,
      stalls: after.stalls - before.stalls,
      load: quantile(loads, 0.5),
      causes: [...causes.values()],
    };
  } finally {
    await server?.stop();
    await engine.stop();
  }
}

/** How many standard voices keep one DSP thread busy for LOAD of its time. */
async function voicesForLoad(): Promise<number> {
  const [few, seconds] = [64, 1];
  const { load } = await play('', 'null', few, seconds, false);
  return Math.max(16, Math.round((few * LOAD) / Math.max(load, 0.01) / 16) * 16);
}

const rowsOf = ({ name, periods, blocks, gaps, ...run }: Run): { row: Report['rows'][0]; distributions: Distribution[] } => {
  const off = periods.map((us) => Math.abs(us - PERIOD_US));
  const times = distributionRow({ name, unit: 'µs', samples: off });
  return {
    row: {
      run: name,
      'load %': Math.round(run.load * 100),
      periods: periods.length,
      'off by, p50 µs': times['p50']!,
      'p99 µs': times['p99']!,
      'p99 % of period': rounded((100 * Number(times['p99'])) / PERIOD_US),
      'max µs': times['max']!,
      'block p50 µs': rounded(quantile(blocks, 0.5)),
      'block p99 µs': rounded(quantile(blocks, 0.99)),
      'block max µs': rounded(quantile(blocks, 1)),
      'lost in a block, p99 µs': rounded(quantile(gaps, 0.99)),
      underruns: run.underruns,
      stalls: run.stalls,
    },
    distributions: [
      { name: `${name}: period`, unit: 'µs', samples: periods },
      { name: `${name}: block`, unit: 'µs', samples: blocks },
    ],
  };
};

export async function run({ quick }: BenchOptions): Promise<Report> {
  const minutes = process.env['KRELL_JITTER_MINUTES'];
  const seconds = quick ? QUICK_S : minutes === undefined ? SECONDS : Number(minutes) * 60;
  const voices = await voicesForLoad();
  const runs = [
    await play('null, 64 voices, quiet', 'null', 64, seconds, false),
    await play(`null, ${voices} voices, everything at once`, 'null', voices, seconds, true),
  ];
  const jackd = findJackd();
  if (jackd) {
    const endJackd = await startJackd('krell-jitter', PERIOD_FRAMES, { isRealtime: true });
    try {
      runs.push(await play('jack, 64 voices, quiet', 'jack', 64, seconds, false));
      runs.push(await play(`jack, ${voices} voices, everything at once`, 'jack', voices, seconds, true));
    } finally {
      await endJackd();
    }
  }
  const all = runs.map(rowsOf);
  const causes = runs.flatMap(({ name, causes: found }) => found.map((cause) => `${name}: ${cause}`));
  return {
    title: `Periods of ${PERIOD_FRAMES} frames (${rounded(PERIOD_US, 4)} µs) at ${SAMPLE_RATE / 1000} kHz, ${seconds} s each`,
    rows: all.map(({ row }) => row),
    notes: [
      'Off by: how far the beginning of a period is from one period after the one before. Everything at once: DSP at about 70 %, 10,000 OSC messages a second, an edit a second, garbage on the main thread.',
      'Lost in a block: time in which a DSP thread was in a block and not at work.',
      ...causes.slice(0, 20),
      ...(causes.length > 20 ? [`… and ${causes.length - 20} more`] : []),
      ...(jackd ? ['The JACK server asks for real-time priority, as on a stage.'] : ['jackd is not installed: null driver only.']),
      ...(runs.some(({ stalls }) => stalls > 0) ? [STALLS_NOTE] : []),
      machine(),
    ],
    distributions: all.flatMap(({ distributions }) => distributions),
  };
}
