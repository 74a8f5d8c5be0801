// Units of parameters and of values in patch files. Imports nothing.

/** A family of units: each unit's size in the family's base unit, which comes first. */
const FAMILIES = [
  { Hz: 1, kHz: 1000 },
  { s: 1, ms: 1e-3, us: 1e-6 },
  { cents: 1, semitones: 100, oct: 1200 },
  { V: 1, mV: 1e-3 },
  { ratio: 1, '%': 0.01 },
  { dB: 1 },
  { BPM: 1 },
] as const;

export type Unit = 'Hz' | 'kHz' | 's' | 'ms' | 'us' | 'cents' | 'semitones' | 'oct' | 'V' | 'mV' | 'ratio' | '%' | 'dB' | 'BPM' | '';

const familyOf = (unit: string): Record<string, number> | undefined => FAMILIES.find((family) => Object.hasOwn(family, unit));

/** Every unit that a value of `unit` may be written in, itself included. */
export function unitsLike(unit: Unit): string[] {
  const family = familyOf(unit);
  return family ? Object.keys(family) : [];
}

/**
 * Converts `value` from unit `from` to unit `to`.
 * @returns the converted value, or `undefined` when the units do not measure the same thing.
 */
export function convertUnit(value: number, from: string, to: Unit): number | undefined {
  if (from === to) return value;
  const family = familyOf(to);
  if (!family || !Object.hasOwn(family, from)) return undefined;
  return (value * family[from]!) / family[to]!;
}

/** A value with its unit, for people: `1.2 kHz`, `35 ms`, `−6 dB`, `3`. */
export function formatValue(value: number, unit: Unit): string {
  const digits = (x: number): string => String(Number(x.toPrecision(4)));
  if (unit === 'Hz' && Math.abs(value) >= 1000) return `${digits(value / 1000)} kHz`;
  if (unit === 's' && value !== 0 && Math.abs(value) < 1) return `${digits(value * 1000)} ms`;
  if (unit === 'ratio' || unit === '') return digits(value);
  return `${digits(value)} ${unit}`;
}
