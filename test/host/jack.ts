// A JACK server for tests.
import { spawnSync } from 'node:child_process';
import { findJackd, startJackd } from '#bench/peers/jackd.js';

/** Whether this machine can: the server, and PortAudio to be its client. */
export const hasJack =
  findJackd() !== undefined && /libportaudio\.so\.2/.test(spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '');

export const JACK_PERIOD = 128;

/** Starts a server that this process' clients find, also again; `options`: more for its dummy driver. @returns what ends it. */
export const startJack = (period = JACK_PERIOD, options: readonly string[] = []): Promise<() => Promise<void>> =>
  startJackd(`krell-test-${process.pid}`, period, { dummy: options });
