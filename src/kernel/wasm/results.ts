// What a kernel leaves behind: states, the last sample of each output, and the lanes whose output is no number.
import { STEP } from '../../shared/layout.js';
import type { Type } from '../ir.js';
import { F32, I32, OP, V128, type Bytes } from './encoder.js';
import { Expressions, STEP_ARG, type Copy } from './expressions.js';

export class Results extends Expressions {
  /**
   * For each copy, the product of 0 and all that it has put out: NaN in a lane that has put out NaN or an infinity, else a zero. One
   * operation per output, 0.02 to 0.1 ns per voice-sample: the floating-point ports are what a kernel waits for. x − x with `or` is one more.
   */
  readonly #zeros = [this.local(this.simd ? V128 : F32), this.local(this.simd ? V128 : F32)];

  /** Takes note of a local that is put out by copy number `k`. */
  protected check(k: number, value: number): void {
    const zero = this.#zeros[k]!;
    this.code
      .get(zero)
      .get(value)
      .op(this.simd ? OP.f32x4Mul : OP.f32Mul)
      .set(zero);
  }

  /** Pushes, for every lane, whether it has put out what is no number. */
  #badLanes(): Bytes {
    const c = this.code;
    const [a, b] = this.#zeros as [number, number];
    if (!this.simd) return c.get(a).get(a).op(OP.f32Ne);
    return c.get(a).get(b).op(OP.f32x4Mul).tee(a).get(a).op(OP.f32x4Ne);
  }

  /** Names the lanes that have put out what is no number in STEP.FAULT. */
  protected tellFaults(): void {
    const c = this.code;
    const lanes = this.local(I32);
    this.#badLanes();
    if (this.simd)
      c.op(OP.i32x4Bitmask)
        .int(this.shape.active.reduce((mask, lane) => mask | (1 << lane), 0))
        .op(OP.i32And);
    c.tee(lanes).block(OP.if);
    c.get(STEP_ARG)
      .get(lanes)
      .memory(OP.i32Store, STEP.FAULT * 4)
      .end();
  }

  /** Keeps the last sample of each output, where the sound is to fade out from if the module should fail; not after it has failed. */
  protected keepOutputs(copy: Copy): void {
    const c = this.code;
    this.#badLanes();
    if (this.simd) c.op(OP.v128AnyTrue);
    c.op(OP.i32Eqz).block(OP.if);
    copy.outputs
      .filter((pointer) => pointer >= 0)
      .forEach((pointer, nth) =>
        this.storeVector(copy, this.shape.layout.lastOutputs + nth, 'f32', () =>
          c
            .get(pointer)
            .int(this.vectorBytes)
            .op(OP.i32Sub)
            .memory(this.simd ? OP.v128Load : OP.f32Load),
        ),
      );
    c.end();
  }

  /** Stores the value that `push` leaves on the stack. */
  protected storeVector(copy: Copy, vector: number, type: Type, push: () => void): void {
    const c = this.code;
    const { active, packed } = this.shape;
    const at = vector * this.vectorBytes;
    if (packed && active.length < 4) {
      // The other lanes are other modules, which another thread may be running: their words are not touched.
      const value = this.local(V128);
      push();
      c.set(value);
      for (const lane of active)
        this.groupBase(copy)
          .get(value)
          .op(OP.f32x4ExtractLane)
          .u8(lane)
          .memory(OP.f32Store, at + lane * 4);
      return;
    }
    this.groupBase(copy);
    push();
    c.memory(this.simd ? OP.v128Store : type === 'f32' ? OP.f32Store : OP.i32Store, at);
  }
}
