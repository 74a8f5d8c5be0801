// A thread that compiles kernels. An error in a source comes back as its parts: an error's class would be lost on the way.
import { compileKernel, type CompiledKernel, type KernelRequest } from './compile.js';
import { KernelError } from './source.js';

export type KernelFault = Pick<KernelError, 'problem' | 'file' | 'line' | 'column' | 'frame' | 'hint'>;

export default function compile(request: KernelRequest): CompiledKernel | KernelFault {
  try {
    return compileKernel(request);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const { problem, file, line, column, frame, hint } = error;
    return { problem, file, line, column, frame, ...(hint === undefined ? {} : { hint }) };
  }
}
