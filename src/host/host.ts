// The audio host: a thread that opens a device, feeds it from the output ring and closes it. Control starts it as a Worker with
// HostOptions for its data; it tells what happens in HostMessages, and leaves after RUN_STOP or when its file is complete.
//
// A host whose device goes away plays on by the clock, so that the engine keeps time. Control then starts another, on standby:
// it tries once a second to open the device again, in its own time, for calls into a sound library may last. When it has succeeded
// it takes its turn: it names itself in HOST_TURN, the other leaves at the end of its period and says so in HOST_LEFT.
import { parentPort, workerData } from 'node:worker_threads';
import { CONTROL, HOST_ENDED, HOST_FAILED, HOST_PLAYING, RUN_STOP } from '../shared/layout.js';
import type { AudioDriver, HostMessage, HostOptions } from './driver.js';
import type { FileResult } from './file.js';
import { NullDriver } from './null.js';
import { openDriver, release, type Opened } from './open.js';
import { Player } from './player.js';
import { takeTurns } from './quiet.js';
import { HOST_PRIORITY, raisePriority } from '../realtime/priority.js';

const RETRY_MS = 1000;
/** How often one that waits for its turn looks whether the engine has stopped. */
const LOOK_MS = 100;

const options = workerData as HostOptions;
const { turn = 0, quiet } = options;
if (quiet) takeTurns(quiet);
const words = new Int32Array(options.memory.buffer);
const hasTurn = (): boolean => Atomics.load(words, CONTROL.HOST_TURN) === turn;
const isStopped = (): boolean => Atomics.load(words, CONTROL.RUN) === RUN_STOP;

const tell = (message: HostMessage): void => parentPort?.postMessage(message);
function enter(word: number, state: number): void {
  Atomics.store(words, word, state);
  Atomics.notify(words, word);
}

/** Plays to the end, if need be without its device. */
async function play(driver: AudioDriver, player: Player): Promise<FileResult | undefined> {
  try {
    const result = (await driver.run(player)) ?? undefined;
    driver.close();
    return result;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== 'device-lost') {
      driver.close();
      throw error;
    }
    tell({ kind: 'lost', driver: driver.name, message, abandoned: driver.abandon?.() });
    new NullDriver(driver).run(player);
    return undefined;
  }
}

/** Opens a device that was lost as soon as it is there again. @returns undefined when the engine stops first */
function reopen(): Opened | undefined {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let told = '';
  release(options.driver, options.handle);
  for (let ms = 0; !isStopped(); ms += LOOK_MS) {
    if (ms % RETRY_MS === 0)
      try {
        return openDriver(options);
      } catch (error) {
        const { message } = error as Error;
        if (message !== told) tell({ kind: 'waiting', message });
        told = message;
      }
    Atomics.wait(sleeper, 0, 0, LOOK_MS);
  }
  return undefined;
}

/** Waits until the host before this one has left. */
function takeTurn(): void {
  enter(CONTROL.HOST_TURN, turn);
  for (let left; (left = Atomics.load(words, CONTROL.HOST_LEFT)) !== turn && !isStopped();)
    Atomics.wait(words, CONTROL.HOST_LEFT, left, LOOK_MS);
}

try {
  const isStandby = !hasTurn();
  const opened = isStandby ? reopen() : openDriver(options, (driver) => tell({ kind: 'trying', driver }));
  // A library may answer when another host has been given the turn already.
  if (opened && !isStandby && !hasTurn()) opened.driver.close();
  else if (opened) {
    const { driver, reason } = opened;
    const { name, device, periodFrames, latencyMs } = driver;
    // Offline there is no hurry that anybody else should have to wait for.
    if (name !== 'file') raisePriority(HOST_PRIORITY);
    const player = new Player(options.memory, periodFrames, turn, isStandby);
    tell({ kind: 'open', driver: name, device, periodFrames, latencyMs, ...(reason ? { reason } : {}) });
    if (isStandby) takeTurn();
    enter(CONTROL.HOST_STATE, HOST_PLAYING);
    const file = await play(driver, player);
    if (isStopped() || name === 'file') {
      tell({ kind: 'ended', ...(file ? { file } : {}) });
      enter(CONTROL.HOST_STATE, HOST_ENDED);
    } else enter(CONTROL.HOST_LEFT, Atomics.load(words, CONTROL.HOST_TURN));
  }
} catch (error) {
  const { code = 'host', message } = error as Error & { code?: string };
  tell({ kind: 'failed', code, message });
  enter(CONTROL.HOST_STATE, HOST_FAILED);
}
