// Kernels that no author could write: planted in place of those of module types that no patch uses.
import { planted } from '#src/control/kernels.js';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';

const UNREACHABLE = 0x00;
/** Turns of an empty loop: some milliseconds, of a block that has one. */
const SLOW_TURNS = 10_000_000;

function kernelOf(body: (code: Bytes) => void): Uint8Array<ArrayBuffer> {
  const code = new Bytes();
  body(code);
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [], body: code }]);
}

/** Module types by what theirs do from now on. */
export const PLANTED = { trap: 'trigger', endless: 'gate', slow: 'value' } as const;

export function plant(): void {
  planted.set(
    PLANTED.trap,
    kernelOf((code) => code.u8(UNREACHABLE)),
  );
  planted.set(
    PLANTED.endless,
    kernelOf((code) => code.block(OP.loop).branch(OP.br, 0).end()),
  );
  planted.set(
    PLANTED.slow,
    kernelOf((code) => code.int(SLOW_TURNS).set(2).block(OP.loop).get(2).int(1).op(OP.i32Sub).tee(2).branch(OP.brIf, 0).end()),
  );
}
