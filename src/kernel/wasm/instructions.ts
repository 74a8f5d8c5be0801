// One WebAssembly instruction sequence per graph operation, for one lane and for four.
import type { Node } from '../ir.js';
import { OP } from './encoder.js';

/** Instructions that take their operands from the stack as they come: `op/type of the operands` → opcode. */
const SCALAR: Readonly<Record<string, number>> = {
  'add/f32': OP.f32Add,
  'sub/f32': OP.f32Sub,
  'mul/f32': OP.f32Mul,
  'div/f32': OP.f32Div,
  'neg/f32': OP.f32Neg,
  'abs/f32': OP.f32Abs,
  'sqrt/f32': OP.f32Sqrt,
  'floor/f32': OP.f32Floor,
  'ceil/f32': OP.f32Ceil,
  'trunc/f32': OP.f32Trunc,
  'nearest/f32': OP.f32Nearest,
  'lt/f32': OP.f32Lt,
  'le/f32': OP.f32Le,
  'gt/f32': OP.f32Gt,
  'ge/f32': OP.f32Ge,
  'eq/f32': OP.f32Eq,
  'ne/f32': OP.f32Ne,
  'add/i32': OP.i32Add,
  'sub/i32': OP.i32Sub,
  'mul/i32': OP.i32Mul,
  'lt/i32': OP.i32LtS,
  'le/i32': OP.i32LeS,
  'gt/i32': OP.i32GtS,
  'ge/i32': OP.i32GeS,
  'eq/i32': OP.i32Eq,
  'ne/i32': OP.i32Ne,
  'and/i32': OP.i32And,
  'or/i32': OP.i32Or,
  'xor/i32': OP.i32Xor,
  'and/bool': OP.i32And,
  'or/bool': OP.i32Or,
  'xor/bool': OP.i32Xor,
  'not/bool': OP.i32Eqz,
  'shl/i32': OP.i32Shl,
  'shr/i32': OP.i32ShrS,
  'shru/i32': OP.i32ShrU,
  'toFloat/i32': OP.f32ConvertI32S,
  'toInt/f32': OP.i32TruncSatF32S,
  'bitsFloat/i32': OP.f32ReinterpretI32,
  'floatBits/f32': OP.i32ReinterpretF32,
};

const SIMD: Readonly<Record<string, number>> = {
  'add/f32': OP.f32x4Add,
  'sub/f32': OP.f32x4Sub,
  'mul/f32': OP.f32x4Mul,
  'div/f32': OP.f32x4Div,
  'min/f32': OP.f32x4Pmin,
  'max/f32': OP.f32x4Pmax,
  'neg/f32': OP.f32x4Neg,
  'abs/f32': OP.f32x4Abs,
  'sqrt/f32': OP.f32x4Sqrt,
  'floor/f32': OP.f32x4Floor,
  'ceil/f32': OP.f32x4Ceil,
  'trunc/f32': OP.f32x4Trunc,
  'nearest/f32': OP.f32x4Nearest,
  'lt/f32': OP.f32x4Lt,
  'le/f32': OP.f32x4Le,
  'gt/f32': OP.f32x4Gt,
  'ge/f32': OP.f32x4Ge,
  'eq/f32': OP.f32x4Eq,
  'ne/f32': OP.f32x4Ne,
  'add/i32': OP.i32x4Add,
  'sub/i32': OP.i32x4Sub,
  'mul/i32': OP.i32x4Mul,
  'lt/i32': OP.i32x4LtS,
  'le/i32': OP.i32x4LeS,
  'gt/i32': OP.i32x4GtS,
  'ge/i32': OP.i32x4GeS,
  'eq/i32': OP.i32x4Eq,
  'ne/i32': OP.i32x4Ne,
  'and/i32': OP.v128And,
  'or/i32': OP.v128Or,
  'xor/i32': OP.v128Xor,
  'not/i32': OP.v128Not,
  'and/bool': OP.v128And,
  'or/bool': OP.v128Or,
  'xor/bool': OP.v128Xor,
  'not/bool': OP.v128Not,
  'shl/i32': OP.i32x4Shl,
  'shr/i32': OP.i32x4ShrS,
  'shru/i32': OP.i32x4ShrU,
  'toFloat/i32': OP.f32x4ConvertI32x4S,
  'toInt/f32': OP.i32x4TruncSatF32x4S,
};

/** Operations that only change how bits are seen. */
const SAME_BITS: ReadonlySet<string> = new Set(['bitsFloat/i32', 'floatBits/f32']);

const key = (node: Node): string => `${node.op}/${(node.args[0] as Node).type}`;

/** The opcode of a node whose operands are on the stack; 0 = none needed; undefined = the back end must spell it out. */
export function instruction(node: Node, simd: boolean): number | undefined {
  if (simd && SAME_BITS.has(key(node))) return 0;
  return (simd ? SIMD : SCALAR)[key(node)];
}

export const isShift = (node: Node): boolean => node.op === 'shl' || node.op === 'shr' || node.op === 'shru';
