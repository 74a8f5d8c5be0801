// The step that carries a loop's last frame over to the next block: cables that close a loop read one frame back, and
// before a block's first frame lies the last of the block before.
import { Bytes, encodeModule, I32, OP } from '../kernel/wasm/encoder.js';
import { STEP } from '../shared/layout.js';

/** Words of a carry STEP after STEP.PORTS: count, then per buffer the address of the last vector's word and of the word it goes to. */
export const CARRY = { COUNT: STEP.PORTS, PAIRS: STEP.PORTS + 1 } as const;

/** `kernel(step, offset, frames)`: copies words when `offset` is 0, that is once a block. */
export function encodeCarry(): Uint8Array<ArrayBuffer> {
  const [step, offset, , end] = [0, 1, 2, 3] as const;
  const c = new Bytes();
  c.get(offset).op(OP.i32Eqz).block(OP.if);
  c.get(step)
    .get(step)
    .memory(OP.i32Load, CARRY.COUNT * 4)
    .int(3)
    .op(OP.i32Shl)
    .op(OP.i32Add)
    .set(end);
  c.block(OP.block).block(OP.loop);
  c.get(step).get(end).op(OP.i32Eq).branch(OP.brIf, 1);
  c.get(step).memory(OP.i32Load, CARRY.PAIRS * 4 + 4);
  c.get(step)
    .memory(OP.i32Load, CARRY.PAIRS * 4)
    .memory(OP.i32Load)
    .memory(OP.i32Store);
  c.get(step).int(8).op(OP.i32Add).set(step).branch(OP.br, 0);
  c.end().end().end();
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [I32], body: c }]);
}
