// The kernel language: what each construct means, equally in JavaScript, scalar and SIMD.
import { describe, expect, it } from 'vitest';
import { compute, rig } from './fixture.js';

describe('expressions', () => {
  it.each([
    ['output.x = 1 + 2 * 3;', 7],
    ['output.x = 7 % 4;', 3],
    ['output.x = input.a % 4;', 3, 7],
    ['output.x = input.a % 4;', -3, -7],
    ['output.x = input.a ** 2;', 9, 3],
    ['output.x = -input.a;', -3, 3],
    ['output.x = input.a > 2 ? 10 : 20;', 10, 3],
    ['output.x = input.a > 2 && !(input.a > 5) || false ? 1 : 0;', 1, 3],
    ['output.x = (input.a | 0) + 1;', 4, 3.9],
    ['output.x = (input.a | 0) + 1;', -2, -3.9],
    ['output.x = (input.a | 0) << 4;', 48, 3],
    ['output.x = ~(input.a | 0);', -4, 3],
    ['output.x = ((input.a | 0) & 6) ^ 1;', 3, 3],
    ['output.x = ((input.a | 0) >> 1);', -2, -3],
    ['output.x = ((input.a | 0) >>> 28);', 15, -3],
    ['output.x = Math.imul(input.a | 0, 3);', 9, 3],
    ['output.x = Math.min(input.a, 2, 5);', 2, 3],
    ['output.x = Math.max(input.a, 2, 1);', 3, 3],
    ['output.x = Math.floor(input.a);', -3, -2.5],
    ['output.x = Math.ceil(input.a);', -2, -2.5],
    ['output.x = Math.trunc(input.a);', -2, -2.5],
    ['output.x = Math.round(input.a);', 3, 2.5],
    ['output.x = Math.sign(input.a);', -1, -2.5],
    ['output.x = Math.abs(input.a) + Math.sqrt(input.a * input.a);', 5, -2.5],
    ['output.x = Math.fround(1 / 3);', Math.fround(1 / 3)],
    ['output.x = Math.PI;', Math.fround(Math.PI)],
    ['output.x = sampleRate;', 48000],
    ['output.x = input.b;', 2],
    ['output.x = plugged.b ? 1 : 5;', 5],
    ['output.x = table.t[2] + table.t[99] + table.t[input.a | 0];', 4 + 16 + 16, -1],
    ['output.x = table.t.length + state.line.length;', 5 + 16],
    ["output.x = param.mode === 'two' ? 1 : 0;", 1],
    ["output.x = param.mode !== 'three' ? 1 : 0;", 1],
    ['output.x = param.on ? param.n : -1;', 3],
    ['output.x = pick(param.n, 10, 20, 30, 40, 50);', 40],
    ['output.x = pick(input.a | 0, 10, 20, 30);', 30, 99],
    ['output.x = pick(input.a | 0, 10, 20, 30);', 10, -99],
    ['output.x = ordinal(param.mode);', 1],
    ['output.x = bitsFloat(floatBits(input.a) + (1 << 23));', 6, 3],
    ['output.x = (input.a as number)! + 1;', 4, 3],
  ] as [string, number, number?][])('%s', (body, expected, a) => {
    expect(compute(body, a === undefined ? {} : { a })).toEqual([expected]);
  });

  it('saturates a conversion to int and takes NaN for 0', () => {
    expect(compute('output.x = (input.a | 0) === 2147483647 ? 1 : 0;', { a: 1e20 })).toEqual([1]);
    expect(compute('output.x = (input.a | 0) === -2147483648 ? 1 : 0;', { a: -1e20 })).toEqual([1]);
    expect(compute('output.x = (Math.sqrt(input.a) | 0) === 0 ? 1 : 0;', { a: -1 })).toEqual([1]);
  });

  it('wraps ints', () => {
    expect(compute('state.i = state.i + 2147483647; output.x = state.i < 0 ? 1 : 0;', { frames: 3 })).toEqual([0, 1, 0]);
  });

  it('runs random numbers from a seed, in [0, 1), different per voice and seed', () => {
    const values = (seed: number, voice: number): number[] => [
      ...rig('output.x = Math.random();', { voices: 4, seed, maxFrames: 5000 }).run(5000).output('x', { voice }),
    ];
    const one = values(1, 0);
    expect(one).toEqual(values(1, 0));
    expect(one).not.toEqual(values(2, 0));
    expect(one).not.toEqual(values(1, 1));
    expect(one.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(one.reduce((sum, x) => sum + x, 0) / one.length).toBeCloseTo(0.5, 1);
    expect(new Set(one).size).toBeGreaterThan(4990);
  });
});

describe('statements', () => {
  it('merges both sides of an if, state included', () => {
    const body = 'let k = 1; if (input.a > 0) { k = 2; state.f += 1; } else if (input.a < -5) { k = 3; } output.x = k * 10 + state.f;';
    expect(compute(body, { frames: 4, a: (frame) => [1, -1, -9, 2][frame]! })).toEqual([21, 11, 31, 22]);
  });

  it('unrolls loops with constant bounds', () => {
    expect(compute('let sum = 0; for (let i = 0; i < 5; i++) sum += table.t[i]; output.x = sum;')).toEqual([31]);
  });

  it('keeps flags, ints and floats between samples', () => {
    expect(
      compute('state.flag = !state.flag; state.i++; state.f += 0.5; output.x = (state.flag ? 100 : 0) + state.i + state.f;', { frames: 3 }),
    ).toEqual([101.5, 3, 104.5]);
  });

  it('reads one state from another as it was before the sample', () => {
    expect(compute('const before = state.f; state.f = state.g + 1; state.g = before; output.x = state.f;', { frames: 5 })).toEqual([
      1, 1, 2, 2, 3,
    ]);
  });

  it('masks indices of buffers and keeps the order of reads and writes', () => {
    expect(
      compute('state.line[-1] = 5; const first = state.line[15]; state.line[31] = 7; output.x = first * 10 + state.line[15];'),
    ).toEqual([57]);
  });

  it('writes a buffer only where an if says so', () => {
    expect(
      compute('if (input.a > 0) { state.line[0] = input.a; } output.x = state.line[0];', { frames: 3, a: (f) => [4, -1, 6][f]! }),
    ).toEqual([4, 4, 6]);
  });

  it('indexes buffers differently per voice', () => {
    const made = rig(
      'state.line[(voice | 0) + state.i] = input.a; state.i = state.i + 1 + (voice > 1 ? 1 : 0); output.x = state.line[0] + 10 * state.line[2];',
      { voices: 4, inputs: { a: 'm' } },
    );
    made.input('a', (frame) => frame + 1).run(3);
    expect([0, 1, 2, 3].map((voice) => [...made.output('x', { voice, to: 3 })])).toEqual([
      [1, 1, 31],
      [0, 20, 20],
      [10, 10, 10],
      [0, 0, 0],
    ]);
  });

  it('inlines helpers with early returns, defaults and buffers', () => {
    const top = `
      const BASE = 10;
      function grade(x: number): number { if (x > 5) return 3; if (x > 0) { const twice = x * 2; return twice; } return -1; }
      const add = (x: number, y = BASE): number => x + y;
      function last(line: Buffer, i: number): number { return line[i - 1]!; }
    `;
    expect(
      compute('state.line[2] = 4; output.x = add(grade(input.a)) + last(state.line, 3);', { top, frames: 3, a: (f) => [9, 2, -2][f]! }),
    ).toEqual([17, 18, 13]);
  });
});

describe('parameters', () => {
  it('ramp to exactly their target, in frames, whatever the block', () => {
    for (const voices of [1, 8])
      for (const block of [64, 3]) {
        const made = rig('output.x = param.p;', { voices });
        made.run(2).set('p', 2, 4).run(12, block, 2);
        expect([...made.output('x', { to: 8 })]).toEqual([1, 1, 1.25, 1.5, 1.75, 2, 2, 2]);
      }
  });

  it('may differ per voice', () => {
    const made = rig('output.x = param.p * 2;', { voices: 3, params: { p: [1, 2, 3] } }).run(1);
    expect([0, 1, 2].map((voice) => made.output('x', { voice, to: 1 })[0])).toEqual([2, 4, 6]);
  });
});

describe('inputs', () => {
  it('sums the voices of a polyphonic cable into a monophonic module, or takes the first', () => {
    for (const backEnd of ['js', 'wasm'] as const) {
      const made = rig('output.x = input.a; output.y = input.b;', { inputs: { a: '2', b: 'f' }, backEnd });
      for (let voice = 0; voice < 8; voice++) made.input('a', voice + 1, { voice }).input('b', voice + 1, { voice });
      made.run(4);
      expect([made.output('x', { to: 1 })[0], made.output('y', { to: 1 })[0]]).toEqual([36, 1]);
    }
  });

  it('masks voices that do not exist', () => {
    const made = rig('output.x = 1;', { voices: 6 }).run(1);
    expect(Array.from({ length: 8 }, (_, voice) => made.output('x', { voice, to: 1 })[0])).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
  });
});

describe('graph', () => {
  it('drops what no used output needs', () => {
    const all = rig('state.f = Math.sqrt(input.a + state.f); output.y = state.f; output.x = input.a;', { inputs: ['a'] });
    const one = rig('state.f = Math.sqrt(input.a + state.f); output.y = state.f; output.x = input.a;', { inputs: ['a'], outputs: ['x'] });
    expect(one.shape.graph.liveStates).toEqual([]);
    expect(one.shape.graph.uses.size).toBeLessThan(all.shape.graph.uses.size);
  });
});
