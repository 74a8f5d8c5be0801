// Kernels are compiled on threads of their own, a Piscina pool that all engines of a process share, so that no edit holds up the
// control thread: a reverb takes 50 ms and more.
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import { compileKernel, type CompiledKernel, type KernelRequest } from '../kernel/compile.js';
import { KernelError } from '../kernel/index.js';
import type { KernelFault } from '../kernel/worker.js';
import { newThreadPool } from '../threads/pool.js';

const MAX_THREADS = 4;
/** One thread stays, with the sources it has parsed; the others leave after this time. */
const IDLE_MS = 10_000;

let pool: Piscina<KernelRequest, CompiledKernel | KernelFault> | undefined;

/** Starts the first thread, if that has not been done. It does not keep the process alive. */
export function startCompiler(): NonNullable<typeof pool> {
  pool ??= newThreadPool(new URL('../kernel/worker.js', import.meta.url), {
    minThreads: 1,
    maxThreads: Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
    idleTimeout: IDLE_MS,
  });
  return pool;
}

/** Compiles a kernel on another thread, or on this one should that die of it. @throws KernelError */
export async function compileElsewhere(request: KernelRequest): Promise<CompiledKernel> {
  const result = await startCompiler()
    .run(request)
    .catch(() => compileKernel(request));
  if (!('problem' in result)) return result;
  const { problem, file, line, column, frame, hint } = result;
  throw new KernelError(problem, file, line, column, frame, hint);
}
