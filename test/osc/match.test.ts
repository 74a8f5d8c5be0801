import { describe, expect, it } from 'vitest';
import { isPattern, match, Pattern, PATTERN_LIMITS } from '#src/osc/match.js';
import { generator } from './random.js';

describe('address patterns', () => {
  it.each([
    ['/a/b/c', '/a/b/c', true],
    ['/a/b', '/a/b/c', false],
    ['/a/b/c', '/a/b', false],
    ['', '', true],
    ['/?/b/*c', '/a/b/c', true],
    ['/?/b/*c', '/a/b/abcc', true],
    ['/?/b/*c', '/ab/b/c', false],
    ['/*', '/a/b', false],
    ['/*/*', '/a/b', true],
    ['/*', '/', true],
    ['/a?', '/a/', false],
    ['/*b*', '/abba', true],
    ['/**a', '/bca', true],
    ['/vco[1-3]/freq', '/vco2/freq', true],
    ['/vco[1-3]/freq', '/vco4/freq', false],
    ['/vco[!1-3]/freq', '/vco4/freq', true],
    ['/vco[!1-3]/freq', '/vco3/freq', false],
    ['/[abc-]', '/-', true],
    ['/[a-c-]', '/-', true],
    ['/[-a]', '/-', true],
    ['/[z-a]', '/m', false],
    ['/[a!]', '/!', true],
    ['/[]', '/a', false],
    ['/[!]', '/a', true],
    ['/a[!b]c', '/a/c', false],
    ['/{vco,vcf}1/*', '/vcf1/cutoff', true],
    ['/{vco,vcf}1/*', '/vca1/level', false],
    ['/{a,ab}{c,bc}', '/abbc', true],
    ['/{a,ab}{c,bc}', '/abbbc', false],
    ['/x{,y}z', '/xz', true],
    ['/{}', '/', true],
    ['/{a*,b}c', '/aaac', true],
    ['/{[,}],a}', '/,', true],
    ['/{[,}],a}', '/}', true],
    ['/{[,a]b}', '/a]b', false],
    ['/{a/b,c}', '/a/b', true],
    ['/a,b', '/a,b', true],
  ])('%s on %s: %s', (pattern, address, expected) => {
    expect(match(pattern, address)).toBe(expected ? 'match' : 'no match');
  });

  it.each(['/[a', '/{a', '/a]', '/a}', '/{a{b,c}}', '/{[}'])('%s is malformed and matches nothing, not even itself', (pattern) => {
    expect(match(pattern, pattern)).toBe('no match');
  });

  it('are told from addresses', () => {
    expect(['/vco1/freq', '/a*', '/a?', '/[a]', '/{a}'].map(isPattern)).toEqual([false, true, true, true, true]);
  });
});

describe('bombs', () => {
  const fill = (part: string): string => `/${part.repeat(255 / part.length)}`;

  it.each(['{a,b}', '{a,a}', '{a,aa}', '{,a}', '*', '*a', '{*,a}', '[!b]*', '{*,*,*}?', '{,,,,,,,,,,,}'])(
    '%s over and over stays within the budget',
    (part) => {
      const pattern = new Pattern(fill(part));
      const result = pattern.match(`/${'a'.repeat(4000)}b/`);
      expect(['no match', 'too hard']).toContain(result);
      // It looks at the budget after every character of the address, which is worth a few steps for each of the pattern's at most.
      expect(pattern.steps).toBeLessThan(PATTERN_LIMITS.steps + 4 * PATTERN_LIMITS.length);
    },
  );

  it('says so when a pattern is too hard, and only for that address', () => {
    const pattern = new Pattern(fill('*a'));
    expect(pattern.match(`/${'a'.repeat(4000)}`)).toBe('too hard');
    expect(pattern.match(`/${'a'.repeat(20)}`)).toBe('no match');
    expect(pattern.match(`/${'b'.repeat(1000)}`)).toBe('no match');
  });

  it('refuses a pattern of more than 256 characters', () => {
    expect(match('a'.repeat(256), 'a'.repeat(256))).toBe('match');
    expect(match('a'.repeat(257), 'a'.repeat(257))).toBe('too hard');
  });
});

/** The same language by plain recursion, for well-formed patterns. */
function slowMatch(pattern: string, address: string): boolean {
  if (pattern === '') return address === '';
  const [first, rest] = [pattern[0]!, pattern.slice(1)];
  const oneMore = address !== '' && address[0] !== '/';
  if (first === '*') return slowMatch(rest, address) || (oneMore && slowMatch(pattern, address.slice(1)));
  if (first === '?') return oneMore && slowMatch(rest, address.slice(1));
  if (first === '[') {
    const [set, after] = [rest.slice(0, rest.indexOf(']')), rest.slice(rest.indexOf(']') + 1)];
    const negated = set.startsWith('!');
    const parts = (negated ? set.slice(1) : set).match(/.-.|./g) ?? [];
    const isIn = parts.some((part) => part[0]! <= address[0]! && address[0]! <= part.at(-1)!);
    return oneMore && isIn !== negated && slowMatch(after, address.slice(1));
  }
  if (first === '{') {
    const [list, after] = [rest.slice(0, rest.indexOf('}')), rest.slice(rest.indexOf('}') + 1)];
    return list.split(',').some((choice) => slowMatch(choice + after, address));
  }
  return first === address[0] && slowMatch(rest, address.slice(1));
}

describe('a slow matcher', () => {
  it('agrees on random patterns', () => {
    const { seed, pick, below } = generator();
    const literals = ['a', 'b', 'c', '/', ','];
    const parts = ['*', '?', '[a-b]', '[!a]', '[c-]', '[]', '{a,b}', '{ab,,c}', '{a*,?b}', '{b/a,b}', ...literals, ...literals];
    const some = (of: readonly string[], most: number): string => Array.from({ length: below(most + 1) }, () => pick(of)).join('');
    let matches = 0;
    for (let i = 0; i < 100_000; i++) {
      const [pattern, address] = [some(parts, 6), some(['a', 'b', 'c', '/', '-'], 7)];
      const expected = slowMatch(pattern, address);
      if (expected) matches++;
      if ((match(pattern, address) === 'match') !== expected) expect.fail(`${pattern} on ${address} should be ${expected} (seed ${seed})`);
    }
    expect(matches).toBeGreaterThan(1000);
  });
});
