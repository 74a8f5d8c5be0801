// The step runner: the one WebAssembly function through which a DSP thread runs kernels.
// Written by hand because a call from wasm to wasm through a table costs 2 ns and one from JavaScript 15 to 30.
//
// Around each call it looks at two words: whether the module is bypassed (STATE.MUTED), and whether what it gave is no number
// (STEP.FAULT). Only then, and around a step that is being timed, does it call out. Where it is stands in the thread's WORKER record, so
// that after a trap `run` can be called again to go on from there.
import { SEGMENT, STATE, STEP, WORKER } from '../../shared/layout.js';
import { Bytes, encodeModule, I32, OP } from './encoder.js';

const KERNEL_TYPE = [I32, I32, I32] as const;
/** Functions: the imported ones come first. */
const [MEND, TIME, RUN_STEPS] = [0, 1, 2] as const;
const [BEGINS, ENDS] = [0, 1] as const;

/** Runs the steps in [first, end) over frames [offset, offset + frames). `timed`: the one to be timed, 0 = none, −1 = all. */
function runSteps(): Bytes {
  const [first, end, offset, frames, worker, timed, step, lanes, muted, isTimed] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const code = new Bytes();
  const callKernel = (): void =>
    void code
      .get(step)
      .get(offset)
      .get(frames)
      .get(step)
      .memory(OP.i32Load, STEP.KERNEL * 4)
      .op(OP.callIndirect)
      .u32(0)
      .u32(0);
  const mend = (): void => void code.get(step).get(offset).get(frames).op(OP.call).u32(MEND);
  const time = (phase: number): void => {
    code.get(isTimed).block(OP.if);
    code.get(step).get(frames).int(phase).op(OP.call).u32(TIME).end();
  };
  /** The step is done: who goes on here begins with the next, and at the list's end with none. */
  const goOn = (): void => {
    code.get(first).int(4).op(OP.i32Add).set(first);
    code
      .get(worker)
      .get(first)
      .memory(OP.i32Store, WORKER.AT * 4);
  };
  code.block(OP.block).block(OP.loop);
  code.get(first).get(end).op(OP.i32Eq).branch(OP.brIf, 1);
  code.get(first).memory(OP.i32Load).set(step);
  code
    .get(step)
    .memory(OP.i32Load, STEP.STATE * 4)
    .memory(OP.i32Load, STATE.MUTED * 4);
  code
    .get(step)
    .memory(OP.i32Load, STEP.LANES * 4)
    .tee(lanes)
    .op(OP.i32And)
    .tee(muted)
    .block(OP.if);
  {
    code.get(muted).get(lanes).op(OP.i32Ne).block(OP.if);
    callKernel();
    code.end();
    mend();
    goOn();
  }
  code.op(OP.else);
  {
    code.get(timed).get(step).op(OP.i32Eq).get(timed).int(-1).op(OP.i32Eq).op(OP.i32Or).set(isTimed);
    time(BEGINS);
    callKernel();
    code
      .get(step)
      .memory(OP.i32Load, STEP.FAULT * 4)
      .block(OP.if);
    mend();
    code.end();
    goOn();
    time(ENDS);
  }
  code.end();
  code.branch(OP.br, 0);
  return code.end().end();
}

/**
 * `run(segments, count, offset, frames, worker, first, frame)`: all of a partition's segments for some frames. To go on in the middle of the
 * first segment, `first` is the place in its list of steps (else 0) and `frame`, in a loop of cables, the frame (else `offset`).
 */
function run(): Bytes {
  const [segment, count, offset, frames, worker, first, frame, steps, end, timed] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const code = new Bytes();
  /** Says where the thread is, all at once, for it may be ended wherever a function or a loop begins: about to run the step at `first`, in frame `frame`. */
  const mark = (): void => {
    code
      .get(worker)
      .get(frame)
      .memory(OP.i32Store, WORKER.FRAME * 4);
    code
      .get(worker)
      .get(first)
      .memory(OP.i32Store, WORKER.AT * 4);
  };
  /** From `first` on to the segment's end; the next time, from its beginning. */
  const stepsOver = (from: number, pushFrames: () => void): void => {
    code.get(first).get(end).get(from);
    pushFrames();
    code.get(worker).get(timed).op(OP.call).u32(RUN_STEPS).get(steps).set(first);
  };
  code.block(OP.block).block(OP.loop);
  code.get(count).op(OP.i32Eqz).branch(OP.brIf, 1);
  code
    .get(worker)
    .memory(OP.i32Load, WORKER.TIMED * 4)
    .set(timed);
  code
    .get(segment)
    .memory(OP.i32Load, SEGMENT.STEPS * 4)
    .set(steps);
  code.get(first).get(steps).get(first).op(OP.select).set(first);
  code
    .get(worker)
    .get(segment)
    .memory(OP.i32Store, WORKER.SEGMENT * 4);
  mark();
  code.get(steps);
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
    code.block(OP.loop);
    mark();
    stepsOver(frame, () => code.int(1));
    // In a loop of cables, one sample stands for all.
    code.int(0).set(timed);
    code.get(frame).int(1).op(OP.i32Add).tee(frame).get(offset).get(frames).op(OP.i32Add).op(OP.i32LtS).branch(OP.brIf, 0).end();
  }
  code.op(OP.else);
  stepsOver(offset, () => code.get(frames));
  code.end();
  code.get(offset).set(frame).int(0).set(first);
  code
    .get(segment)
    .int(SEGMENT.WORDS * 4)
    .op(OP.i32Add)
    .set(segment);
  code.get(count).int(1).op(OP.i32Sub).set(count).branch(OP.br, 0);
  return code.end().end();
}

/**
 * Bytes of the runner module. It imports from `krell`: `memory`; `table`, the kernels by STEP.KERNEL; `mend(step, offset, frames)`, called
 * after a step that is bypassed or gave what is no number; `time(step, frames, phase)`, called before and after a step that is timed.
 */
export function encodeRunner(): Uint8Array<ArrayBuffer> {
  return encodeModule(
    [
      {
        name: 'runSteps',
        exported: false,
        params: [I32, I32, I32, I32, I32, I32],
        locals: [I32, I32, I32, I32],
        body: runSteps(),
      },
      { name: 'run', exported: true, params: [I32, I32, I32, I32, I32, I32, I32], locals: [I32, I32, I32], body: run() },
    ],
    { table: true, types: [KERNEL_TYPE], imports: ['mend', 'time'] },
  );
}
