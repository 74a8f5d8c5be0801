// Time for the host's loops: the wall clock, and sleep. Neither leaves anything on the heap, where native functions can be called.
import { performance } from 'node:perf_hooks';
import { nativeFunction } from '../realtime/native.js';

const [REALTIME, MONOTONIC] = [0, 1];
/** Words of a timespec with 64-bit fields: seconds (low, high), nanoseconds (low, high). */
const [SECONDS, NANOSECONDS, TIMESPEC_WORDS] = [0, 2, 4];

const timespecNative = (prototype: string): ReturnType<typeof nativeFunction> =>
  process.arch === 'x64' || process.arch === 'arm64' ? nativeFunction('libc.so.6', prototype) : undefined;

/** Unix time as of the last `read`. */
export class WallClock {
  private readonly time = new Int32Array(TIMESPEC_WORDS);
  private readonly gettime = timespecNative('int clock_gettime(int, void *)');

  read(): void {
    if (this.gettime) {
      this.gettime(REALTIME, this.time);
      return;
    }
    const ms = performance.timeOrigin + performance.now();
    this.time[SECONDS] = ms / 1000;
    this.time[NANOSECONDS] = (ms % 1000) * 1e6;
  }
  get seconds(): number {
    return this.time[SECONDS]!;
  }
  get nanoseconds(): number {
    return this.time[NANOSECONDS]!;
  }
}

/** Makes a function that sleeps for so many nanoseconds, less than a second's. */
export function openSleep(): (ns: number) => void {
  const nanosleep = timespecNative('int clock_nanosleep(int, int, void *, void *)');
  if (!nanosleep) {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    return (ns) => void Atomics.wait(cell, 0, 0, ns / 1e6);
  }
  const time = new Int32Array(TIMESPEC_WORDS);
  return (ns) => {
    time[NANOSECONDS] = ns;
    nanosleep(MONOTONIC, 0, time, null);
  };
}
