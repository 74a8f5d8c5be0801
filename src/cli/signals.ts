// Ctrl-C, and the polite kill. The first stops gracefully, the second at once.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Seconds a graceful stop may take. */
const PATIENCE_S = 2;

/** Exit code of a process ended by Ctrl-C (128 + SIGINT). */
export const INTERRUPTED = 130;

/**
 * From now on the first Ctrl-C aborts the returned signal and the command has two seconds to end; so does the end of whoever reads what it
 * prints (`krell monitor | head -1`). A second one ends the process with
 * 130; whoever is that impatient gets the system's own Ctrl-C back for a third.
 */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      for (const signal of SIGNALS) process.removeAllListeners(signal);
      process.exit(INTERRUPTED);
    }
    controller.abort();
    setTimeout(giveUp, PATIENCE_S * 1000).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.once('error', () => controller.abort());
  return controller.signal;
}

/** An orderly exit waits for threads, and a thread inside a sound driver that hangs never returns: hence SIGKILL. */
function giveUp(): void {
  process.stderr.write(`krell: did not stop within ${PATIENCE_S} s, killed\n`);
  process.emit('exit', 1);
  process.kill(process.pid, 'SIGKILL');
}

/** Resolves after `seconds`, or as soon as `signal` aborts. */
export const pause = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener('abort', done);
  });
