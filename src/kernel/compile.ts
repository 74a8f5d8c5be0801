// A kernel from its source as one piece of work. What goes in and what comes out can travel between threads.
import type { ModuleDefinition } from '../module.js';
import { kernelShape, type KernelVariant } from './index.js';
import { countOperations } from './ir.js';
import { encodeKernel } from './wasm/backend.js';

export interface KernelRequest {
  readonly definition: ModuleDefinition;
  readonly variant: KernelVariant;
  /** The source, for modules from outside the package. */
  readonly path: string | undefined;
}

export interface CompiledKernel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Operations per sample of one lane group: what the scheduler knows of its cost before it has run. */
  readonly operations: number;
}

/** @throws KernelError */
export function compileKernel({ definition, variant, path }: KernelRequest): CompiledKernel {
  const shape = kernelShape(definition, variant, path);
  return { bytes: encodeKernel(shape), operations: countOperations(shape.graph) };
}
