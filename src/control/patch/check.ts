// Small checks that read JSON, out of which the format is put together (read.ts). A check returns what it has read, or
// notes what is wrong and returns `undefined`; it never throws, so one pass finds every problem.
import { didYouMean } from '../names.js';
import { isObject, type Json, type JsonObject } from './parse.js';
import { join, quote, show, type Problems } from './problems.js';

export type Check<T> = (value: Json, path: string, problems: Problems) => T | undefined;

export const text =
  (maxLength: number): Check<string> =>
  (value, path, problems) => {
    if (typeof value !== 'string') return problems.add(path, `${show(value)} is not text`);
    if (value.length > maxLength) return problems.add(path, `the text has ${value.length} characters, at most ${maxLength} are allowed`);
    return value;
  };

export const number =
  ({ min, max, whole = false }: { min: number; max: number; whole?: boolean }): Check<number> =>
  (value, path, problems) => {
    const kind = whole ? 'a whole number' : 'a number';
    if (typeof value !== 'number' || (whole && !Number.isInteger(value)))
      return problems.add(path, `${show(value)} is not ${kind}`, `write one from ${min} to ${max}`);
    // not "value < min": that would let NaN pass
    if (!(value >= min && value <= max)) return problems.add(path, `${value} is not within ${min} to ${max}`);
    return value + 0; // −0 becomes 0
  };

export const literal =
  <V extends string | number>(wanted: V): Check<V> =>
  (value, path, problems) =>
    value === wanted ? wanted : problems.add(path, `${show(value)} should be ${show(wanted)}`);

export const anything: Check<Json> = (value) => value;
export const anyObject: Check<JsonObject> = (value, path, problems) =>
  isObject(value) ? value : problems.add(path, `${show(value)} is not an object`, 'write { … }');

export interface Field<T> {
  readonly check: Check<T>;
  readonly required?: boolean;
}
type Read<F> = { [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

export const required = <T>(check: Check<T>): Field<T> => ({ check, required: true });
export const optional = <T>(check: Check<T>): Field<T> => ({ check });

/** An object with these fields and no others, but for `x-*`. A field that is missing or wrong is missing in what is read. */
export const fields =
  <F extends Record<string, Field<unknown>>>(what: string, table: F): Check<Read<F>> =>
  (value, path, problems) => {
    if (!isObject(value)) return problems.add(path, `${show(value)} is not ${what}`, `write { ${Object.keys(table).join(', ')} }`);
    const read: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(value)) {
      if (key.startsWith('x-')) continue;
      if (Object.hasOwn(table, key)) read[key] = table[key]!.check(field, join(path, key), problems);
      else problems.add(join(path, key), `${what} has no field ${quote(key)}`, () => didYouMean(key, Object.keys(table)));
    }
    for (const [key, field] of Object.entries(table))
      if (field.required && !Object.hasOwn(value, key)) problems.add(join(path, key), `${what} needs the field ${quote(key)}`);
    return read as Read<F>;
  };

/** An object of at most `max` named things; each is read by `each`, in the order of the file. */
export const entries =
  (what: string, max: number, each: (name: string, value: Json, path: string, problems: Problems) => void): Check<true> =>
  (value, path, problems) => {
    if (!isObject(value)) return problems.add(path, `${show(value)} is not an object of ${what}`, 'write { "name": … }');
    const all = Object.entries(value);
    if (all.length > max) return tooMany(what, all.length, max, path, problems);
    for (const [name, entry] of all) each(name, entry, join(path, name), problems);
    return true;
  };

/** An array of at most `max` things. */
export const list =
  (what: string, max: number, each: (value: Json, path: string, problems: Problems) => void): Check<true> =>
  (value, path, problems) => {
    if (!Array.isArray(value)) return problems.add(path, `${show(value)} is not an array of ${what}`, 'write [ … ]');
    if (value.length > max) return tooMany(what, value.length, max, path, problems);
    value.forEach((entry, i) => each(entry, join(path, i), problems));
    return true;
  };

export const tooMany = (what: string, count: number, max: number, path: string, problems: Problems): undefined =>
  problems.add(path, `${count.toLocaleString('en')} ${what} are more than the ${max.toLocaleString('en')} a patch may have`);
