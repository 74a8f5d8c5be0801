// The step runner: the one WebAssembly function through which a DSP thread runs kernels.
// Written by hand because a call from wasm to wasm through a table costs 2 ns and one from JavaScript 15 to 30.
import { SEGMENT, STEP } from '../../shared/layout.js';
import { Bytes, encodeModule, I32, OP } from './encoder.js';

const KERNEL_TYPE = [I32, I32, I32] as const;

/** Runs the steps in [first, end) over frames [offset, offset + frames), noting each in `stepWord` first. */
function runSteps(): Bytes {
  const [first, end, offset, frames, stepWord, step] = [0, 1, 2, 3, 4, 5] as const;
  const code = new Bytes();
  code.block(OP.block).block(OP.loop);
  code.get(first).get(end).op(OP.i32Eq).branch(OP.brIf, 1);
  code.get(stepWord).get(first).memory(OP.i32Load).tee(step).memory(OP.i32Store);
  code.get(step).get(offset).get(frames);
  code
    .get(step)
    .memory(OP.i32Load, STEP.KERNEL * 4)
    .op(OP.callIndirect)
    .u32(0)
    .u32(0);
  code.get(first).int(4).op(OP.i32Add).set(first).branch(OP.br, 0);
  return code.end().end();
}

/** `run(segments, count, offset, frames, stepWord)`: all of a partition's segments for some frames. */
function run(): Bytes {
  const [segment, count, offset, frames, stepWord, first, end, frame] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const code = new Bytes();
  code.block(OP.block).block(OP.loop);
  code.get(count).op(OP.i32Eqz).branch(OP.brIf, 1);
  code
    .get(segment)
    .memory(OP.i32Load, SEGMENT.STEPS * 4)
    .tee(first);
  code
    .get(segment)
    .memory(OP.i32Load, SEGMENT.STEP_COUNT * 4)
    .int(2)
    .op(OP.i32Shl)
    .op(OP.i32Add)
    .set(end);
  code
    .get(segment)
    .memory(OP.i32Load, SEGMENT.MODE * 4)
    .block(OP.if);
  {
    code.get(offset).set(frame).block(OP.loop);
    code.get(first).get(end).get(frame).int(1).get(stepWord).op(OP.call).u32(0);
    code.get(frame).int(1).op(OP.i32Add).tee(frame).get(offset).get(frames).op(OP.i32Add).op(OP.i32LtS).branch(OP.brIf, 0).end();
  }
  code.op(OP.else);
  code.get(first).get(end).get(offset).get(frames).get(stepWord).op(OP.call).u32(0);
  code.end();
  code
    .get(segment)
    .int(SEGMENT.WORDS * 4)
    .op(OP.i32Add)
    .set(segment);
  code.get(count).int(1).op(OP.i32Sub).set(count).branch(OP.br, 0);
  return code.end().end();
}

/** Bytes of the runner module; it imports `krell.memory` and `krell.table` (kernels, by STEP.KERNEL). */
export function encodeRunner(): Uint8Array<ArrayBuffer> {
  return encodeModule(
    [
      { name: 'runSteps', exported: false, params: [I32, I32, I32, I32, I32], locals: [I32], body: runSteps() },
      { name: 'run', exported: true, params: [I32, I32, I32, I32, I32], locals: [I32, I32, I32], body: run() },
    ],
    { table: true, types: [KERNEL_TYPE] },
  );
}
