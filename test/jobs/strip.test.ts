// Types are blanked out, and nothing else is touched.
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'acorn';
import { describe, expect, it } from 'vitest';
import { stripTypes } from '#src/jobs/script/strip.js';

const strip = (text: string): string => stripTypes('script.ts', text).code;
/** What is left, without what was blanked. */
const words = (text: string): string => strip(text).replace(/\s+/g, ' ').trim();

describe('stripping types', () => {
  it.each([
    ['let a: number = 1, b!: string;', 'let a = 1, b ;'],
    ['const f = <T,>(x?: T, ...y: T[]): T | undefined => x;', 'const f = (x , ...y ) => x;'],
    ['function g<T>(this: Window, a: number): asserts a is 3 { return; }', 'function g ( a ) { return; }'],
    ['const { a, b }: { a: number; b: string } = (x as any)!.y satisfies T;', 'const { a, b } = (x ) .y ;'],
    ['f<number>(new Map<string, A>(), <B>c, d as const);', 'f (new Map (), c, d );'],
    ["import { a, type B, c } from 'x';", "import { a, c } from 'x';"],
    ["import type { A } from 'x';\nexport type { B } from 'y';", '; ;'],
    ['interface A { b: number }\ntype C = string;\nexport interface D {}\ndeclare const e: number;', '; ; ; ;'],
    ['function h(a: string): void;\nfunction h(a: unknown) {}', '; function h(a ) {}'],
    [
      'abstract class K<X> extends L<X> implements I, J { private readonly x: number = 1; static override y?: string; z!: number; declare w: 1; abstract m(): void; async n?(a: A): Promise<void> {} [k: string]: any }',
      'class K extends L { x = 1; static y ; z ; async n (a ) {} }',
    ],
    ['try {} catch (e: unknown) {} for (const x of y as any[]) {}', 'try {} catch (e ) {} for (const x of y ) {}'],
    ['const s = "a as b: string"; const t = `${x as string}: T`; // a: b', 'const s = "a as b: string"; const t = `${x }: T`; // a: b'],
    ['const g = c ? (a): number => 1 : d!;', 'const g = c ? (a) => 1 : d ;'],
  ])('%s', (text, left) => {
    expect(words(text)).toBe(left);
    expect(strip(text)).toHaveLength(text.length);
  });

  it('keeps every line and column', () => {
    const text = 'interface A {\n  b: number;\n}\nconst a: A = { b: 1 };\nthrow a;\n';
    const code = strip(text);
    expect(code.split('\n').map((line) => line.length)).toEqual(text.split('\n').map((line) => line.length));
    expect(code.indexOf('throw')).toBe(text.indexOf('throw'));
  });

  it('leaves JavaScript as it is', () => {
    const text =
      "#!/usr/bin/env node\nimport a from './a.js';\nclass B { #c = 1; static { a(); } get d() { return this.#c ?? 2; } }\nexport { B as default };\n";
    expect(strip(text)).toBe(text);
  });

  it.each([
    ['enum A { B }', 'enum'],
    ['namespace N { export const a = 1; }', 'namespace'],
    ['class A {\n  constructor(private b: number) {}\n}', 'parameter property'],
  ])('refuses %j', (text, what) =>
    expect(() => strip(text)).toThrow(new RegExp(`script\\.ts:\\d:\\d+: a script cannot have this: ${what}`)),
  );

  it('says where something is no TypeScript', () => {
    expect(() => strip('const a = 1;\nconst b = (;\n')).toThrow(/script\.ts:2:12: Unexpected token/);
  });

  it('makes JavaScript of all of our own source', () => {
    const files = ['src', 'modules'].flatMap((folder) =>
      readdirSync(folder, { recursive: true }).map((file) => `${folder}/${String(file)}`),
    );
    const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    expect(sources.length).toBeGreaterThan(100);
    const wrong: string[] = [];
    for (const file of sources)
      try {
        parse(strip(readFileSync(file, 'utf8')), { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
      } catch (error) {
        if (!/cannot have this: parameter property/.test(String(error))) wrong.push(`${file}: ${String(error)}`);
      }
    expect(wrong).toEqual([]);
  });
});
