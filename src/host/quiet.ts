// Sound libraries talk: ALSA and JACK on the error output while they look for devices, naudiodon on the standard output.
// Their words mean nothing to a performer, and what matters comes back as an error code.
import { closeSync, openSync } from 'node:fs';
import { loadKoffi } from '../realtime/native.js';

export const STDOUT = 1;
export const STDERR = 2;

/**
 * Runs `task` while what the process writes to the given outputs goes nowhere. It is short and at start, for it silences
 * every thread. Without koffi or on Windows the task runs unmuted.
 */
export function quietly<T>(outputs: readonly number[], task: () => T): T {
  const koffi = process.platform === 'win32' ? undefined : loadKoffi();
  if (!koffi) return task();
  const libc = koffi.load(null);
  const dup = libc.func('int dup(int)') as (fd: number) => number;
  const dup2 = libc.func('int dup2(int, int)') as (from: number, to: number) => number;
  const close = libc.func('int close(int)') as (fd: number) => number;
  const flush = libc.func('int fflush(void *)') as (stream: null) => number;
  const nowhere = openSync('/dev/null', 'w');
  const kept = outputs.map((output) => dup(output));
  for (const output of outputs) dup2(nowhere, output);
  try {
    return task();
  } finally {
    // C keeps what it prints to a pipe or file in a buffer, to be written later: now, while it still goes nowhere.
    flush(null);
    outputs.forEach((output, i) => dup2(kept[i]!, output));
    for (const fd of kept) close(fd);
    closeSync(nowhere);
  }
}
