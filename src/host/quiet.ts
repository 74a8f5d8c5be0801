// Sound libraries talk: ALSA and JACK on the error output while they look for devices, naudiodon on the standard output.
// Their words mean nothing to a performer, and what matters comes back as an error code.
import { closeSync, openSync } from 'node:fs';
import { loadKoffi, once } from '../realtime/native.js';

export const STDOUT = 1;
export const STDERR = 2;

interface CLibrary {
  readonly dup: (fd: number) => number;
  readonly dup2: (from: number, to: number) => number;
  readonly close: (fd: number) => number;
  readonly flush: (stream: null) => number;
}

/** Once a thread: koffi keeps for good what it is told of a function. */
const cLibrary = once((): CLibrary | undefined => {
  const libc = process.platform === 'win32' ? undefined : loadKoffi()?.load(null);
  return (
    libc && {
      dup: libc.func('int dup(int)') as CLibrary['dup'],
      dup2: libc.func('int dup2(int, int)') as CLibrary['dup2'],
      close: libc.func('int close(int)') as CLibrary['close'],
      flush: libc.func('int fflush(void *)') as CLibrary['flush'],
    }
  );
});

/** A word that all host threads of the process share: 1 while one of them has the outputs turned off. */
let turn = new Int32Array(new SharedArrayBuffer(4));
const [FREE, TAKEN] = [0, 1];
/** One that dies while it has its turn must not keep the others. */
const PATIENCE_MS = 5000;

/** From now on this thread takes turns with the others that have this word. */
export function takeTurns(word: Int32Array<SharedArrayBuffer>): void {
  turn = word;
}

/**
 * Runs `task` while what the process writes to the given outputs goes nowhere. It is short and at start, for it silences
 * every thread. One thread at a time: what a second one found, and put back in the end, would be nowhere. Without koffi or on Windows the task runs unmuted.
 */
export function quietly<T>(outputs: readonly number[], task: () => T): T {
  const calls = cLibrary();
  if (!calls) return task();
  const { dup, dup2, close, flush } = calls;
  while (Atomics.compareExchange(turn, 0, FREE, TAKEN) !== FREE) if (Atomics.wait(turn, 0, TAKEN, PATIENCE_MS) === 'timed-out') break;
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
    Atomics.store(turn, 0, FREE);
    Atomics.notify(turn, 0, 1);
  }
}
