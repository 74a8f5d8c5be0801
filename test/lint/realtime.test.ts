// The real-time lint rule: every forbidden form is planted and seen, labelled code passes, and the project's configuration uses it.
import { ESLint, Linter } from 'eslint';
import parser from '@typescript-eslint/parser';
import { describe, expect, it } from 'vitest';
import realtime from '../../lint/realtime.js';

const linter = new Linter();

/** The rule's messages for a source text, as `line: what`. */
function report(code: string): string[] {
  const messages = linter.verify(
    code,
    [{ files: ['**/*.ts'], languageOptions: { parser }, plugins: { realtime }, rules: { 'realtime/no-allocation': 'error' } }],
    { filename: 'src/realtime/planted.ts' },
  );
  return messages.map((m) => `${m.line}: ${m.message.replace(/ in real-time code\..*/, '')}`);
}

describe('realtime/no-allocation', () => {
  it.each([
    ['return new Float32Array(n);', '`new`'],
    ['return { n };', 'An object literal'],
    ['return [n];', 'An array literal'],
    ['return /n/;', 'A regular expression'],
    ['run(() => n);', 'A closure'],
    ['run(function () { return n; });', 'A closure'],
    ['function inner() { return n; }', 'A closure'],
    ['run(class {});', 'A class'],
    ['run(...n);', 'Spread'],
    ['return `block ${n}`;', 'A template literal'],
    ['await n;', '`await`'],
    ['throw n;', '`throw`'],
    ['console.log(n);', '`console`'],
    ["return 'block ' + n;", 'String concatenation'],
    ["return n + 'block';", 'String concatenation'],
    ["n += ' blocks';", 'String concatenation'],
  ])('reports %s', (statement, what) => {
    expect(report(`export async function tick(n: any) {\n  ${statement}\n}`)).toEqual([`2: ${what}`]);
  });

  it('reports every enclosing form: methods, field initialisers, arrow functions, parameters', () => {
    expect(report('class Ring {\n  read(n: number) {\n    return [n];\n  }\n}')).toEqual(['3: An array literal']);
    expect(report('class Ring {\n  frames = [];\n}')).toEqual(['2: An array literal']);
    expect(report('class Ring {\n  constructor() {\n    this.frames = [];\n  }\n}')).toEqual(['3: An array literal']);
    expect(report('export const read = (n: number) =>\n  [n];')).toEqual(['2: An array literal']);
    expect(report('function read(options = {}) {}')).toEqual(['1: An object literal']);
    expect(report('function read(...n: number[]) {}')).toEqual(['1: A rest parameter']);
    expect(report('function* read() {\n  yield 1;\n}')).toEqual(['2: `yield`']);
  });

  it('lets pure arithmetic, constant text and what runs once at import pass', () => {
    expect(report('export const WORDS = { A: 1, B: [2] } as const;\nexport const views = new Int32Array(4);')).toEqual([]);
    expect(report('function add(x: number): number {\n  const y = x * 2 + 1;\n  return y > 2 ? y : -y;\n}')).toEqual([]);
    expect(report("function kind(x: 'a' | `b`): boolean {\n  return x === 'a' || x === `b`;\n}")).toEqual([]);
    expect(report('function read(): { a: number; b: [number] } | undefined {\n  return undefined;\n}')).toEqual([]);
    expect(report('class Ring {\n  static readonly WORDS = [1, 2];\n}')).toEqual([]);
  });

  it.each(['// setup', '// control', '// host', '// setup: once per thread', '// control, before start', '/** Makes views. */\n// host'])(
    'lets a function labelled %j pass',
    (label) => {
      const body = '  const views = { a: [new Int32Array(1)] };\n  if (!views) throw views;\n  return () => views;';
      expect(report(`${label}\nexport function open() {\n${body}\n}`)).toEqual([]);
      expect(report(`${label}\nexport const open = () => {\n${body}\n};`)).toEqual([]);
      expect(report(`class Ring {\n${label}\nopen() {\n${body}\n}\n}`)).toEqual([]);
      expect(report(`${label}\nexport class Ring {\nframes = [];\nopen() {\n${body}\n}\n}`)).toEqual([]);
    },
  );

  it('takes a label for the function below it only', () => {
    expect(report('// setup\nfunction a() {\n  return [];\n}\nfunction b() {\n  return [];\n}')).toEqual(['6: An array literal']);
    expect(report('class Ring {\n  // setup\n  a() {\n    return [];\n  }\n  b() {\n    return [];\n  }\n}')).toEqual([
      '7: An array literal',
    ]);
  });

  it("takes a constructor's label for field initialisers too, and for nothing else", () => {
    const ring = (label: string): string =>
      `class Ring {\n  frames = [];\n  ${label}\n  constructor() {}\n  read() {\n    return [];\n  }\n}`;
    expect(report(ring('// setup'))).toEqual(['6: An array literal']);
    expect(report(ring('// makes a ring'))).toEqual(['2: An array literal', '6: An array literal']);
  });

  it('does not excuse the closure itself by a label on it', () => {
    expect(report('function tick() {\n  // setup\n  const open = () => [];\n}')).toEqual(['3: A closure']);
  });

  it.each([
    '// controls the gate',
    '// control block words',
    '// Written by control',
    '// RT',
    '// read by the\n// host, then returned',
    '/* setup */',
  ])('does not take %j for a label', (comment) => {
    expect(report(`${comment}\nfunction tick() {\n  return [];\n}`)).toHaveLength(1);
  });
});

describe('eslint.config.js', () => {
  const planted = 'export function tick(): number[] {\n  return [];\n}\n';
  const rulesBroken = async (filePath: string, code: string): Promise<(string | null)[]> => {
    const [result] = await new ESLint().lintText(code, { filePath });
    return result!.messages.map((m) => m.ruleId);
  };

  it('holds the rule in src/realtime and src/shared only', async () => {
    expect(await rulesBroken('src/realtime/planted.ts', planted)).toEqual(['realtime/no-allocation']);
    expect(await rulesBroken('src/shared/planted.ts', planted)).toEqual(['realtime/no-allocation']);
    expect(await rulesBroken('src/control/planted.ts', planted)).toEqual([]);
  });

  it('limits the length of files', async () => {
    const long = (lines: number): string => 'export {};\n'.repeat(lines);
    expect(await rulesBroken('src/control/planted.ts', long(400))).toEqual([]);
    expect(await rulesBroken('src/control/planted.ts', long(401))).toEqual(['max-lines']);
    expect(await rulesBroken('modules/planted.ts', long(251))).toEqual(['max-lines']);
  });
});
