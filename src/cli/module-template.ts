// What `krell new-module` writes: a module that works and passes every test, to be made into another one.

/** A file of the project, to be created. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

export const newFiles = (type: string): NewFile[] => [
  { path: `modules/${type}.ts`, text: moduleText(type) },
  { path: `test/modules/${type}.test.ts`, text: testText(type) },
  { path: `docs/modules/${type}.md`, text: docsText(type) },
];

/** The way up from the folder of the new file, whose imports these are: they are none of this file's. */
const UP = '..';

const moduleText = (type: string): string => `// What it is, in a sentence. Where the idea is from: author, title, year.
import { audio, cv, defineModule, ratio } from '${UP}/src/module.js';
import { clamp } from '${UP}/src/dsp/level.js';

export const ${type} = defineModule({
  type: '${type}',
  summary: 'What it does, for whoever looks for it.',
  tags: ['utility'],
  inputs: {
    in: audio('What comes in.'),
    amount: cv('Adds to \`amount\`, a tenth per volt.'),
  },
  outputs: { out: audio('What comes out.') },
  params: {
    amount: ratio({ default: 0.5, summary: 'How much of it.' }),
  },
  state: { last: 0 },

  // One sample of one voice; the language is described in docs/modules.md.
  process({ input, param, state, output }) {
    const amount = clamp(param.amount + 0.1 * input.amount, 0, 1);
    output.out = (1 - amount) * input.in + 0.5 * amount * (input.in + state.last);
    state.last = input.in;
  },
});
`;

const testText = (
  type: string,
): string => `// What ${type} has to sound like. That it computes the same in every way is tested in test/battery.test.ts.
import { ${type} } from '#modules/${type}.js';
import { expect, it } from 'vitest';
import { Rig } from '${UP}/rig.js';

it('lets a constant voltage pass', () => {
  const rig = new Rig(${type}, { inputs: ['in'], maxFrames: 64 }).input('in', 5).run(64, 64);
  expect(rig.output('out')[63]).toBeCloseTo(5, 5);
});
`;

const docsText = (type: string): string => `# ${type}

What it does, and how it is patched. \`krell modules ${type}\` lists its inputs, outputs and params.

\`\`\`json
"${type}1": { "type": "${type}", "params": { "amount": 0.5 } }
\`\`\`
`;

/** `modules/index.ts` with one more module: its import in alphabetical order, and itself in the end. */
export function withModule(index: string, type: string): string {
  const line = `import { ${type} } from './${type}.js';`;
  const lines = index.split('\n');
  const first = lines.findIndex((text) => /^import \{ \w+ \} from '\.\//.test(text));
  let at = first;
  while (lines[at]?.startsWith('import {') && lines[at]! < line) at++;
  lines.splice(at, 0, line);
  const end = lines.lastIndexOf('];');
  if (first < 0 || end < 0) throw new TypeError('modules/index.ts is not laid out as it used to be');
  lines.splice(end, 0, `  ${type},`);
  return lines.join('\n');
}
