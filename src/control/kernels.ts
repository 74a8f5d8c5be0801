// Kernels by situation: compiled once, numbered, and handed to the DSP threads.
import { encodeKernel } from '../kernel/wasm/backend.js';
import { countOperations } from '../kernel/ir.js';
import { kernelShape, variantKey, type KernelVariant } from '../kernel/index.js';
import type { ModuleDefinition } from '../module.js';
import type { DspThreads } from './threads.js';

/** A compiled kernel. Shared by all engines of a process. */
interface Code {
  readonly module: Promise<WebAssembly.Module>;
  /** Operations per sample of one lane group: what the scheduler knows of its cost before it has run. */
  readonly operations: number;
}

const compiled = new Map<string, Code>();

/** Kernels to be used in place of a module type's own: for tests of what becomes of kernels that misbehave. */
export const planted = new Map<string, Uint8Array<ArrayBuffer>>();

/** Where a module's source is, for modules from outside the package. */
export type SourcePath = (definition: ModuleDefinition) => string | undefined;

function compile(definition: ModuleDefinition, variant: KernelVariant, path: string | undefined): Code {
  const key = `${path ?? ''} ${variantKey(definition.type, variant)}`;
  let code = compiled.get(key);
  if (!code) {
    const shape = kernelShape(definition, variant, path);
    const module = WebAssembly.compile(encodeKernel(shape));
    // A rejection is seen by whoever awaits it.
    module.catch(() => {});
    code = { module, operations: countOperations(shape.graph) };
    compiled.set(key, code);
  }
  return code;
}

export interface Kernel {
  /** Index in the DSP threads' kernel tables. */
  readonly index: number;
  readonly operations: number;
}

/** The kernels of one engine. */
export class Kernels {
  readonly #threads: Pick<DspThreads, 'post'>;
  readonly #sourcePath: SourcePath;
  readonly #known = new Map<string, Kernel>();
  #pending: { index: number; module: Promise<WebAssembly.Module> }[] = [];
  #publishing: Promise<number> = Promise.resolve(0);

  constructor(threads: Pick<DspThreads, 'post'>, sourcePath: SourcePath) {
    this.#threads = threads;
    this.#sourcePath = sourcePath;
  }

  get count(): number {
    return this.#known.size;
  }

  /** Adds a kernel that is no module's. */
  add(name: string, bytes: Uint8Array<ArrayBuffer>): Kernel {
    const kernel = { index: this.#known.size, operations: 1 };
    this.#known.set(name, kernel);
    this.#pending.push({ index: kernel.index, module: WebAssembly.compile(bytes) });
    return kernel;
  }

  /** The kernel of a module in a situation; new ones reach the threads with `publish`. @throws KernelError */
  get(definition: ModuleDefinition, variant: KernelVariant): Kernel {
    const key = variantKey(definition.type, variant);
    let kernel = this.#known.get(key);
    if (!kernel) {
      const bytes = planted.get(definition.type);
      const { module, operations } = bytes
        ? { module: WebAssembly.compile(bytes), operations: 1 }
        : compile(definition, variant, this.#sourcePath(definition));
      kernel = { index: this.#known.size, operations };
      this.#known.set(key, kernel);
      this.#pending.push({ index: kernel.index, module });
    }
    return kernel;
  }

  /** Posts all new kernels to every DSP thread. @returns how many have been posted in all. */
  async publish(): Promise<number> {
    const batch = this.#pending;
    this.#pending = [];
    // In order, whoever calls: the threads count messages.
    const posted = this.#publishing.then(async () => {
      const modules = await Promise.all(batch.map(({ module }) => module));
      return this.#threads.post(batch.map(({ index }, i) => ({ index, module: modules[i]! })));
    });
    this.#publishing = posted.catch(() => 0);
    return posted;
  }
}
