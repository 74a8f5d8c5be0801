// V8 options that must be set before the first WebAssembly module is compiled. Imported first by every entry of the program.
import { setFlagsFromString } from 'node:v8';

// Kernels run at full speed from their first block: no baseline code, nothing compiled on a DSP thread.
setFlagsFromString('--no-liftoff');
setFlagsFromString('--no-wasm-lazy-compilation');
