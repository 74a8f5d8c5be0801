// Native functions, through the optional package koffi.
import { createRequire } from 'node:module';

/** What of koffi is used here. */
export interface Koffi {
  load(file: string | null): {
    func(prototype: string): Native;
    func(name: string, result: unknown, parameters: readonly unknown[]): Native;
    symbol(name: string, type: unknown): unknown;
  };
  struct(fields: Record<string, unknown>): unknown;
  pointer(type: unknown): unknown;
  out(type: unknown): unknown;
  decode(pointer: unknown, type: unknown): unknown;
  decode(pointer: unknown, offset: number, type: unknown): unknown;
  /** Native memory as ours. */
  view(pointer: unknown, bytes: number): ArrayBuffer;
}
/** A function of another language; what it takes and returns, its prototype says. */
export type Native = (...args: readonly unknown[]) => unknown;

const require = createRequire(import.meta.url);

// setup
/** The package, or `undefined` where it is not installed. */
export function loadKoffi(): Koffi | undefined {
  try {
    return require('koffi') as Koffi;
  } catch {
    return undefined;
  }
}

// setup
/** What `make` gives the first time, each time: koffi keeps for good what it is told of a function or a type, so each is told once a thread. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

// setup
/** The function of the C library (Linux with glibc) with this prototype, or `undefined` where it cannot be had. */
export function nativeFunction(library: string, prototype: string): Native | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return loadKoffi()?.load(library).func(prototype);
  } catch {
    return undefined;
  }
}
