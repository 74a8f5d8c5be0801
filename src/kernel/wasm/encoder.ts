// Bytes of a WebAssembly module: just what the kernel back end and the step runner need.
// Binary format: WebAssembly Core Specification 2.0, chapter 5 (with the threads and SIMD extensions).

export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof V128;

const EMPTY_BLOCK = 0x40;

/** Opcodes; two-byte ones (SIMD, saturating truncation) carry their prefix in the high byte. */
export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  f32Load: 0x2a,
  i32Store: 0x36,
  f32Store: 0x38,
  i32Const: 0x41,
  f32Const: 0x43,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32LeS: 0x4c,
  i32GeS: 0x4e,
  f32Eq: 0x5b,
  f32Ne: 0x5c,
  f32Lt: 0x5d,
  f32Gt: 0x5e,
  f32Le: 0x5f,
  f32Ge: 0x60,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  f32Abs: 0x8b,
  f32Neg: 0x8c,
  f32Ceil: 0x8d,
  f32Floor: 0x8e,
  f32Trunc: 0x8f,
  f32Nearest: 0x90,
  f32Sqrt: 0x91,
  f32Add: 0x92,
  f32Sub: 0x93,
  f32Mul: 0x94,
  f32Div: 0x95,
  f32ConvertI32S: 0xb2,
  i32ReinterpretF32: 0xbc,
  f32ReinterpretI32: 0xbe,
  i32TruncSatF32S: 0xfc00,
  v128Load: 0xfd00,
  v128Load32Splat: 0xfd09,
  v128Store: 0xfd0b,
  v128Const: 0xfd0c,
  i32x4Splat: 0xfd11,
  f32x4Splat: 0xfd13,
  i32x4ExtractLane: 0xfd1b,
  f32x4ExtractLane: 0xfd1f,
  f32x4ReplaceLane: 0xfd20,
  i32x4Eq: 0xfd37,
  i32x4Ne: 0xfd38,
  i32x4LtS: 0xfd39,
  i32x4GtS: 0xfd3b,
  i32x4LeS: 0xfd3d,
  i32x4GeS: 0xfd3f,
  f32x4Eq: 0xfd41,
  f32x4Ne: 0xfd42,
  f32x4Lt: 0xfd43,
  f32x4Gt: 0xfd44,
  f32x4Le: 0xfd45,
  f32x4Ge: 0xfd46,
  v128Not: 0xfd4d,
  v128And: 0xfd4e,
  v128AndNot: 0xfd4f,
  v128Or: 0xfd50,
  v128Xor: 0xfd51,
  v128Bitselect: 0xfd52,
  v128AnyTrue: 0xfd53,
  f32x4Ceil: 0xfd67,
  f32x4Floor: 0xfd68,
  f32x4Trunc: 0xfd69,
  f32x4Nearest: 0xfd6a,
  i32x4AllTrue: 0xfda3,
  i32x4Bitmask: 0xfda4,
  i32x4Shl: 0xfdab,
  i32x4ShrS: 0xfdac,
  i32x4ShrU: 0xfdad,
  i32x4Add: 0xfdae,
  i32x4Sub: 0xfdb1,
  i32x4Mul: 0xfdb5,
  i32x4MinU: 0xfdb7,
  f32x4Abs: 0xfde0,
  f32x4Neg: 0xfde1,
  f32x4Sqrt: 0xfde3,
  f32x4Add: 0xfde4,
  f32x4Sub: 0xfde5,
  f32x4Mul: 0xfde6,
  f32x4Div: 0xfde7,
  f32x4Pmin: 0xfdea,
  f32x4Pmax: 0xfdeb,
  i32x4TruncSatF32x4S: 0xfdf8,
  f32x4ConvertI32x4S: 0xfdfa,
} as const;

const scratch = new DataView(new ArrayBuffer(4));

/** A growing piece of bytecode: a function body, or any part of a module. */
export class Bytes {
  readonly data: number[] = [];

  u8(...bytes: number[]): this {
    for (const byte of bytes) this.data.push(byte);
    return this;
  }
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.data.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }
  i32(value: number): this {
    let rest = value | 0;
    while (!((rest >= 0 && rest < 0x40) || (rest < 0 && rest >= -0x40))) {
      this.data.push((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.u8(rest & 0x7f);
  }
  f32(value: number): this {
    scratch.setFloat32(0, value, true);
    return this.u8(scratch.getUint8(0), scratch.getUint8(1), scratch.getUint8(2), scratch.getUint8(3));
  }
  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).u8(...bytes);
  }
  append(part: Bytes): this {
    for (const byte of part.data) this.data.push(byte);
    return this;
  }
  sized(part: Bytes): this {
    return this.u32(part.data.length).append(part);
  }

  // ── instructions ──
  op(code: number): this {
    return code < 0x100 ? this.u8(code) : this.u8(code >> 8).u32(code & 0xff);
  }
  get(local: number): this {
    return this.op(OP.localGet).u32(local);
  }
  set(local: number): this {
    return this.op(OP.localSet).u32(local);
  }
  tee(local: number): this {
    return this.op(OP.localTee).u32(local);
  }
  int(value: number): this {
    return this.op(OP.i32Const).i32(value);
  }
  float(value: number): this {
    return this.op(OP.f32Const).f32(value);
  }
  /** A load or store; alignment is a hint and left at 4 bytes. */
  memory(code: number, offset = 0): this {
    return this.op(code).u32(2).u32(offset);
  }
  block(code: typeof OP.block | typeof OP.loop | typeof OP.if): this {
    return this.op(code).u8(EMPTY_BLOCK);
  }
  end(): this {
    return this.op(OP.end);
  }
  branch(code: typeof OP.br | typeof OP.brIf, depth: number): this {
    return this.op(code).u32(depth);
  }
}

export interface WasmFunction {
  readonly name: string;
  readonly exported: boolean;
  readonly params: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: Bytes;
}

/**
 * Bytes of a module that imports `krell.memory` (shared) and, on request, `krell.table` and functions of the first of `types`; its own
 * functions are numbered behind those. None returns anything.
 */
export function encodeModule(
  functions: readonly WasmFunction[],
  options: { table?: boolean; types?: readonly (readonly ValueType[])[]; imports?: readonly string[] } = {},
): Uint8Array<ArrayBuffer> {
  const signatures = [...(options.types ?? []), ...functions.map((f) => f.params)];
  const firstFunctionType = options.types?.length ?? 0;
  const imports = options.imports ?? [];
  const out = new Bytes().u8(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const section = (id: number, count: number, write: (bytes: Bytes) => void): void => {
    const bytes = new Bytes().u32(count);
    write(bytes);
    out.u8(id).sized(bytes);
  };
  section(1, signatures.length, (b) =>
    signatures.forEach((params) =>
      b
        .u8(0x60)
        .u32(params.length)
        .u8(...params)
        .u32(0),
    ),
  );
  section(2, (options.table ? 2 : 1) + imports.length, (b) => {
    b.name('krell').name('memory').u8(0x02, 0x03).u32(1).u32(65536);
    if (options.table) b.name('krell').name('table').u8(0x01, 0x70, 0x00).u32(0);
    for (const name of imports) b.name('krell').name(name).u8(0x00).u32(0);
  });
  section(3, functions.length, (b) => functions.forEach((_, i) => b.u32(firstFunctionType + i)));
  const exported = functions.flatMap((f, i) => (f.exported ? [{ name: f.name, i: imports.length + i }] : []));
  section(7, exported.length, (b) => exported.forEach((e) => b.name(e.name).u8(0x00).u32(e.i)));
  section(10, functions.length, (b) => functions.forEach((f) => b.sized(encodeBody(f))));
  return Uint8Array.from(out.data);
}

function encodeBody(f: WasmFunction): Bytes {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of f.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const bytes = new Bytes().u32(runs.length);
  for (const run of runs) bytes.u32(run.count).u8(run.type);
  return bytes.append(f.body).end();
}
