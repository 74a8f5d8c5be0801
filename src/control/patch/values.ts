// Values of parameters: from what a person writes (`1200`, `"1.2 kHz"`, `{ "value": 1.2, "unit": "kHz" }`, `"saw"`, `true`)
// to the number the engine uses. Patch files and live changes share this.
import type { Problem } from '../../errors.js';
import type { EnumParam, IntegerParam, NumberParam, ParamSpec } from '../../module.js';
import { convertUnit, unitsLike } from '../../units.js';
import { didYouMean } from '../names.js';
import { LIMITS } from './limits.js';
import { isObject } from './parse.js';
import { quote, show } from './problems.js';

export type ValueResult = { readonly value: number } | { readonly problem: Problem };

/** A number with its unit, as text. */
export const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-zA-Z%]+)$/;

/**
 * The number for a parameter, in its own unit: an enum's is its index, a toggle's 0 or 1.
 * `path` is what a problem names as its place.
 */
export function paramValue(spec: ParamSpec, value: unknown, path: string): ValueResult {
  const read = readValue(spec, value);
  return typeof read === 'number' ? { value: read } : { problem: { path, ...read } };
}

/** A parameter's number as a person writes it: an enum's label, a toggle's boolean. */
export const readable = (spec: ParamSpec, value: number): number | string | boolean =>
  spec.kind === 'enum' ? spec.values[value]! : spec.kind === 'toggle' ? value !== 0 : value;

/** A value from the engine, a 32-bit float, as the number to write: within the range, and of all that are this float the shortest. */
export function exactly(spec: ParamSpec, value: number): number {
  if (spec.kind === 'toggle') return value === 0 ? 0 : 1;
  const [min, max] = spec.kind === 'enum' ? [0, spec.values.length - 1] : [spec.min, spec.max];
  return Math.min(max, Math.max(min, spec.kind === 'number' ? shortest(value) : Math.round(value))) + 0;
}

function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

type Fault = Omit<Problem, 'path'>;

function readValue(spec: ParamSpec, value: unknown): number | Fault {
  switch (spec.kind) {
    case 'number':
      return readNumber(spec, value);
    case 'integer':
      return readInteger(spec, value);
    case 'enum':
      return readEnum(spec, value);
    case 'toggle':
      return typeof value === 'boolean' ? Number(value) : { message: `${show(value)} is neither true nor false` };
  }
}

function readNumber(spec: NumberParam, value: unknown): number | Fault {
  const written = quantity(value);
  if (!written) return { message: `${show(value)} is not a number${spec.unit && ' or a value with a unit'}`, hint: example(spec) };
  const { number, unit = spec.unit } = written;
  if (!Number.isFinite(number)) return { message: `${number} is not a finite number` };
  const own = convertUnit(number, unit, spec.unit);
  if (own === undefined)
    return spec.unit === ''
      ? { message: `a plain number takes no unit, here ${quote(unit)}`, hint: `write ${number}` }
      : { message: `${quote(unit)} is not a unit of ${spec.unit}`, hint: didYouMean(unit, unitsLike(spec.unit)) };
  const exact = unit === spec.unit ? own : withoutRounding(own);
  if (exact >= spec.min && exact <= spec.max) return exact + 0; // −0 becomes 0
  return {
    message: outOfRange(exact, spec, unit === spec.unit ? '' : `${number} ${unit}`),
    hint: written.unit ? undefined : otherUnit(number, spec),
  };
}

function readInteger(spec: IntegerParam, value: unknown): number | Fault {
  if (typeof value !== 'number')
    return { message: `${show(value)} is not a whole number`, hint: `write one from ${spec.min} to ${spec.max}` };
  if (!Number.isInteger(value)) return { message: `${value} is not a whole number`, hint: wholeHint(value, spec) };
  return value >= spec.min && value <= spec.max ? value + 0 : { message: outOfRange(value, spec) };
}

function readEnum(spec: EnumParam, value: unknown): number | Fault {
  const index = spec.values.indexOf(value as string);
  if (index >= 0) return index;
  const hint = didYouMean(typeof value === 'string' ? value : '', spec.values);
  return { message: `${show(value)} is not one of its values`, hint };
}

/** `1.2`, `"1.2 kHz"` or `{ value: 1.2, unit: "kHz" }`; a unit is never empty. */
function quantity(value: unknown): { number: number; unit?: string } | undefined {
  if (typeof value === 'number') return { number: value };
  if (typeof value === 'string') {
    const parts = value.length <= LIMITS.valueLength ? QUANTITY.exec(value) : null;
    return parts ? { number: Number(parts[1]), unit: parts[2]! } : undefined;
  }
  if (!isObject(value) || Object.keys(value).length !== 2) return undefined;
  const { value: number, unit } = value;
  return typeof number === 'number' && typeof unit === 'string' && unit !== '' ? { number, unit } : undefined;
}

/** 9 ms come out of a conversion as 0.009000000000000001 s, beyond a maximum of 0.009 s. */
const withoutRounding = (value: number): number => Number(value.toPrecision(12));

const withUnit = (value: number, unit: string): string => (unit === '' || unit === 'ratio' ? String(value) : `${value} ${unit}`);

function outOfRange(value: number, spec: NumberParam | IntegerParam, written = ''): string {
  const [side, bound] = value < spec.min ? ['below the minimum', spec.min] : ['above the maximum', spec.max];
  return `${written || withUnit(value, spec.unit)} is ${side} ${withUnit(bound as number, spec.unit)}`;
}

/** "1.2" for a cutoff from 20 Hz was probably meant as 1.2 kHz. */
function otherUnit(number: number, spec: NumberParam): string | undefined {
  for (const unit of unitsLike(spec.unit)) {
    const value = convertUnit(number, unit, spec.unit)!;
    if (value >= spec.min && value <= spec.max) return `did you mean "${number} ${unit}"?`;
  }
  return undefined;
}

function wholeHint(value: number, spec: IntegerParam): string | undefined {
  const near = Math.round(value);
  return near >= spec.min && near <= spec.max ? `did you mean ${near}?` : undefined;
}

const example = (spec: NumberParam): string =>
  spec.unit === '' || spec.unit === 'ratio' ? `write ${spec.default}` : `write ${spec.default} or "${spec.default} ${spec.unit}"`;
