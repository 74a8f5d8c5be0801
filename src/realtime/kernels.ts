// New kernels reach a playing thread as compiled WebAssembly modules over a message port, read between blocks.
import { receiveMessageOnPort } from 'node:worker_threads';
import { WORKER } from '../shared/layout.js';
import type { DspThread } from './thread.js';

/** What control posts to every DSP thread before it adds 1 to KERNELS_POSTED. */
export interface KernelMessage {
  /** Index in the kernel table: STEP.KERNEL of the steps that use it. */
  readonly index: number;
  /** Imports `krell.memory`, exports `kernel(step, offset, frames)`. */
  readonly module: WebAssembly.Module;
}

// setup: allocates, a few times in a thread's life
/** Installs all that have arrived and counts them in KERNELS, so that control knows when a plan may use them. */
export function installKernels(thread: DspThread): void {
  const { words, table, memory, base } = thread;
  while (thread.lacksKernels()) {
    const received = receiveMessageOnPort(thread.port) as { message: KernelMessage } | undefined;
    if (!received) return;
    const { index, module } = received.message;
    try {
      const { kernel } = new WebAssembly.Instance(module, { krell: { memory } }).exports;
      if (index >= table.length) table.grow(index + 1024 - table.length);
      table.set(index, kernel as () => void);
    } catch {
      // The steps that use it will trap on the empty place and be counted again; the thread plays on.
      thread.count(WORKER.FAULTS, 1);
    }
    Atomics.store(words, base + WORKER.KERNELS, ++thread.kernels);
    Atomics.notify(words, base + WORKER.KERNELS);
  }
}
