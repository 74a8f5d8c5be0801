// The end of a process one of whose threads is inside a sound library that does not return.
import { nativeFunction, once } from '../realtime/native.js';

/**
 * Such a thread cannot be ended, and an orderly exit waits for it, for ever: from now on this process exits without that. (Where native
 * functions cannot be called, it has to be killed.) In the main thread.
 */
export const exitWithoutThreads = once((): void => {
  const exit = nativeFunction('libc.so.6', 'void _exit(int)');
  if (exit) process.once('exit', (code) => void exit(code));
});
