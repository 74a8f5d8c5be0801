// Kernels by situation: compiled once, numbered, and handed to the DSP threads.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KernelRequest } from '../kernel/compile.js';
import { packable, variantKey, type InputKind, type KernelVariant } from '../kernel/index.js';
import type { ModuleDefinition } from '../module.js';
import { compileElsewhere } from './compiler.js';
import type { DspThreads } from './threads.js';

interface Code {
  readonly module: WebAssembly.Module;
  readonly operations: number;
}

/** Compiled kernels, or kernels under way, the longest unused first. Shared by all engines of a process. */
const compiled = new Map<string, Promise<Code>>();
const MAX_COMPILED = 1024;
/** Between two kernels that nobody waits for. */
const WARM_PAUSE_MS = 5;

/** Kernels to be used in place of a module type's own: for tests of what becomes of kernels that misbehave. */
export const planted = new Map<string, Uint8Array<ArrayBuffer>>();

/** Where a module's source is, for modules from outside the package. */
export type SourcePath = (definition: ModuleDefinition) => string | undefined;

async function compile(request: KernelRequest): Promise<Code> {
  const { bytes, operations } = await compileElsewhere(request);
  return { module: await WebAssembly.compile(bytes), operations };
}

function codeOf(request: KernelRequest): Promise<Code> {
  const key = `${request.path ?? ''} ${variantKey(request.definition.type, request.variant)}`;
  let code = compiled.get(key);
  if (code) compiled.delete(key);
  else {
    code = compile(request);
    // It may be tried again: the source may be another by then.
    code.catch(() => compiled.delete(key));
  }
  compiled.set(key, code);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= MAX_COMPILED) break;
    compiled.delete(oldest);
  }
  return code;
}

export interface Kernel {
  /** Index in the DSP threads' kernel tables. */
  readonly index: number;
  /** Operations per sample of one lane group: what the scheduler knows of its cost before it has run. */
  readonly operations: number;
}

/** A module and the situation that a kernel is wanted for. */
export interface KernelNeed {
  readonly definition: ModuleDefinition;
  readonly variant: KernelVariant;
}

/** The kernels of one engine. */
export class Kernels {
  readonly #threads: Pick<DspThreads, 'post'>;
  readonly #sourcePath: SourcePath;
  /** Those that have been posted to the threads. */
  readonly #known = new Map<string, Kernel>();
  #posted = 0;

  constructor(threads: Pick<DspThreads, 'post'>, sourcePath: SourcePath) {
    this.#threads = threads;
    this.#sourcePath = sourcePath;
  }

  get count(): number {
    return this.#known.size;
  }

  /** How many have been posted to every thread in all. */
  get posted(): number {
    return this.#posted;
  }

  /** Adds a small kernel that is no module's. */
  add(name: string, bytes: Uint8Array<ArrayBuffer>): Kernel {
    this.#post([[name, { module: new WebAssembly.Module(bytes), operations: 1 }]]);
    return this.#known.get(name)!;
  }

  /** The kernels that are needed, in this order. Those that are new are compiled, and posted to the threads together. @throws KernelError, with none of them posted */
  async all(needs: readonly KernelNeed[]): Promise<Kernel[]> {
    const keys = needs.map(({ definition, variant }) => variantKey(definition.type, variant));
    const missing = new Map<string, KernelNeed>();
    keys.forEach((key, i) => {
      if (!this.#known.has(key)) missing.set(key, needs[i]!);
    });
    if (missing.size > 0)
      this.#post(await Promise.all([...missing].map(async ([key, need]): Promise<[string, Code]> => [key, await this.#code(need)])));
    return keys.map((key) => this.#known.get(key)!);
  }

  /**
   * Compiles what modules need that have just been made, before anybody makes one: one after the other, so that nobody who does waits for more
   * than one of them.
   */
  async warm(definitions: readonly ModuleDefinition[], sampleRate: number, signal: AbortSignal): Promise<void> {
    for (const definition of definitions) {
      const variant = {
        sampleRate,
        voices: 1,
        packed: packable(definition) ? [0] : undefined,
        inputs: Object.keys(definition.inputs).map((): InputKind => '-'),
        outputs: Object.keys(definition.outputs).map(() => true),
      };
      // Not its fault if it cannot be had: whoever makes the module is told.
      await this.#code({ definition, variant }).catch(() => {});
      await sleep(WARM_PAUSE_MS, undefined, { ref: false });
      if (signal.aborted) return;
    }
  }

  async #code({ definition, variant }: KernelNeed): Promise<Code> {
    const bytes = planted.get(definition.type);
    if (bytes) return { module: await WebAssembly.compile(bytes), operations: 1 };
    return codeOf({ definition, variant, path: this.#sourcePath(definition) });
  }

  #post(codes: readonly (readonly [string, Code])[]): void {
    const messages = codes.map(([key, { module, operations }]) => {
      const index = this.#known.size;
      this.#known.set(key, { index, operations });
      return { index, module };
    });
    this.#posted = this.#threads.post(messages);
  }
}
