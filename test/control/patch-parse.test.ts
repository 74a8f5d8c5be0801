import { describe, expect, it } from 'vitest';
import { LIMITS, loadPatch } from '#src/control/patch/index.js';
import { parseJson } from '#src/control/patch/parse.js';
import { Problems } from '#src/control/patch/problems.js';
import { formatJson } from '#src/control/patch/serialise.js';
import { registry } from './patch-fixture.js';

/** What is wrong with `text`: `path: message`, one per problem. */
function faults(text: string): string[] {
  const problems = new Problems();
  parseJson(text, problems);
  return problems.list.map(({ path, message, hint }) => `${path}: ${message}${hint ? `; ${hint}` : ''}`);
}

describe('JSON', () => {
  it.each([
    'null',
    ' [ true , false ]\n',
    '{"a":{"b":[[],{}]},"":0,"b c":"\\u00e9\\n\\"\\\\\\/\\ud83c\\udf9b é"}',
    '[0, -1, 1.5, 1e3, 1E-3, -2.5e+2, 1e-400, 123456789012345678901234567890]',
    '"\\ud800 alone"',
    '\t\r\n{}\r\n',
    '{"hasOwnProperty":1,"toString":2,"length":3}',
  ])('is read like JSON.parse does: %j', (text) => {
    const problems = new Problems();
    expect(parseJson(text, problems)).toEqual(JSON.parse(text));
    expect(problems.list).toEqual([]);
  });

  it('has no −0', () => expect(parseJson('-0', new Problems())).toBe(0));

  it.each([
    ['', 'line 1, column 1: expected a value, found the end of the file'],
    ['  \n ', 'line 2, column 2: expected a value, found the end of the file'],
    ['hello', "line 1, column 1: expected a value, found 'h'; names and text take double quotes"],
    ['{"a":1,}', `line 1, column 8: expected a name in double quotes, found '}'; remove the comma before it`],
    ['[1,]', "line 1, column 4: expected a value, found ']'; remove the comma before it"],
    ['{"a" 1}', "line 1, column 6: expected ':' after the name, found '1'"],
    ['{"a":1 "b":2}', `line 1, column 8: expected ',' or '}', found '"'`],
    ['[1 2]', "line 1, column 4: expected ',' or ']', found '2'"],
    ['{a:1}', "line 1, column 2: expected a name in double quotes, found 'a'; names and text take double quotes"],
    ["['a']", `line 1, column 2: expected a value, found '''; text takes straight double quotes`],
    ['[1] // one', "line 1, column 5: expected the end of the file, found '/'; JSON has no comments"],
    ['{"a": NaN}', "line 1, column 7: expected a value, found 'N'; numbers must be finite"],
    ['[-Infinity]', "line 1, column 2: expected a value, found '-'; numbers must be finite"],
    ['[01]', "line 1, column 2: expected a value, found '0'; write numbers like 0.5"],
    ['[.5]', "line 1, column 2: expected a value, found '.'; write numbers like 0.5"],
    ['[1.]', "line 1, column 2: expected a value, found '1'; write numbers like 0.5"],
    ['[0x10]', "line 1, column 2: expected a value, found '0'; write numbers like 0.5"],
    ['["a', 'line 1, column 4: expected a closing double quote on the same line, found the end of the file'],
    ['["a\\', 'line 1, column 5: expected a closing double quote on the same line, found the end of the file'],
    ['["a\nb"]', "line 1, column 4: expected a closing double quote on the same line, found '\\n'"],
    ['["\\x41"]', `line 1, column 2: expected text with the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 only, found '"'`],
    ['{"a":1}}', "line 1, column 8: expected the end of the file, found '}'"],
    ['truely', "line 1, column 5: expected the end of the file, found 'l'"],
  ])('that is wrong is refused with its place: %j', (text, message) => {
    const found = faults(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
    expect(() => JSON.parse(text) as unknown).toThrow(); // we refuse nothing that is JSON
  });

  it('shows the line and points at the fault', () => {
    expect(faults('{\n  "modules": {\n    "vco1": { "type": vco }\n  }\n}')).toEqual([
      [
        "modules.vco1.type: line 3, column 23: expected a value, found 'v'; names and text take double quotes",
        '      "vco1": { "type": vco }',
        '                        ^',
      ].join('\n'),
    ]);
    const long = faults(`["${'x'.repeat(1000)}", oops, "${'y'.repeat(1000)}"]`)[0]!.split('\n');
    expect(long.slice(1).map((line) => line.length)).toEqual([72, 43]);
    expect(long[1]![long[2]!.indexOf('^')]).toBe('o');
  });

  it('does not let a name in twice, or take the place of what JavaScript keeps there', () => {
    expect(faults('{"modules":{"a":1,\n"a":{"x":1,"x":2},"b":2}, "ui":{"__proto__":{"evil":1}}, "constructor":1, "prototype":{}}')).toEqual(
      [
        "modules.a: line 2, column 1: 'a' is there twice; remove or rename one",
        "modules.a.x: line 2, column 12: 'x' is there twice; remove or rename one",
        "ui.__proto__: line 2, column 33: the name '__proto__' is not allowed; choose another",
        "constructor: line 2, column 58: the name 'constructor' is not allowed; choose another",
        "prototype: line 2, column 75: the name 'prototype' is not allowed; choose another",
      ],
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('has finite numbers only', () => {
    expect(faults('{"a":[1,1e999]}')).toEqual(['a[1]: line 1, column 9: the number is too large; numbers must be finite']);
  });

  it('may be so deep and no deeper', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(faults(nested(LIMITS.depth))).toEqual([]);
    expect(faults(nested(LIMITS.depth + 1))[0]).toMatch(/line 1, column 33: expected at most 32 objects and arrays within each other/);
    expect(faults('['.repeat(1_000_000))).toHaveLength(1);
  });
});

describe('a file', () => {
  const padded = (bytes: number): string => `{"format":"krell-patch","formatVersion":1,"modules":{}}`.padEnd(bytes);
  it('may be so large and no larger', () => {
    expect(loadPatch(padded(LIMITS.fileBytes), registry).modules.size).toBe(0);
    expect(() => loadPatch(padded(LIMITS.fileBytes + 1), registry)).toThrow(/4194305 bytes are more than the 4194304 a patch may have/);
    expect(() => loadPatch(`"${'é'.repeat(LIMITS.fileBytes / 2)}"`, registry)).toThrow(/bytes are more/);
  });

  it('full of equal names is refused without a message as long', () => {
    const twice = `{${'"a":1,\n'.repeat(300_000)}"a":1}`;
    expect(() => loadPatch(twice, registry)).toThrow(/300,004 errors\n(.*\n){20}.* and 299,984 more$/);
  });
});

describe('the layout of saved JSON', () => {
  it('keeps what fits on a line on one, and opens the sections', () => {
    expect(
      formatJson({
        a: { b: { c: [1, { d: {} }, []] } },
        e: [],
        f: {},
        g: [
          { h: 1, i: 2 },
          { h: 3, i: 4 },
        ],
      }),
    ).toBe(`{
  "a": {
    "b": { "c": [1, { "d": {} }, []] }
  },
  "e": [],
  "f": {},
  "g": [
    { "h": 1, "i": 2 },
    { "h": 3, "i": 4 }
  ]
}
`);
  });
});
