// A JACK server without hardware, of its own name, for as long as a test needs a real device.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether this machine can: the server, and PortAudio to be its client. */
export const hasJack =
  process.platform === 'linux' &&
  spawnSync('jackd', ['--version']).error === undefined &&
  /libportaudio\.so\.2/.test(spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '');

export const JACK_PERIOD = 128;

/** Starts a server that this process' clients find, also again. @returns what ends it. */
export async function startJack(period = JACK_PERIOD): Promise<() => Promise<void>> {
  const name = `krell-test-${process.pid}`;
  process.env['JACK_DEFAULT_SERVER'] = name;
  process.env['JACK_NO_START_SERVER'] = '1';
  const server = spawn('jackd', ['-r', '-n', name, '-d', 'dummy', '-r', '48000', '-p', String(period)], { stdio: 'ignore' });
  const socket = (): boolean => readdirSync('/dev/shm').some((file) => file.startsWith(`jack_${name}_`));
  for (let tries = 0; !socket() && server.exitCode === null && tries < 500; tries++) await sleep(10);
  if (!socket()) throw new Error('the JACK server did not start');
  await sleep(100);
  return () => end(server, name);
}

async function end(server: ChildProcess, name: string): Promise<void> {
  const exited = new Promise((resolve) => server.once('exit', resolve));
  if (server.exitCode === null && server.signalCode === null && server.kill()) await exited;
  for (const file of readdirSync('/dev/shm')) if (file.includes(name)) rmSync(`/dev/shm/${file}`, { force: true });
}
