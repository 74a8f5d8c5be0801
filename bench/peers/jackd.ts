// A JACK server without hardware, of its own name, for as long as something needs a real device.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../../src/errors.js';
import { findProgram } from './program.js';

export const findJackd = (): string | undefined => (process.platform === 'linux' ? findProgram('jackd') : undefined);

const START_MS = 5000;
/** From its being there to its being ready. */
const READY_MS = 100;

export interface JackdOptions {
  /** More for its dummy driver. */
  readonly dummy?: readonly string[];
  /** Real-time priority, as a performer's server has, where the system allows it; it says no word if not. */
  readonly isRealtime?: boolean;
}

/** Starts a server that this process' JACK clients, and those of its children, find; again if need be. @returns what ends it */
export async function startJackd(
  name: string,
  periodFrames: number,
  { dummy = [], isRealtime = false }: JackdOptions = {},
): Promise<() => Promise<void>> {
  process.env['JACK_DEFAULT_SERVER'] = name;
  process.env['JACK_NO_START_SERVER'] = '1';
  const priority = isRealtime ? ['-R', '-P', '70'] : ['-r'];
  const server = spawn('jackd', [...priority, '-n', name, '-d', 'dummy', '-r', '48000', '-p', String(periodFrames), ...dummy], {
    stdio: 'ignore',
  });
  const socket = (): boolean => readdirSync('/dev/shm').some((file) => file.startsWith(`jack_${name}_`));
  for (let ms = 0; !socket() && server.exitCode === null && ms < START_MS; ms += 10) await sleep(10);
  if (!socket()) throw new KrellError('peer', 'the JACK server did not start');
  await sleep(READY_MS);
  return () => end(server, name);
}

async function end(server: ChildProcess, name: string): Promise<void> {
  const exited = new Promise((resolve) => server.once('exit', resolve));
  if (server.exitCode === null && server.signalCode === null && server.kill()) await exited;
  for (const file of readdirSync('/dev/shm')) if (file.includes(name)) rmSync(`/dev/shm/${file}`, { force: true });
}
