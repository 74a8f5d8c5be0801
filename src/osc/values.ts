// Values of parameters, from what a message says to what the engine uses.
import { paramValue, QUANTITY } from '../control/patch/values.js';
import type { NumberParam, ParamSpec } from '../module.js';
import { convertUnit } from '../units.js';
import type { ParamEntry } from './addresses.js';
import type { Message } from './message.js';

// On the way of a parameter its value is changed in place, in an array: a number that a function returns may become an object on the heap.

/** Makes `values[at]`, any finite number, one that a parameter may be: whole where it must be, and in range. Any but 0 switches a toggle on. */
export function fit({ spec, low, high }: ParamEntry, values: Float64Array, at: number): void {
  if (spec.kind === 'toggle') values[at] = values[at] === 0 ? 0 : 1;
  else if (spec.kind !== 'number') values[at] = Math.round(values[at]!);
  if (values[at]! < low) values[at] = low;
  else if (values[at]! > high) values[at] = high;
}

/** What 0 and 1 at an alias stand for, and whether what is between is spread as ratios. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly isLog: boolean;
}

export const spanOf = (spec: ParamSpec, [from, to]: readonly [number, number]): Span => ({
  from,
  to,
  isLog: spec.kind === 'number' && spec.curve === 'log' && from > 0 && to > 0,
});

/** Makes `values[at]`, 0..1, what that means within a span. */
export function spread({ from, to, isLog }: Span, values: Float64Array, at: number): void {
  const position = values[at]!;
  values[at] = isLog ? from * (to / from) ** position : from + position * (to - from);
}

/** Where in 0..1 a value is within a span. */
export function aliasPosition({ from, to, isLog }: Span, value: number): number {
  const position = isLog ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return position > 0 ? Math.min(1, position) : 0; // also when from is to
}

/** An argument that is no number: `"saw"`, `"1.2 kHz"`. @returns the number it means, or what is wrong with it */
export function textValue(spec: ParamSpec, message: Message, i: number): number | string {
  const text = message.string(i);
  if (text === undefined) return 'takes numbers, true, false and texts only, and they must be finite';
  const [, number, unit] = (spec.kind === 'number' && text.length <= 64 && QUANTITY.exec(text)) || [];
  const converted = unit === undefined ? undefined : convertUnit(Number(number), unit, (spec as NumberParam).unit);
  if (converted !== undefined && Number.isFinite(converted)) return converted;
  const result = paramValue(spec, text, '');
  if ('value' in result) return result.value;
  const { message: problem, hint } = result.problem;
  return hint ? `${problem}; ${hint}` : problem;
}
