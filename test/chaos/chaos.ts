// Chaos: several lanes of disasters side by side, each lane one after the other, all from one seed.
//
// What happens, with which parameters and in which order within a lane, follows from the seed alone; how the lanes interleave does not.
import { appendFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasJack } from '../host/jack.js';
import { plugIn, plugOut, unplug } from './disasters/device.js';
import type { Disaster } from './disasters/disaster.js';
import { cableStorm, exhaustMemory, exhaustModules, recall, swap } from './disasters/edits.js';
import { hang, nan, slow, trap } from './disasters/modules.js';
import { floods, killOsc, play } from './disasters/network.js';
import { blockMain, crashJobs, hangScript, makeGarbage, record } from './disasters/process.js';
import { killAll, killHelper, killLeader, restart } from './disasters/threads.js';
import { plant } from './kernels.js';
import { Random } from './random.js';
import { Show } from './show.js';

const LANES: Readonly<Record<string, readonly Disaster[]>> = {
  threads: [killLeader, killHelper, killHelper, killAll, restart, restart, trap, hang, hang, slow, nan, nan],
  patches: [swap, swap, swap, exhaustMemory, exhaustModules, cableStorm, cableStorm, recall, recall, hangScript],
  network: [...floods, ...floods, killOsc],
  process: [blockMain, makeGarbage, crashJobs, crashJobs, record, record],
  player: [play],
};
const MOST_PAUSE_MS = 300;

export interface Outcome {
  readonly broken: readonly string[];
  readonly log: readonly string[];
  readonly summary: string;
  readonly disasters: number;
}

export async function chaos(seed: number, seconds: number): Promise<Outcome> {
  const random = new Random(seed);
  plant();
  // Drawn in any case, so that all else is the same where there is no server.
  const isDevice = random.next() < 0.5 && hasJack;
  const settings = { workers: 2 + random.below(2), realtime: random.next() < 0.5 };
  const log: string[] = [];
  const start = performance.now();
  // On disk as it happens: what ends the process must not end the log.
  const file = join(tmpdir(), `krell-chaos-${seed}.log`);
  const note = (text: string): void => {
    log.push(`${((performance.now() - start) / 1000).toFixed(2).padStart(7)} s  ${text}`);
    appendFileSync(file, `${log.at(-1)!}\n`);
  };
  note(`${JSON.stringify(settings)}${isDevice ? ', on a JACK server' : ''}`);
  if (isDevice) await plugIn();
  try {
    const show = await Show.open({ ...settings, ...(isDevice ? { output: { driver: 'jack' } } : {}) });
    try {
      const end = performance.now() + seconds * 1000;
      const goesOn = (): boolean => performance.now() < end && show.broken().length === 0;
      let disasters = 0;
      const run = async (lane: string, choice: readonly Disaster[], own: Random): Promise<void> => {
        while (goesOn()) {
          const { name, run } = own.pick(choice);
          const from = show.engine.frame;
          note(`${lane}: ${name} …`);
          try {
            const detail = await run(show, own.fork());
            note(`${lane}: ${name}${detail && `, ${detail}`} (frames ${from} to ${show.engine.frame})`);
          } catch (error) {
            show.wrong.push(`${name} (frames ${from} to ${show.engine.frame}): ${(error as Error).message}`);
          }
          disasters++;
          await sleep(own.below(MOST_PAUSE_MS));
        }
      };
      const lanes = Object.entries(isDevice ? { ...LANES, device: [unplug] } : LANES);
      const halfTime = setTimeout(() => show.remember(), seconds * 500);
      await Promise.all(lanes.map(([lane, choice]) => run(lane, choice, random.fork())));
      clearTimeout(halfTime);
      await sleep(500);
      const broken = await show.close();
      rmSync(file);
      return { broken, log, summary: show.summary(), disasters };
    } catch (error) {
      await show.abandon();
      throw error;
    }
  } finally {
    if (isDevice) await plugOut();
  }
}
