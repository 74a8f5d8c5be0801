// Sends a packet, and measures how long it takes until a JACK client hears what it asked for. A process of its own, so that neither
// the sending nor the listening is in the way of what is measured; started by latency.ts.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ARMED, HEARD, IDLE, WATCH, type WatchTask } from './watch.js';

export interface ProbeTask {
  /** UDP port on this machine. */
  readonly udpPort: number;
  /** The JACK port to listen to. */
  readonly jackPort: string;
  /** Packets, in base64: the first begins the sound, the second ends it. */
  readonly on: string;
  readonly off: string;
  readonly trials: number;
}
export interface Probed {
  /** Microseconds from before the packet is sent to the cycle in which the sound is heard, and on to its first frame in that cycle. */
  readonly us: readonly number[];
  /** Packets without a sound. */
  readonly lost: number;
}

const PATIENCE_MS = 500;
/** Cycles without a step before the next packet. */
const QUIET_CYCLES = 4;
const UNHEARD = -(2 ** 30);

async function probe({ udpPort, jackPort, on, off, trials }: ProbeTask): Promise<Probed> {
  const memory = new SharedArrayBuffer(WATCH.WORDS * 4);
  const words = new Int32Array(memory);
  const began = new Float64Array(memory, WATCH.BEGAN * 4, 1);
  const watcher = new Worker(new URL('watch.js', import.meta.url), { workerData: { memory, port: jackPort } satisfies WatchTask });
  const socket = createSocket('udp4');
  socket.connect(udpPort, '127.0.0.1');
  await once(socket, 'connect');
  const packets = [on, off].map((text) => Buffer.from(text, 'base64'));
  const us: number[] = [];
  let lost = 0;
  for (let trial = 0; trial < trials; trial++) {
    for (let ms = 0; Atomics.load(words, WATCH.QUIET) < QUIET_CYCLES && ms < PATIENCE_MS; ms++) await sleep(1);
    // At any moment of a cycle.
    await sleep(1 + Math.random() * 4);
    for (let end = performance.now() + Math.random(); performance.now() < end;);
    const sent = (began[0] = Number(process.hrtime.bigint()) / 1000);
    Atomics.store(words, WATCH.STATE, ARMED);
    socket.send(packets[0]!);
    Atomics.wait(words, WATCH.STATE, ARMED, PATIENCE_MS);
    if (Atomics.load(words, WATCH.STATE) === HEARD) us.push(began[0]! - sent);
    else lost++;
    Atomics.store(words, WATCH.STATE, IDLE);
    // Not before the sound's end has been heard is it quiet.
    Atomics.store(words, WATCH.QUIET, UNHEARD);
    socket.send(packets[1]!);
  }
  Atomics.store(words, WATCH.STOP, 1);
  await once(watcher, 'exit');
  socket.close();
  return { us, lost };
}

process.once('message', (task) => {
  void probe(task as ProbeTask).then((probed) => process.send!(probed, () => process.disconnect()));
});
