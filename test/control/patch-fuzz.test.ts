// Random damage to a patch, in its text and in its structure: it loads, or is refused with a PatchError. Nothing else.
// KRELL_SEED repeats a run.
import { expect, it } from 'vitest';
import { loadPatch, savePatch } from '#src/control/patch/index.js';
import type { Json, JsonObject } from '#src/control/patch/parse.js';
import { PatchError } from '#src/errors.js';
import { full, registry } from './patch-fixture.js';

const seed = Number(process.env['KRELL_SEED'] ?? Date.now() % 2 ** 31);
let state = seed;
/** 0 … n − 1 */
function random(n: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let x = Math.imul(state ^ (state >>> 15), 1 | state);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) % n;
}
const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;

const SCRAPS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u12',
  '\n',
  '\0',
  '1e999',
  '-',
  '__proto__',
  'engine',
  '.',
  '//',
  '\ud800',
  '0',
  ' ',
];
const STRANGE: readonly Json[] = [
  null,
  true,
  -0,
  1,
  1e300,
  -1e-300,
  0.1,
  '',
  'vcf1',
  'vcf1.cutoff',
  'vco1.saw',
  '1 kHz',
  '1e400 Hz',
  '/a',
  '../..',
  '\u0000',
  'x'.repeat(5000),
  [],
  {},
  [[]],
  { value: 1 },
  { value: 1, unit: 'kHz' },
  { type: 'vco' },
  { from: 'vco1.saw', to: 'vco1.fm' },
  [1, 2, 3, 4],
  'constructor',
  16,
  4096,
];
const NAMES = [
  'type',
  'voices',
  'params',
  'cutoff',
  'freq',
  'from',
  'to',
  'gain',
  'x-a',
  'ui',
  'vco1',
  'engine',
  'constructor',
  'toString',
  'modules',
  '',
  '1',
  'a.b',
];

const strange = (): Json => structuredClone(pick(STRANGE));

function damagedText(text: string): string {
  const at = random(text.length);
  const end = at + random(pick([2, 10, 200]));
  return (
    text.slice(0, at) +
    pick(['', pick(SCRAPS), text.slice(at, end) + text.slice(at, end), text.slice(random(text.length)).slice(0, 30)]) +
    text.slice(end)
  );
}

/** Changes one place somewhere in `value`. */
function damage(value: Json): Json {
  if (typeof value !== 'object' || value === null || random(8) === 0) return strange();
  const keys = Object.keys(value);
  const key = keys.length > 0 ? pick(keys) : '0';
  const parts = value as JsonObject;
  switch (random(8)) {
    case 0:
      delete parts[key];
      return Array.isArray(value) ? value.flat(0) : value;
    case 1:
      if (Array.isArray(value)) value.push(strange());
      else value[pick(NAMES)] = strange();
      return value;
    case 2:
      if (Array.isArray(value)) value.reverse();
      else value[pick(NAMES)] = parts[key] ?? null;
      return value;
    default:
      if (keys.length > 0) parts[key] = damage(parts[key] ?? null);
      return value;
  }
}

it(`survives damage (seed ${seed})`, () => {
  const text = savePatch(loadPatch(JSON.stringify(full), registry));
  const outcomes = { loaded: 0, refused: 0 };
  for (let run = 0; run < 4000; run++) {
    let broken = text;
    if (run % 2 === 0) for (let n = random(3); n >= 0; n--) broken = damagedText(broken);
    else {
      let document = JSON.parse(text) as Json;
      for (let n = random(3); n >= 0; n--) document = damage(document);
      broken = JSON.stringify(document);
    }
    try {
      const patch = loadPatch(broken, registry);
      const saved = savePatch(patch);
      expect(loadPatch(saved, registry)).toEqual(patch);
      outcomes.loaded++;
    } catch (error) {
      if (!(error instanceof PatchError)) throw new Error(`seed ${seed}, run ${run}: ${JSON.stringify(broken)}`, { cause: error });
      expect(error.problems.length).toBeGreaterThan(0);
      expect(error.message.length).toBeLessThan(20_000);
      outcomes.refused++;
    }
  }
  // both happen, or this would test nothing
  expect(outcomes.loaded).toBeGreaterThan(100);
  expect(outcomes.refused).toBeGreaterThan(1000);
});
