// Time for load measurements: nanoseconds as a wrapping 32-bit integer, so that differences up to 2 s are right.
//
// An integer, because a float returned by a function is an object on the heap: with `performance.now()` twenty times a block the
// collector came every four seconds. The C library's clock writes into an array of ours and leaves the heap alone.
import { performance } from 'node:perf_hooks';
import { nativeFunction } from './native.js';

export type Clock = () => number;

/** `CLOCK_MONOTONIC`, `CLOCK_THREAD_CPUTIME_ID`; then the words of a timespec: seconds (low, high), nanoseconds. */
const MONOTONIC = 1;
const THREAD_CPU = 3;
const [SECONDS, NANOSECONDS, TIMESPEC_WORDS] = [0, 2, 4];

// setup
/** Time as it passes. */
export const openClock = (): Clock => open(MONOTONIC);

// setup
/** Time for which this thread has run; time as it passes, where that is not known. */
export const openCpuClock = (): Clock => open(THREAD_CPU);

/** Without native functions. Each thread has an origin of its own for `performance.now()`: from there to one that all share. */
const originNs = (performance.timeOrigin * 1e6) % 2 ** 32;
export const plainClock: Clock = () => (originNs + performance.now() * 1e6) | 0;

// setup
function open(clock: number): Clock {
  const gettime =
    process.arch === 'x64' || process.arch === 'arm64' ? nativeFunction('libc.so.6', 'int clock_gettime(int, void *)') : undefined;
  if (!gettime) return plainClock;
  const time = new Int32Array(TIMESPEC_WORDS);
  return () => {
    gettime(clock, time);
    return (Math.imul(time[SECONDS]!, 1e9) + time[NANOSECONDS]!) | 0;
  };
}
