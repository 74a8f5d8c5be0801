// What cannot be compiled, and how one is told: file, line, column, a code frame and a hint.
import { describe, expect, it } from 'vitest';
import { KernelError, kernelShape } from '#src/kernel/index.js';
import { definition, source } from './fixture.js';

const variant = { sampleRate: 48_000, voices: 1, inputs: ['m', '-'] as const, outputs: [true, true] };

function errorOf(body: string, top = ''): KernelError {
  try {
    kernelShape(definition, variant, source(body, top));
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
  throw new Error(`compiled: ${body}`);
}

describe('errors', () => {
  it('say what, where and what to write instead', () => {
    const error = errorOf('    let i = 0;\n    while (i < 3) i++;');
    expect(error).toMatchObject({
      line: 6,
      column: 5,
      problem: '`while` is not in the kernel language',
      hint: 'use a `for` with a constant bound',
    });
    expect(error.message).toBe(
      [
        `${error.file}:6:5: \`while\` is not in the kernel language`,
        '  5 |     let i = 0;',
        '> 6 |     while (i < 3) i++;',
        '    |     ^^^^^^^^^^^^^^^^^^',
        '  7 |   },',
        '  hint: use a `for` with a constant bound',
      ].join('\n'),
    );
  });

  it.each([
    ['output.x = inptu.a;', /`inptu` is not known here/],
    ['output.x = input.c;', /fixture has no input `c`/],
    ['output.z = 1;', /fixture has no output `z`/],
    ['output.x = param.r;', /fixture has no param `r`/],
    ['state.h = 1;', /fixture has no state `h`/],
    ['input.a = 1;', /this cannot be assigned/],
    ['const k = 1; k = 2;', /`k` cannot be assigned/],
    ['output.x = input.a > 1;', /a flag stands where a number is needed/],
    ['if (input.a) output.x = 1;', /a number stands where a condition is needed/],
    ['output.x = param.mode;', /an enum parameter stands where a number is needed/],
    ["output.x = param.mode === 'four' ? 1 : 0;", /'four' is not a value of this parameter/],
    ['output.x = Math.hypot(1, input.a);', /Math\.hypot is not in the kernel language/],
    ['output.x = foo(1);', /the function `foo` is not known here/],
    ['output.x = input.a << (input.a | 0);', /a shift by a variable amount/],
    ['for (let i = 0; i < input.a; i++) output.x = i;', /the bound of this loop is not known/],
    ['for (let i = 0; i >= 0; i++) output.x = i;', /the loop turns more than 4096 times/],
    [
      'for (let i = 0; i < 4000; i++) for (let j = 0; j < 100; j++) output.x += Math.sqrt(input.a + i * 100 + j);',
      /grows past 60000 operations/,
    ],
    ['const o = { a: 1 };', /objects are not in the kernel language/],
    ['const o = [1];', /arrays are not in the kernel language/],
    ['const f = () => 1;', /functions inside `process`/],
    ['const { a } = input;', /taking values apart/],
    ['let u; output.x = 1;', /`u` has no first value/],
    ['throw 1;', /`throw` is not in the kernel language/],
    ['output.x = input.a == 1 ? 1 : 0;', /the operator `==` is not in the kernel language/],
    ['state.line = 1;', /`state\.line` is a buffer/],
    ['output.x = state.line.size;', /a buffer has no `size`/],
    ['output.x = recurse(1);', /calls itself/],
    ['output.x = half(input.a);', /one side returns a value and the other does not/],
    ['output.x = 1 +;', /not TypeScript/],
  ])('%s', (body, expected) => {
    const top = 'function recurse(x: number): number { return recurse(x); }\nfunction half(x: number): number { if (x > 0) { return 1; } }';
    const error = errorOf(body, top);
    expect(error.message).toMatch(expected);
    expect(error.line).toBeGreaterThan(0);
    expect(error.frame).toContain('^');
  });

  it('point into the helper when the helper is at fault', () => {
    expect(errorOf('output.x = bad(input.a);', 'function bad(x: number): number {\n  return [x];\n}')).toMatchObject({
      line: 2,
      column: 10,
    });
  });
});
