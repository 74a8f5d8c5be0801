// Values of parameters as the arena holds them, as JSON and as OSC arguments.
import type { ParamSpec } from '../../module.js';
import type { Value } from '../codec.js';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The shortest decimal that is this 32-bit float: 0.2, not 0.20000000298023224. */
export function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** A value as a person would write it. */
export function plainValue(spec: ParamSpec, value: number): number | string | boolean {
  switch (spec.kind) {
    case 'number':
      return shortest(value);
    case 'integer':
      return Math.round(value);
    case 'enum':
      return spec.values[Math.round(value)] ?? spec.default;
    case 'toggle':
      return value !== 0;
  }
}

/** A value as an argument with the type that the parameter is described with. */
export const argOf = (spec: ParamSpec, value: number): Value => (spec.kind === 'number' ? { type: 'f', value } : plainValue(spec, value));

/** One value if all voices have the same, else one each. */
export const withoutRepeats = (values: readonly number[]): readonly number[] =>
  values.every((value) => value === values[0]) ? values.slice(0, 1) : values;
