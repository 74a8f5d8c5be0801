// The published JSON Schema of patch files, made from the registry, so that editors complete types, names and ranges. It
// says what a schema can; that cables lead somewhere, for example, only loading a patch finds out.
import type { ModuleDefinition, NumberParam, ParamSpec } from '../../module.js';
import { unitsLike, type Unit } from '../../units.js';
import type { Registry } from '../registry.js';
import { ADDRESS, FORMAT, FORMAT_VERSION, ID, LIMITS, RESERVED, SCRIPT_FILE } from './limits.js';
import { DEFAULT_SEED, DEFAULT_TEMPO } from './model.js';
import type { Json, JsonObject } from './parse.js';
import { QUANTITY } from './values.js';

/** The schema of the newest format, with every type of `registry`. */
export function patchSchema(registry: Registry): JsonObject {
  const definitions = registry.list();
  const units = new Set(definitions.flatMap(({ params }) => Object.values(params).flatMap(unitOf)));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Krell patch',
    ...object('A patch: modules and the cables between them.', ['format', 'formatVersion', 'modules'], {
      $schema: { type: 'string', maxLength: 1024 },
      format: { const: FORMAT },
      formatVersion: { const: FORMAT_VERSION },
      title: { type: 'string', maxLength: LIMITS.titleLength },
      tempo: { description: 'BPM', type: 'number', minimum: LIMITS.tempo.min, maximum: LIMITS.tempo.max, default: DEFAULT_TEMPO },
      seed: { description: 'Of all random numbers.', type: 'integer', minimum: 0, maximum: LIMITS.seed, default: DEFAULT_SEED },
      modules: named('Modules by id.', { maxProperties: LIMITS.modules }, moduleId, { $ref: '#/$defs/module' }),
      cables: { type: 'array', maxItems: LIMITS.cables, items: { $ref: '#/$defs/cable' } },
      snapshots: named('Values of parameters by name.', { maxProperties: LIMITS.snapshots }, snapshotName, snapshot),
      osc: named('OSC addresses of your own, none under the id of a module.', { maxProperties: LIMITS.aliases }, oscAddress, {
        $ref: '#/$defs/alias',
      }),
      ui: { description: 'For editors; Krell keeps it.', type: 'object' },
    }),
    $defs: {
      module: moduleSchema(definitions),
      cable: object('From an output to an input.', ['from', 'to'], {
        from: { description: 'Module and output, "vco1.saw".', ...reference },
        to: { description: 'Module and input, "vcf1.in".', ...reference },
        gain: { type: 'number', minimum: -LIMITS.gain, maximum: LIMITS.gain, default: 1 },
        ui: { type: 'object' },
      }),
      alias: object('Sets a parameter.', ['to'], {
        to: { description: 'Module and parameter, "vcf1.cutoff".', ...reference },
        range: { description: 'What 0 and 1 mean.', type: 'array', minItems: 2, maxItems: 2, items: anyValue },
      }),
      ...Object.fromEntries([...units].map((unit) => [`in ${unit}`, quantity(unit)])),
      ...Object.fromEntries(definitions.map((definition) => [`params of ${definition.type}`, paramsSchema(definition)])),
    },
  };
}

const anyValue: JsonObject = { type: ['number', 'string', 'boolean', 'object'] };
const reference: JsonObject = { type: 'string', pattern: '^[a-z][a-z0-9_-]*\\.[a-z][a-zA-Z0-9]*$' };
const moduleId: JsonObject = { pattern: ID.source, maxLength: LIMITS.idLength, not: { const: RESERVED } };
const oscAddress: JsonObject = { pattern: ADDRESS.source, maxLength: LIMITS.addressLength, not: { pattern: `^/${RESERVED}(/|$)` } };
const snapshotName: JsonObject = { minLength: 1, maxLength: LIMITS.nameLength };
const perVoice = (value: JsonObject): Json[] => [value, { type: 'array', minItems: 1, maxItems: LIMITS.voices, items: value }];
const snapshot: JsonObject = { type: 'object', propertyNames: reference, additionalProperties: { anyOf: perVoice(anyValue) } };

/** An object with these fields and no others but `x-*`. */
const object = (description: string, required: string[], properties: JsonObject): JsonObject => ({
  description,
  type: 'object',
  required,
  properties,
  patternProperties: { '^x-': true },
  additionalProperties: false,
});

const named = (description: string, limit: JsonObject, names: JsonObject, each: JsonObject): JsonObject => ({
  description,
  type: 'object',
  ...limit,
  propertyNames: names,
  additionalProperties: each,
});

function moduleSchema(definitions: readonly ModuleDefinition[]): JsonObject {
  const types = definitions.map(({ type, summary }) => ({ const: type, description: summary }));
  return {
    ...object('One module.', ['type'], {
      type: { oneOf: types },
      voices: { type: 'integer', minimum: 1, maximum: LIMITS.voices, default: 1 },
      params: { description: 'Values by name; an array holds one per voice.', type: 'object' },
      script: {
        description: 'File of the script, relative to the patch.',
        type: 'string',
        maxLength: LIMITS.scriptLength,
        pattern: SCRIPT_FILE.source,
      },
      ui: { type: 'object' },
    }),
    allOf: definitions.map(({ type, role }) => ({
      if: { required: ['type'], properties: { type: { const: type } } },
      then: { properties: { params: { $ref: pointer(`params of ${type}`) }, ...(role === 'script' ? {} : { script: false }) } },
    })),
  };
}

const paramsSchema = ({ params }: ModuleDefinition): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(params).map(([name, spec]) => [name, paramSchema(spec)])),
  additionalProperties: false,
});

function paramSchema(spec: ParamSpec): JsonObject {
  const unit = unitOf(spec).join();
  const description = [spec.summary, unit].filter(Boolean).join(' ');
  return { ...(description ? { description } : {}), default: spec.default, anyOf: perVoice(valueSchema(spec)) };
}

function valueSchema(spec: ParamSpec): JsonObject {
  if (spec.kind === 'enum') return { enum: [...spec.values] };
  if (spec.kind === 'toggle') return { type: 'boolean' };
  const plain = { type: spec.kind, minimum: spec.min, maximum: spec.max };
  const [unit] = unitOf(spec);
  return unit ? { anyOf: [plain, { $ref: pointer(`in ${unit}`) }] } : plain;
}

const unitOf = (spec: ParamSpec): Unit[] => (spec.kind === 'number' && spec.unit !== '' ? [spec.unit] : []);

/** A value with a unit, in either spelling. */
const quantity = (unit: NumberParam['unit']): JsonObject => ({
  anyOf: [
    {
      type: 'object',
      required: ['value', 'unit'],
      properties: { value: { type: 'number' }, unit: { enum: unitsLike(unit) } },
      additionalProperties: false,
    },
    { type: 'string', maxLength: LIMITS.valueLength, pattern: QUANTITY.source.replace('[a-zA-Z%]+', unitsLike(unit).join('|')) },
  ],
});

const pointer = (name: string): string => `#/$defs/${encodeURIComponent(name)}`;
