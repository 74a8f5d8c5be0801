// Denormals: numbers so small that the processor handles them in microcode, up to a hundred times slower.
//
// Recursive state in modules is flushed in software, which is what keeps the sound the same everywhere. This is about speed
// only: on x86-64 with glibc, and where native functions can be called, the thread's floating-point unit is told to
// take them for zero (FTZ, DAZ). V8 leaves that register alone. Elsewhere nothing happens and nothing is said.
import { nativeFunction } from './native.js';

/** Bytes of glibc's fenv_t on x86-64, the place of MXCSR in it, and the bits "flush to zero" and "denormals are zero". */
const FENV_BYTES = 32;
const MXCSR = 28;
const FTZ_AND_DAZ = 0x8040;

// setup
/** Makes this thread treat denormals as zero, if it can. @returns whether it does. */
export function flushDenormals(): boolean {
  const get = nativeFunction('libm.so.6', 'int fegetenv(_Out_ void *)');
  const set = nativeFunction('libm.so.6', 'int fesetenv(void *)');
  if (process.arch === 'x64' && get && set) {
    const environment = Buffer.alloc(FENV_BYTES);
    get(environment);
    environment.writeUInt32LE(environment.readUInt32LE(MXCSR) | FTZ_AND_DAZ, MXCSR);
    set(environment);
  }
  const smallest = new Float64Array([2 ** -1060, 0.5]);
  return smallest[0]! * smallest[1]! === 0;
}
