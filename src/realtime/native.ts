// Functions of the C library, through the optional package koffi. Linux with glibc only; elsewhere there are none.
import { createRequire } from 'node:module';

type Native = (...args: readonly (number | ArrayBufferView)[]) => number;
interface Koffi {
  load(file: string): { func(prototype: string): Native };
}

// setup
/** The function with this C prototype, or `undefined` where it cannot be had. */
export function nativeFunction(library: string, prototype: string): Native | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    return koffi.load(library).func(prototype);
  } catch {
    return undefined;
  }
}
