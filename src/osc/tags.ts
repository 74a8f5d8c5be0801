// The type tags of OSC 1.0 that Krell knows, the optional ones included, as character codes.

export const TAG = {
  int32: 0x69, // i
  float32: 0x66, // f
  string: 0x73, // s
  blob: 0x62, // b
  true: 0x54, // T
  false: 0x46, // F
  nil: 0x4e, // N
  infinitum: 0x49, // I
  int64: 0x68, // h
  float64: 0x64, // d
  timetag: 0x74, // t
  symbol: 0x53, // S
  char: 0x63, // c
  colour: 0x72, // r
  midi: 0x6d, // m
  arrayBegin: 0x5b, // [
  arrayEnd: 0x5d, // ]
} as const;

/** A size that the tag alone does not tell: a text, a blob. */
export const VARIABLE = -1;
/** The size of a tag nobody knows. */
export const UNKNOWN = -2;

const SIZES = new Int8Array(256).fill(UNKNOWN);
for (const tag of [TAG.true, TAG.false, TAG.nil, TAG.infinitum, TAG.arrayBegin, TAG.arrayEnd]) SIZES[tag] = 0;
for (const tag of [TAG.int32, TAG.float32, TAG.char, TAG.colour, TAG.midi]) SIZES[tag] = 4;
for (const tag of [TAG.int64, TAG.float64, TAG.timetag]) SIZES[tag] = 8;
for (const tag of [TAG.string, TAG.symbol, TAG.blob]) SIZES[tag] = VARIABLE;

/** Bytes that an argument with this tag takes, or VARIABLE, or UNKNOWN. */
export const sizeOf = (tag: number): number => SIZES[tag]!;
