// Opens the driver that is asked for, or the best that opens.
import { AUTOMATIC, type AudioDriver, type DriverName, type HostOptions } from './driver.js';
import { FileDriver } from './file.js';
import { JackDriver } from './jack.js';
import { releaseClient } from './jack-library.js';
import { NaudiodonDriver } from './naudiodon.js';
import { NullDriver } from './null.js';
import { PortAudioDriver } from './portaudio.js';
import { releaseStream } from './portaudio-library.js';
import { KrellError } from '../errors.js';

/** An open driver, and in a line why it is this one, if it was not the first choice. */
export interface Opened {
  readonly driver: AudioDriver;
  readonly reason?: string;
}

/**
 * `trying` hears of each library that `auto` calls, which may not return.
 * @throws KrellError 'no-library', 'no-device', 'device', 'unwritable'; for `auto` only when a certain device is wanted and no
 * driver has it.
 */
export function openDriver(options: HostOptions, trying: (driver: DriverName) => void = () => {}): Opened {
  switch (options.driver) {
    case 'auto':
      return openBest(options, trying);
    case 'jack':
      return { driver: new JackDriver(options) };
    case 'portaudio':
      return { driver: new PortAudioDriver(options) };
    case 'naudiodon':
      return { driver: new NaudiodonDriver(options) };
    case 'null':
      return { driver: new NullDriver(options) };
    case 'file':
      return { driver: new FileDriver(options) };
  }
}

function openBest(options: HostOptions, trying: (driver: DriverName) => void): Opened {
  const { hanging = [] } = options;
  const failures = hanging.map((driver) => new KrellError('device', `driver '${driver}' does not answer, as when a sound server hangs`));
  const tried = hanging.map((driver) => `${driver}: it does not answer`);
  for (const driver of AUTOMATIC.filter((name) => !hanging.includes(name)))
    try {
      trying(driver);
      const opened = openDriver({ ...options, driver });
      // That another driver does not have the device that is wanted is nothing to speak of.
      return failures[0] && options.device === undefined ? { ...opened, reason: failures[0].message } : opened;
    } catch (error) {
      const failure = error as KrellError;
      tried.push(`${driver}: ${failure.message}`);
      // Most machines run no JACK server, and miss nothing.
      if (driver !== 'jack' || failure.code === 'device') failures.push(failure);
    }
  // A device that refuses says more than a library that is missing, or than one that knows no device.
  const telling = failures.find(({ code }) => code === 'device') ?? failures.find(({ code }) => code === 'no-device') ?? failures[0]!;
  if (options.device !== undefined) throw telling;
  // Who wants to be heard needs to know of each driver why it is not the one.
  const why = options.inputs ? `${tried.join('; ')};` : `${telling.message}:`;
  return { driver: new NullDriver(options), reason: `${why} playing silently on the null driver` };
}

/** Closes what a driver has abandoned. May take its time. */
export function release(driver: HostOptions['driver'], handle: bigint | undefined): void {
  if (handle === undefined) return;
  if (driver === 'jack') releaseClient(handle);
  else if (driver === 'portaudio') releaseStream(handle);
}
