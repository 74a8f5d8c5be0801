// How long from a packet to a sound? End to end: UDP packet → first sample that another client of the same JACK server hears.
import { fork, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../src/index.js';
import type { OutputOptions } from '../src/control/output.js';
import { encodeMessage } from '../src/osc/codec.js';
import { OscServer } from '../src/osc/server.js';
import type { Probed, ProbeTask } from './latency/probe.js';
import { stages } from './latency/stages.js';
import { findJackd, startJackd } from './peers/jackd.js';
import { findScsynth } from './peers/scsynth.js';
import { message, SynthDef } from './peers/synthdef.js';
import { distributionRow, machine, type BenchOptions, type Distribution, type Report } from './report.js';

const PERIODS = [128, 64];
const SETTLE_MS = 500;
const SYNTH_NODE = 1000;

/** A voltage that a packet sets, straight to the output: the least a patch can do. */
const GATE = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { gate: { type: 'attenuverter' }, out: { type: 'out' } },
  cables: [{ from: 'gate.out', to: 'out.left' }],
};

interface Trial {
  readonly name: string;
  readonly periodFrames: number;
  readonly probed: Probed;
  /** Where they are counted. */
  readonly underruns?: number;
}

async function probe(task: ProbeTask): Promise<Probed> {
  const child = fork(new URL('latency/probe.js', import.meta.url));
  child.send(task);
  const [probed] = (await once(child, 'message')) as [Probed];
  return probed;
}

async function krell(output: OutputOptions, name: string, periodFrames: number, trials: number): Promise<Trial> {
  const engine = await Engine.create({ sampleRate: 48_000, workers: 1 });
  let server: OscServer | undefined;
  try {
    await engine.loadPatch(GATE);
    server = await OscServer.start(engine, { oscPort: 0, httpPort: false });
    const { driver } = await engine.start({ periodFrames, ...output });
    await sleep(SETTLE_MS);
    const before = engine.stats();
    const set = (volts: number): string => Buffer.from(encodeMessage('/gate/offset', [{ type: 'f', value: volts }])).toString('base64');
    const jackPort = driver === 'jack' ? 'krell:out_1' : 'PortAudio:out_0';
    const probed = await probe({ udpPort: server.oscPort, jackPort, on: set(10), off: set(0), trials });
    const after = engine.stats();
    return { name, periodFrames, probed, underruns: after.underruns - before.underruns };
  } finally {
    await server?.stop();
    await engine.stop();
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function scsynth(program: string, periodFrames: number, trials: number): Promise<Trial> {
  const udpPort = await freePort();
  const child = spawn(program, ['-u', String(udpPort), '-i', '0', '-o', '2'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    await sleep(3 * SETTLE_MS);
    const def = new SynthDef('gate', { gate: 0 });
    def.out(0, def.operate(def.unit('DC', 'audio', 0.5), '*', def.control('gate')));
    const socket = createSocket('udp4');
    for (const packet of [message('/d_recv', def.encode()), message('/s_new', 'gate', SYNTH_NODE, 1, 0)]) {
      socket.send(packet, udpPort, '127.0.0.1');
      await sleep(SETTLE_MS);
    }
    socket.close();
    const set = (gate: number): string => message('/n_set', SYNTH_NODE, 'gate', { float: gate }).toString('base64');
    const probed = await probe({ udpPort, jackPort: 'SuperCollider:out_1', on: set(1), off: set(0), trials });
    return { name: 'scsynth', periodFrames, probed };
  } finally {
    child.kill();
    await exited;
  }
}

export async function run({ quick }: BenchOptions): Promise<Report> {
  const title = 'UDP packet → first sample heard by another client of the same JACK server, and the stages on the way (null driver)';
  const program = findScsynth();
  const notes: string[] = [];
  const onTheWay = await stages(quick ? 20 : 500);
  const stageRows = onTheWay.map(distributionRow);
  if (!findJackd())
    return { title, rows: stageRows, notes: ['jackd is not installed: only the stages', machine()], distributions: onTheWay };
  if (!program) notes.push('scsynth is not installed: nothing to compare with');
  const trials = quick ? 20 : 500;
  const results: Trial[] = [];
  for (const period of quick ? PERIODS.slice(0, 1) : PERIODS) {
    const end = await startJackd(`krell-bench-${process.pid}`, period);
    try {
      results.push(await krell({ driver: 'jack', latency: 'low' }, 'krell, low', period, trials));
      results.push(await krell({ driver: 'jack', latency: 'safe' }, 'krell, safe', period, trials));
      results.push(await krell({ driver: 'portaudio', latency: 'low' }, 'krell, low, portaudio', period, trials));
      if (program) results.push(await scsynth(program, period, trials));
    } finally {
      await end();
    }
  }
  const distributions = results.map(({ name, periodFrames, probed }): Distribution => ({
    name: `${name}, ${periodFrames}`,
    unit: 'ms',
    samples: probed.us.map((us) => us / 1000),
  }));
  return {
    title,
    rows: [
      ...results.map(({ probed, underruns }, i) => ({
        ...distributionRow(distributions[i]!),
        lost: probed.lost,
        ...(underruns === undefined ? {} : { underruns }),
      })),
      ...stageRows,
    ],
    notes: [
      ...notes,
      'From before the packet is sent to the other client’s cycle with the sound, and on to its first frame there. Packets are sent at any time of a period. Dummy backend, 48 kHz; the number is the server’s period in frames.',
      'Stages: blocks of 64 frames, 5.3 ms kept ready: a block that is computed waits that long to be taken. The thread that looks needs a processor of its own.',
      machine(),
    ],
    distributions: [...distributions, ...onTheWay],
  };
}
