// Asks one driver for its devices, in a process of its own: what the sound libraries print goes nowhere, and if one crashes,
// it crashes alone. Started by devices.ts; the answer goes to the parent process.
import type { Device } from './device.js';
import type { DriverName } from './driver.js';
import { jackDevices } from './jack-library.js';
import { naudiodonDevices } from './naudiodon.js';
import { PortAudio } from './portaudio-library.js';

/** What a probe answers. */
export interface ProbeResult {
  readonly devices: readonly Device[];
  /** Why there are none. */
  readonly problem?: string;
}

function portAudioDevices(): Device[] {
  const library = new PortAudio();
  try {
    return library.devices().map((device) => ({ ...device, sampleRates: library.ratesOf(device) }));
  } finally {
    library.close();
  }
}

const LISTS: Partial<Record<DriverName, () => Device[]>> = { jack: jackDevices, portaudio: portAudioDevices, naudiodon: naudiodonDevices };

function probe(driver: DriverName): ProbeResult {
  try {
    return { devices: LISTS[driver]!() };
  } catch (error) {
    return { devices: [], problem: (error as Error).message };
  }
}

process.send!(probe(process.argv[2] as DriverName), () => process.exit());
