import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearest } from '#src/control/names.js';
import { Registry } from '#src/control/registry.js';
import { KrellError } from '#src/errors.js';
import { registry } from './patch-fixture.js';

describe('the registry', () => {
  it('finds types', () => {
    expect(registry.list().map(({ type }) => type)).toEqual(['vco', 'vcf', 'clock']);
    expect(registry.get('vcf')).toBe(registry.list()[1]);
    expect(registry.find('vcf')).toBe(registry.list()[1]);
    expect(registry.find('toString')).toBeUndefined();
  });

  it('names the nearest type when there is none', () => {
    expect(() => registry.get('clokc')).toThrow(
      new KrellError('unknown-type', "there is no module type 'clokc'", { hint: "did you mean 'clock'?" }),
    );
  });

  it('knows the places of ports and parameters in their spec', () => {
    expect([registry.inputIndex('vcf', 'in'), registry.inputIndex('vcf', 'resonance')]).toEqual([0, 2]);
    expect([registry.outputIndex('vcf', 'low'), registry.outputIndex('vcf', 'band')]).toEqual([0, 1]);
    expect([registry.paramIndex('vcf', 'cutoff'), registry.paramIndex('vcf', 'shape')]).toEqual([0, 7]);
    expect([registry.inputIndex('vcf', 'low'), registry.outputIndex('vcx', 'low'), registry.paramIndex('vcf', 'toString')]).toEqual([
      -1, -1, -1,
    ]);
  });

  it('refuses two modules of one type', () => {
    expect(() => new Registry([registry.get('vco'), registry.get('vco')])).toThrow(/two modules have the type 'vco'; rename one/);
  });
});

describe('the nearest name', () => {
  it.each([
    ['cutof', 'cutoff'],
    ['CUTOFF', 'cutoff'],
    ['cuttoff', 'cutoff'],
    ['ctuoff', 'cutoff'],
    ['resonnance', 'resonance'],
    ['res', 'resonance'],
    ['resonances', 'resonance'],
    ['drvie', 'drive'],
  ])('of %s is %s', (name, wanted) => expect(nearest(name, ['in', 'cutoff', 'resonance', 'drive'])).toBe(wanted));

  it.each(['x', '', 'reverb', 'c'.repeat(10_000)])('of %.10s is none', (name) =>
    expect(nearest(name, ['in', 'cutoff', 'resonance'])).toBeUndefined(),
  );

  it('is the first of equally near ones', () => expect(nearest('vcx', ['vco', 'vcf', 'vca'])).toBe('vco'));

  it('counts slips of the finger', () => {
    expect(editDistance('kitten', 'sitting', 5)).toBe(3);
    expect(editDistance('abcd', 'abdc', 2)).toBe(1);
    expect(editDistance('', 'abc', 3)).toBe(3);
    expect(editDistance('abc', 'abc', 0)).toBe(0);
    expect(editDistance('kitten', 'sitting', 2)).toBeGreaterThan(2);
    expect(editDistance('abcdef', 'uvwxyz', 3)).toBeGreaterThan(3);
  });

  it('becomes a hint, or else a list of what there is', () => {
    expect(didYouMean('cutof', ['in', 'cutoff'])).toBe("did you mean 'cutoff'?");
    expect(didYouMean('zzz', ['in', 'cutoff'])).toBe('there is in, cutoff');
    expect(
      didYouMean(
        'zzz',
        Array.from({ length: 20 }, (_, i) => `p${i}`),
      ),
    ).toMatch(/p0, .*, p15 and 4 more$/);
    expect(didYouMean('zzz', [])).toBeUndefined();
  });

  it('agrees with the plain definition on random words', () => {
    let state = 12345;
    const random = (n: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
    const word = (): string => Array.from({ length: random(7) }, () => 'abc'[random(3)]).join('');
    for (let i = 0; i < 3000; i++) {
      const [a, b, limit] = [word(), word(), random(7)];
      const wanted = plainDistance(a, b);
      const got = editDistance(a, b, limit);
      if (wanted <= limit) expect([a, b, limit, got]).toEqual([a, b, limit, wanted]);
      else expect(got).toBeGreaterThan(limit);
    }
  });
});

/** Optimal string alignment, straight from its recursive definition. */
function plainDistance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => Math.max(i, j)));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const options = [table[i - 1]![j]! + 1, table[i]![j - 1]! + 1, table[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1])];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) options.push(table[i - 2]![j - 2]! + 1);
      table[i]![j] = Math.min(...options);
    }
  return table[a.length]![b.length]!;
}
