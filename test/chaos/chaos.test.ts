// Half a minute of everything going wrong at once, or as much as `npm run chaos` wants. A sine plays all the while.
import { expect, it } from 'vitest';
import { chaos } from './chaos.js';

const SECONDS = Number(process.env['KRELL_CHAOS_SECONDS'] ?? 30);
const SEED = Number(process.env['KRELL_CHAOS_SEED'] ?? Date.now() % 1e6);

it(
  `the show goes on (KRELL_CHAOS_SEED=${SEED} npm run chaos)`,
  async () => {
    const before = handles();
    const { broken, log, summary, disasters } = await chaos(SEED, SECONDS);
    const report = `KRELL_CHAOS_SEED=${SEED}, ${SECONDS} s\n${summary}\n`;
    console.log(`${report}${disasters} disasters`);
    if (broken.length > 0) expect.fail(`${report}${log.join('\n')}\n\nbroken:\n${broken.join('\n')}`);
    await expect.poll(handles, { timeout: 3000 }).toEqual(before);
  },
  SECONDS * 1000 + 60_000,
);

/** What keeps a process alive, by kind; timers are vitest's, too. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => !['Timeout', 'Immediate'].includes(kind))
    .sort();
}
