// The audio host: a thread that opens a device, feeds it from the output ring and closes it. Control starts it as a Worker with
// HostOptions for its data; it tells what happens in HostMessages, and leaves after RUN_STOP or when its file is complete.
import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL, HOST_ENDED, HOST_FAILED, HOST_PLAYING } from '../shared/layout.js';
import type { AudioDriver, HostMessage, HostOptions } from './driver.js';
import type { FileResult } from './file.js';
import { NullDriver } from './null.js';
import { openDriver } from './open.js';
import { Player } from './player.js';
import { HOST_PRIORITY, raisePriority } from '../realtime/priority.js';

const options = workerData as HostOptions;
const words = new Int32Array(options.memory.buffer);

const tell = (message: HostMessage): void => parentPort?.postMessage(message);
function enter(state: number): void {
  Atomics.store(words, CONTROL.HOST_STATE, state);
  Atomics.notify(words, CONTROL.HOST_STATE);
}

/** Plays to the end. Without its device it goes on by the clock, so that the engine keeps time. */
async function play(driver: AudioDriver, player: Player): Promise<FileResult | undefined> {
  try {
    return (await driver.run(player)) ?? undefined;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== 'device-lost') throw error;
    tell({ kind: 'lost', message });
    new NullDriver(driver).run(player);
    return undefined;
  } finally {
    driver.close();
  }
}

try {
  const { driver, reason } = openDriver(options);
  const { name, device, periodFrames, latencyMs } = driver;
  // Offline there is no hurry that anybody else should have to wait for.
  if (name !== 'file') raisePriority(HOST_PRIORITY);
  const player = new Player(options.memory, periodFrames);
  tell({ kind: 'open', driver: name, device, periodFrames, latencyMs, ...(reason ? { reason } : {}) });
  enter(HOST_PLAYING);
  const file = await play(driver, player);
  tell({ kind: 'ended', ...(file ? { file } : {}) });
  enter(HOST_ENDED);
} catch (error) {
  const { code = 'host', message } = error as Error & { code?: string };
  tell({ kind: 'failed', code, message });
  enter(HOST_FAILED);
}
