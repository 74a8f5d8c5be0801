// Libraries that must outlive the thread that loaded them.
import type { Koffi } from '../realtime/native.js';

/** dlopen's RTLD_NOW | RTLD_NODELETE. */
const FOR_GOOD: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1002, darwin: 0x82 };

/**
 * Keeps a library in memory for as long as the process lives. When the host thread ends, koffi unloads what it has loaded; a
 * stream that is still open (a device that has gone, a thread ended by force) would go on in code that is no longer there.
 */
export function pin(koffi: Koffi, file: string): void {
  const flags = FOR_GOOD[process.platform];
  if (flags !== undefined) koffi.load(null).func('void *dlopen(const char *, int)')(file, flags);
}
