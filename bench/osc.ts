// How soon does an OSC packet take effect, and how many a second?
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { KrellError } from '../src/errors.js';
import { Engine } from '../src/index.js';
import { AddressTable } from '../src/osc/addresses.js';
import { EngineClock } from '../src/osc/clock.js';
import { encodeMessage } from '../src/osc/codec.js';
import { Dispatcher } from '../src/osc/dispatcher.js';
import { LiveInput } from '../src/osc/input.js';
import { Replies } from '../src/osc/replies.js';
import { Space } from '../src/osc/space.js';
import { Table } from '../src/osc/table.js';
import { OscServer } from '../src/osc/server.js';
import { CONTROL } from '../src/shared/layout.js';
import type { Flood, Flooded } from './osc/sender.js';
import { COUNT, DONE, RECEIVED, STAMPS, type Stamped } from './osc/stamped.js';
import { distributionRow, machine, rounded, STALLS_NOTE, type BenchOptions, type Distribution, type Report } from './report.js';
import { standardVoices } from './standard-voice.js';

/** Modules whose cutoff is moved. */
const FILTERS = 16;
const ADDRESSES = Array.from({ length: FILTERS }, (_, i) => `/vcf${i + 1}/cutoff`);
const PATIENCE_MS = 1000;
/** Packets for the dispatcher: fewer than the ring holds. */
const WARM = 8000;
/** Larger than any value of the flood. */
const LAST = 2000;

const FLOODS = [
  { what: 'bundles of 100', perPacket: 100, packetsPerSecond: 1000 },
  { what: 'bundles of 100, more', perPacket: 100, packetsPerSecond: 4000 },
  { what: 'single messages', perPacket: 1, packetsPerSecond: 40_000 },
] as const;

interface Playing extends Target {
  readonly engine: Engine;
  /** What the dispatcher takes for a packet, in µs. */
  readonly decoded: readonly number[];
}

async function playing<T>(work: (playing: Playing) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ sampleRate: 48_000, workers: 1 });
  let server: OscServer | undefined;
  try {
    await engine.loadPatch(standardVoices(FILTERS, 'mono'));
    await engine.start({ driver: 'null' });
    await sleep(300);
    // Before the OSC thread takes its place: the ring has one writer.
    dispatches(engine, WARM);
    const decoded = dispatches(engine, WARM);
    const stamps = newStamps();
    server = await OscServer.start(engine, { oscPort: 0, httpPort: false, startThread: (data) => stampedThread({ ...data, stamps }) });
    return await work({ engine, port: server.oscPort, stamps, decoded });
  } finally {
    await server?.stop();
    await engine.stop();
  }
}

/** From a packet that a socket has given to its command's being in the ring, in µs: the dispatcher of the OSC thread, on this one. */
function dispatches(engine: Engine, count: number): number[] {
  const { words, buffer } = engine.arena;
  const space = new Space(buffer);
  space.update(new Table().update(engine)!);
  const dispatcher = new Dispatcher({
    words,
    table: new AddressTable(space, engine.sampleRate),
    input: new LiveInput(buffer, space),
    clock: new EngineClock(words),
    replies: new Replies(true),
    desk: { command: () => 'refused', unknown: () => false },
  });
  const sender = { id: 1, label: 'bench', isStream: true, send: () => true };
  const packets = ADDRESSES.map((address, i) => encodeMessage(address, [{ type: 'f', value: 300 + i }]));
  return Array.from({ length: count }, (_, i) => {
    const begin = performance.now();
    dispatcher.receive(packets[i % packets.length]!, sender);
    return (performance.now() - begin) * 1000;
  });
}

/** Where packets go, and when the thread behind that port saw them. */
interface Target extends Stamped {
  readonly port: number;
}

const newStamps = (): Stamped['stamps'] => new BigInt64Array(new SharedArrayBuffer(STAMPS * BigInt64Array.BYTES_PER_ELEMENT));
const stampedThread = (workerData: object): Worker => new Worker(new URL('osc/stamped.js', import.meta.url), { workerData });

/** In µs from the call that sends a packet: when it reaches the thread, and when that is done with it. Nobody spins meanwhile. */
async function latencies({ port, stamps }: Target, count: number): Promise<{ received: number[]; done: number[] }> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const [received, done]: [number[], number[]] = [[], []];
  for (let i = 0; i < count; i++) {
    const packet = encodeMessage(ADDRESSES[0]!, [{ type: 'f', value: 300 + (i % 100) }]);
    const seen = Atomics.load(stamps, COUNT);
    const patience = performance.now() + PATIENCE_MS;
    const begin = process.hrtime.bigint();
    socket.send(packet);
    // Not in time with anything.
    do {
      await sleep(1 + (i % 3));
      if (performance.now() > patience) throw new KrellError('bench', 'a packet did not arrive');
    } while (Atomics.load(stamps, COUNT) === seen);
    received.push(Number(stamps[RECEIVED]! - begin) / 1000);
    done.push(Number(stamps[DONE]! - begin) / 1000);
  }
  socket.close();
  return { received, done };
}

/** What this machine and Node.js take to bring a packet to a thread that does nothing but wait for it. */
async function bare(count: number): Promise<number[]> {
  const stamps = newStamps();
  const thread = stampedThread({ stamps });
  const [port] = (await once(thread, 'message')) as [number];
  const { received } = await latencies({ port, stamps }, count);
  await thread.terminate();
  return received;
}

/** Floods from another process, and what became of it. */
async function flooded({ engine, port }: Playing, flood: (typeof FLOODS)[number], seconds: number): Promise<Report['rows'][0]> {
  const { words } = engine.arena;
  const counts = (): Record<'packets' | 'messages' | 'merged' | 'dropped' | 'faults', number> => ({
    packets: Atomics.load(words, CONTROL.OSC_PACKETS),
    messages: Atomics.load(words, CONTROL.OSC_MESSAGES),
    merged: Atomics.load(words, CONTROL.OSC_MERGED),
    dropped: Atomics.load(words, CONTROL.OSC_DROPPED),
    faults: Atomics.load(words, CONTROL.OSC_FAULTS),
  });
  const [before, stats] = [counts(), engine.stats()];
  const { perPacket, packetsPerSecond } = flood;
  const task: Flood = { port, addresses: ADDRESSES, perPacket, packetsPerSecond, seconds, last: LAST };
  const child = fork(new URL('osc/sender.js', import.meta.url));
  child.send(task);
  const [sent] = (await once(child, 'message')) as [Flooded];
  await sleep(200);
  const [after, played] = [counts(), engine.stats()];
  const received = after.packets - before.packets - ADDRESSES.length;
  const right = ADDRESSES.filter((_, i) => engine.moduleInfo(`vcf${i + 1}`).params['cutoff'] === LAST + i).length;
  return {
    flood: flood.what,
    'messages/s sent': Math.round(sent.messages / sent.seconds),
    'packets sent': sent.packets,
    received,
    'lost in the socket': sent.packets - received,
    'messages/s': Math.round((received * perPacket) / sent.seconds),
    merged: after.merged - before.merged,
    dropped: after.dropped - before.dropped,
    refused: after.faults - before.faults,
    underruns: played.underruns - stats.underruns,
    stalls: played.stalls - stats.stalls,
    'last values right': `${right} of ${ADDRESSES.length}`,
  };
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  return playing(async (player) => {
    await latencies(player, 200);
    const count = quick ? 300 : 5000;
    const { received, done } = await latencies(player, count);
    const distribution = (name: string, samples: number[]): Distribution => ({ name, unit: 'µs', samples });
    const arrival = distribution('UDP send → in the command ring', done);
    const waking = distribution('UDP send → the OSC thread has it', received);
    const alone = distribution('UDP send → a thread that does nothing else has it', await bare(count));
    const decoding: Distribution = { name: 'received → in the command ring', unit: 'µs', samples: player.decoded };
    const rows: Report['rows'] = [];
    for (const flood of FLOODS) rows.push(await flooded(player, flood, quick ? 1 : 10));
    const times = (of: Distribution): string => {
      const { p50, p99, max } = distributionRow(of);
      return `${p50} µs at the median, ${p99} µs at p99, ${max} µs at most`;
    };
    return {
      title: `OSC over UDP to a playing engine, ${FILTERS} filters`,
      rows,
      notes: [
        `A packet is in the command ring, decoded and stamped, ${times(arrival)} after the call that sends it: two system calls and the wake-up of a sleeping thread included.`,
        `To wake a thread that does nothing else takes ${times(alone)}.`,
        `Checking, finding, stamping and storing it, by the dispatcher alone, takes ${times(decoding)}.`,
        'Floods come from a process of their own. Merged: replaced by a later value of the same parameter while the ring was full.',
        ...(rows.some((row) => Number(row['stalls']) > 0) ? [STALLS_NOTE] : []),
        `Null driver; ${rounded(player.engine.blockFrames)} frames a block.`,
        machine(),
      ],
      distributions: [arrival, waking, alone, decoding],
    };
  });
}
