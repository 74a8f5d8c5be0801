// Priority of the threads that sound depends on: before everything else on the machine, if it allows that.
//
// SCHED_FIFO below the kernel's own audio threads (which have 50 and more); where that is not permitted (it takes root,
// CAP_SYS_NICE or an rtprio limit), a nice value; where not even that, nothing changes and everything still works.
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { nativeFunction } from './native.js';

const SCHED_FIFO = 1;
const NICE = -11;

export const DSP_PRIORITY = 10;
/** The host is asleep most of the time and must not be late. */
export const HOST_PRIORITY = 15;

export const SCHEDULINGS = ['normal', 'nice', 'fifo'] as const;
export type Scheduling = (typeof SCHEDULINGS)[number];

// setup
/** Raises this thread above others. @returns what could be had. */
export function raisePriority(priority: number): Scheduling {
  const setScheduler = nativeFunction('libc.so.6', 'int sched_setscheduler(int pid, int policy, void *param)');
  const parameter = Buffer.alloc(4);
  parameter.writeInt32LE(priority);
  return setScheduler?.(0, SCHED_FIFO, parameter) === 0 ? 'fifo' : favour();
}

// setup
/**
 * Gives this thread more of the processor than others get, but nothing before sound: for threads that others can keep busy. (A busy thread
 * under SCHED_FIFO makes the kernel stop them all for 50 ms in every second, the audio threads too.)
 */
export function favour(): Scheduling {
  try {
    const id = systemThreadId();
    if (id === 0) return 'normal';
    setPriority(id, NICE);
    return 'nice';
  } catch {
    return 'normal';
  }
}

// setup
/** The system's number of this thread; 0 where it has none. */
export function systemThreadId(): number {
  try {
    // The name of this link is <process>/task/<thread>.
    return Number(basename(readlinkSync('/proc/thread-self')));
  } catch {
    return 0;
  }
}
