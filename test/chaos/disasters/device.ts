// The sound device is unplugged, and plugged in again.
import { setTimeout as sleep } from 'node:timers/promises';
import { startJack } from '../../host/jack.js';
import { type Disaster } from './disaster.js';

let end: () => Promise<void> = async () => {};

export const plugIn = async (): Promise<void> => void (end = await startJack(128));
export const plugOut = (): Promise<void> => end();

export const unplug: Disaster = {
  name: 'unplug the device',
  async run(show, random) {
    const changes = show.deviceChanges;
    const ms = 100 + random.below(1500);
    await plugOut();
    await show.until('the device is lost', () => show.deviceChanges > changes);
    await sleep(ms);
    await plugIn();
    await show.until('the device is back', () => show.deviceChanges > changes + 1);
    return `for ${ms} ms`;
  },
};
