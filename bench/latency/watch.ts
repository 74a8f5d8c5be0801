// Looks at what another JACK client plays, cycle by cycle, and says when the sound that was asked for began. A thread of probe.ts.
import { workerData } from 'node:worker_threads';
import { JackClient } from '../../src/host/jack-library.js';
import { raisePriority } from '../../src/realtime/priority.js';

/** Words of the memory shared with probe.ts. BEGAN, a double: microseconds at which the packet was sent, then at which the sound began. */
export const WATCH = { STATE: 0, QUIET: 1, STOP: 2, BEGAN: 4, WORDS: 8 } as const;
/** States: what is heard does not matter, or is waited for, or has been heard. */
export const [IDLE, ARMED, HEARD] = [0, 1, 2];

export interface WatchTask {
  readonly memory: SharedArrayBuffer;
  /** The port to listen to. */
  readonly port: string;
}

/** A step from one sample to the next that only the beginning of the sound makes. */
const STEP = 1e-3;
const PRIORITY = 5;

export function watch({ memory, port }: WatchTask): void {
  const words = new Int32Array(memory);
  const began = new Float64Array(memory, WATCH.BEGAN * 4, 1);
  const client = new JackClient('krell-probe');
  const input = client.addPort('in', 'input');
  const samples = new Float32Array(client.periodFrames);
  raisePriority(PRIORITY);
  client.activate();
  client.connect(port, `${client.name}:in`);
  let last = 0;
  while (Atomics.load(words, WATCH.STOP) === 0) {
    if (!client.awaitCycle()) continue;
    const frames = client.beginCycle();
    const now = Number(process.hrtime.bigint()) / 1000;
    client.read(input, samples, frames);
    client.endCycle();
    let step = -1;
    let rises = false;
    for (let frame = 0; frame < frames; frame++) {
      const difference = samples[frame]! - last;
      if (step < 0 && Math.abs(difference) > STEP) [step, rises] = [frame, difference > 0];
      last = samples[frame]!;
    }
    if (step < 0) {
      Atomics.add(words, WATCH.QUIET, 1);
      continue;
    }
    // The sound begins with a step up and ends with one down. What else there is comes of a gap.
    if (!rises || Atomics.load(words, WATCH.QUIET) > 0) Atomics.store(words, WATCH.QUIET, 0);
    if (!rises || now < began[0]! || Atomics.load(words, WATCH.STATE) !== ARMED) continue;
    began[0] = now + (1e6 * step) / client.sampleRate;
    Atomics.store(words, WATCH.STATE, HEARD);
    Atomics.notify(words, WATCH.STATE);
  }
  client.close();
}

const task = workerData as WatchTask | null;
if (task?.memory) watch(task);
