// The audio host: a thread that opens a device, feeds it from the output ring and closes it. Control starts it with
// `new Worker(HOST_FILE, { workerData: HostOptions })`; it ends by itself after RUN_STOP, or when its file is complete.
import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL, HOST_ENDED, HOST_FAILED, HOST_PLAYING } from '../shared/layout.js';
import type { AudioDriver, HostMessage, HostOptions } from './driver.js';
import { FileDriver } from './file.js';
import { NullDriver } from './null.js';
import { Player } from './player.js';

/** Opens the driver asked for. @throws KrellError when that is not possible. */
async function openDriver(options: HostOptions): Promise<AudioDriver> {
  switch (options.driver) {
    case 'null':
      return new NullDriver(options);
    case 'file':
      return new FileDriver(options);
    default:
      throw new Error(`not there yet`);
  }
}

async function host(options: HostOptions): Promise<void> {
  const words = new Int32Array(options.memory.buffer);
  const enter = (state: number): void => {
    Atomics.store(words, CONTROL.HOST_STATE, state);
    Atomics.notify(words, CONTROL.HOST_STATE);
  };
  const tell = (message: HostMessage): void => parentPort?.postMessage(message);
  let driver: AudioDriver | undefined;
  try {
    driver = await openDriver(options);
    const { name, device, periodFrames, latencyMs } = driver;
    const player = new Player(options.memory, periodFrames);
    tell({ kind: 'open', driver: name, device, periodFrames, latencyMs });
    enter(HOST_PLAYING);
    const file = await driver.run(player);
    driver.close();
    tell({ kind: 'ended', ...(file ? { file } : {}) });
    enter(HOST_ENDED);
  } catch (error) {
    driver?.close();
    const { code = 'host', message } = error as Error & { code?: string };
    tell({ kind: 'failed', code, message });
    enter(HOST_FAILED);
  }
}

await host(workerData as HostOptions);
