// Devices: what they are and how one is asked for.
import { KrellError } from '../errors.js';
import type { DriverName } from './driver.js';

export interface Device {
  /** Number in its driver's list. */
  readonly index: number;
  readonly driver: DriverName;
  readonly name: string;
  /** The system's way to it: ALSA, JACK Audio Connection Kit, Core Audio … */
  readonly api: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly isDefault: boolean;
  readonly defaultSampleRate: number;
  /** Those of COMMON_RATES that it plays at, in lists of devices, where the driver knows. */
  readonly sampleRates?: readonly number[];
  /** Where the driver knows them. */
  readonly defaultLowLatencyMs?: number;
  readonly defaultHighLatencyMs?: number;
}

export const COMMON_RATES = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

/**
 * The device to play on: by number, by name, by a part of `name (api)`, or the default one.
 * @throws KrellError 'device' when there is none such; it lists those there are.
 */
export function findDevice(devices: readonly Device[], wanted: string | undefined): Device {
  const playing = devices.filter(({ outputs }) => outputs > 0);
  if (playing.length === 0) throw new KrellError('no-device', 'no sound card found');
  const lower = (wanted ?? '').toLowerCase();
  const found =
    wanted === undefined
      ? (playing.find(({ isDefault }) => isDefault) ?? playing[0])
      : (playing.find(({ index }) => String(index) === wanted) ??
        playing.find(({ name }) => name.toLowerCase() === lower) ??
        playing.find(({ name, api }) => `${name} (${api})`.toLowerCase().includes(lower)));
  if (found && wanted !== '') return found;
  const list = playing.map(({ index, name, api }) => `${index} '${name}' (${api})`).join(', ');
  throw new KrellError('device', `no sound device '${wanted}'`, { hint: `there is ${list}` });
}
