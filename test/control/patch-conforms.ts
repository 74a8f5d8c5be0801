// A JSON Schema validator for the part of the language that our schema uses.
import type { Json, JsonObject } from '#src/control/patch/parse.js';

/** Does `value` conform to `schema`? Knows the keywords that our schema uses, and no other. */
export function conforms(value: Json | undefined, schema: Json, root: JsonObject): boolean {
  if (typeof schema === 'boolean') return schema;
  const own = (object: Json | undefined): object is JsonObject => typeof object === 'object' && object !== null && !Array.isArray(object);
  const also = (other: Json): boolean => conforms(value, other, root);
  const keywords: Record<string, (argument: never) => boolean> = {
    $ref: (path: string) =>
      also(
        path
          .slice(2)
          .split('/')
          .reduce<Json>((part, key) => (part as JsonObject)[decodeURIComponent(key)]!, root),
      ),
    type: (types: string | string[]) => [types].flat().some((type) => TYPES[type]!(value)),
    const: (wanted: Json) => value === wanted,
    enum: (wanted: Json[]) => wanted.includes(value as Json),
    minimum: (min: number) => typeof value !== 'number' || value >= min,
    maximum: (max: number) => typeof value !== 'number' || value <= max,
    pattern: (pattern: string) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
    minLength: (min: number) => typeof value !== 'string' || value.length >= min,
    maxLength: (max: number) => typeof value !== 'string' || value.length <= max,
    minItems: (min: number) => !Array.isArray(value) || value.length >= min,
    maxItems: (max: number) => !Array.isArray(value) || value.length <= max,
    items: (each: Json) => !Array.isArray(value) || value.every((item) => conforms(item, each, root)),
    maxProperties: (max: number) => !own(value) || Object.keys(value).length <= max,
    required: (names: string[]) => !own(value) || names.every((name) => Object.hasOwn(value, name)),
    propertyNames: (names: Json) => !own(value) || Object.keys(value).every((name) => conforms(name, names, root)),
    properties: (table: JsonObject) =>
      !own(value) || Object.entries(table).every(([name, part]) => !Object.hasOwn(value, name) || conforms(value[name], part, root)),
    patternProperties: (table: JsonObject) =>
      !own(value) ||
      Object.entries(table).every(([name, part]) =>
        Object.entries(value).every(([key, item]) => !new RegExp(name, 'u').test(key) || conforms(item, part, root)),
      ),
    additionalProperties: (rest: Json) =>
      !own(value) || Object.entries(value).every(([name, item]) => isNamed(name, schema as JsonObject) || conforms(item, rest, root)),
    anyOf: (all: Json[]) => all.some(also),
    oneOf: (all: Json[]) => all.filter(also).length === 1,
    allOf: (all: Json[]) => all.every(also),
    not: (other: Json) => !also(other),
    if: (condition: Json) => !also(condition) || also((schema as JsonObject)['then']!),
    then: () => true,
    $schema: () => true,
    $defs: () => true,
    title: () => true,
    description: () => true,
    default: () => true,
  };
  return Object.entries(schema as JsonObject).every(([keyword, argument]) => {
    const check = keywords[keyword];
    if (!check) throw new Error(`unknown keyword ${keyword}`);
    return check(argument as never);
  });
}
const TYPES: Record<string, (value: unknown) => boolean> = {
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};
const isNamed = (name: string, { properties = {}, patternProperties = {} }: JsonObject): boolean =>
  Object.hasOwn(properties as JsonObject, name) ||
  Object.keys(patternProperties as JsonObject).some((pattern) => new RegExp(pattern, 'u').test(name));
