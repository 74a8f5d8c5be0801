// Which devices there are, and which one `auto` takes.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findDevice, type Device } from './device.js';
import { AUTOMATIC, type DriverName } from './driver.js';
import type { ProbeResult } from './probe.js';

export interface DriverReport {
  readonly name: DriverName;
  readonly available: boolean;
  /** In a line: what it is, or why it cannot be used. */
  readonly reason: string;
}
export interface DeviceList {
  readonly devices: readonly Device[];
  readonly drivers: readonly DriverReport[];
  /** What `--driver auto` takes. */
  readonly auto: { readonly driver: DriverName; readonly device?: string; readonly reason: string };
}

/** A library that has not answered by then hangs. */
const PATIENCE_MS = 10_000;

function probe(driver: DriverName): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('./probe.js', import.meta.url)), [driver], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: PATIENCE_MS,
      execArgv: [],
    });
    child.once('message', (result) => resolve(result as ProbeResult));
    child.once('error', (error) => resolve({ devices: [], problem: error.message }));
    child.once('exit', () => resolve({ devices: [], problem: 'its library crashed or hung' }));
  });
}

const playing = ({ devices }: ProbeResult): number => devices.filter(({ outputs }) => outputs > 0).length;

function report(name: DriverName, result: ProbeResult): DriverReport {
  const count = playing(result);
  const reason = result.problem ?? (count === 0 ? 'no sound card found' : `${count} output device${count === 1 ? '' : 's'}`);
  return { name, available: count > 0, reason };
}

/** Looks for devices with every driver. Takes a few tenths of a second; nothing is printed. */
export async function listDevices(): Promise<DeviceList> {
  const results = await Promise.all(AUTOMATIC.map(async (name) => ({ name, ...(await probe(name)) })));
  const drivers = results.map((result) => report(result.name, result));
  const best = results.find((result) => playing(result) > 0);
  const passed = drivers.slice(0, best ? results.indexOf(best) : drivers.length).map(({ name, reason }) => `${name}: ${reason}`);
  const why = passed.length > 0 ? ` (${passed.join('; ')})` : '';
  const device = best && findDevice(best.devices, undefined);
  return {
    devices: results.flatMap(({ devices }) => devices),
    drivers: [...drivers, { name: 'null', available: true, reason: 'keeps time without sound' }],
    auto: device
      ? { driver: best.name, device: `${device.name} (${device.api})`, reason: `the default device of the first driver that has one${why}` }
      : { driver: 'null', reason: `plays silently, for there is no sound card${why}` },
  };
}
