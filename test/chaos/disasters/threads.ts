// DSP threads that die, and threads that are replaced because they are old.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Show } from '../show.js';
import { codeOf, expectThat, type Disaster } from './disaster.js';

const TRIES = 5;

async function kill(show: Show, worker: number): Promise<void> {
  const { engine, witness } = show;
  const { restarts } = engine.stats().workers[worker]!;
  const death = witness.expect({ what: 'worker', worker });
  await engine.killWorker(worker);
  await show.until(`DSP thread ${worker} is replaced`, () => {
    const now = engine.stats().workers[worker]!;
    return now.alive && now.restarts > restarts && death.seen > 0;
  });
  witness.done(death);
}

export const killLeader: Disaster = {
  name: 'kill the leader',
  async run(show) {
    await kill(show, 0);
    return '';
  },
};

export const killHelper: Disaster = {
  name: 'kill a helper',
  async run(show, random) {
    const worker = 1 + random.below(show.engine.workers - 1);
    await kill(show, worker);
    return `DSP thread ${worker}`;
  },
};

export const killAll: Disaster = {
  name: 'kill all DSP threads',
  async run(show) {
    await Promise.all(Array.from({ length: show.engine.workers }, (_, worker) => kill(show, worker)));
    return '';
  },
};

export const restart: Disaster = {
  name: 'restart a DSP thread',
  async run({ engine }, random) {
    const worker = random.below(engine.workers);
    // While the spare is still on its way, it cannot be done.
    let code = await codeOf(engine.restartWorker(worker));
    for (let tries = 1; code === 'stuck' && tries < TRIES; tries++) {
      await sleep(100);
      code = await codeOf(engine.restartWorker(worker));
    }
    expectThat(code === undefined, `DSP thread ${worker} was not restarted: ${code}`);
    return `DSP thread ${worker}`;
  },
};
