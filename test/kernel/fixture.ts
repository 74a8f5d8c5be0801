// A module written for a test: its text goes to a file, as the compiler reads files.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rig, type RigOptions } from '#src/kernel/rig.js';
import { audio, buffer, choice, cv, defineModule, int, number, phase, ratio, toggle, integer, type ModuleDefinition } from '#src/module.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-kernel-'));
let count = 0;

/** Ports, parameters and state that test kernels may use. */
export const definition: ModuleDefinition = defineModule({
  type: 'fixture',
  summary: '',
  tags: [],
  inputs: { a: audio(), b: cv('', { unplugged: 2 }) },
  outputs: { x: audio(), y: audio() },
  params: {
    p: number('', { min: -100, max: 100, default: 1 }),
    q: ratio({ default: 0.5 }),
    mode: choice(['one', 'two', 'three'], { default: 'two' }),
    on: toggle({ default: true }),
    n: integer({ min: 0, max: 15, default: 3 }),
  },
  state: { f: 0, g: 0, i: int(), ph: phase(), flag: false, line: buffer({ length: 10 }), other: buffer({ length: 8 }) },
  tables: { t: [1, 2, 4, 8, 16], u: [0.5] },
  process() {},
});

/** Writes a module file whose `process` has this body. @returns its path */
export function source(body: string, top = ''): string {
  const path = join(folder, `fixture${count++}.ts`);
  writeFileSync(
    path,
    `${top}\nexport const fixture = defineModule({\n  type: 'fixture',\n  process({ input, plugged, param, state, output, table, sampleRate, voice }) {\n${body}\n  },\n});\n`,
  );
  return path;
}

/** A rig for a kernel given by the body of its `process`. */
export const rig = (body: string, options: RigOptions & { top?: string } = {}): Rig =>
  new Rig(definition, { maxFrames: 64, ...options, path: source(body, options.top) });

/** First frames of output x, in every back end; they must be equal. */
export function compute(
  body: string,
  options: RigOptions & { top?: string; frames?: number; a?: number | ((frame: number) => number) } = {},
): number[] {
  const frames = options.frames ?? 1;
  const results = (
    [
      ['js', 1],
      ['wasm', 1],
      ['wasm', 4],
      ['wasm', 8],
    ] as const
  ).map(([backEnd, voices]) => {
    const made = rig(body, { ...options, backEnd, voices, inputs: options.a === undefined ? [] : ['a'] });
    if (options.a !== undefined) made.input('a', options.a);
    made.run(frames);
    return Array.from({ length: voices }, (_, voice) => [...made.output('x', { voice, to: frames })]);
  });
  const [reference] = results[0]!;
  for (const result of results)
    for (const voice of result)
      if (voice.some((value, i) => !Object.is(value, reference![i]) && value !== reference![i]))
        throw new Error(`back ends differ: ${reference} and ${voice}`);
  return reference!;
}
