import { describe, expect, it } from 'vitest';
import { LIMITS, loadPatch, paramValue, type Patch } from '#src/control/patch/index.js';
import { PatchError } from '#src/errors.js';
import { badPatches, full, patchWith, registry, withParams } from './patch-fixture.js';

const load = (patch: unknown): Patch => loadPatch(JSON.stringify(patch), registry);

/** The error that `patch` is refused with. */
function refused(text: string, source?: string): PatchError {
  try {
    loadPatch(text, registry, source === undefined ? {} : { source });
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
  throw new Error('the patch loads');
}

describe('a patch', () => {
  const patch = load(full);

  it('is read with its title, tempo and seed', () => {
    expect(patch).toMatchObject({ title: 'Everything “at once” \u{1f39b}', tempo: 90.5, seed: 2 ** 32 - 1 });
  });

  it('has its modules in the order of the file, with only the parameters given', () => {
    expect([...patch.modules.keys()]).toEqual(['vco1', 'pad-2_b', 'vcf1', 'clock1']);
    expect(patch.modules.get('clock1')).toEqual({ id: 'clock1', type: 'clock', voices: 1, params: new Map() });
    expect(patch.modules.get('pad-2_b')).toEqual({
      id: 'pad-2_b',
      type: 'vco',
      voices: 4,
      params: new Map([['freq', [100, 200, 300, 400]]]),
    });
  });

  it('has values as the engine’s numbers in the unit of the parameter', () => {
    expect(Object.fromEntries(patch.modules.get('vcf1')!.params)).toEqual({
      cutoff: [1200],
      resonance: [0.7],
      slope: [1],
      keyTrack: [1],
      stages: [4],
      glide: [0.009], // 9 × 0.001 is a bit more than that, and than the maximum
      offset: [-0.25],
      shape: [2.5],
    });
    expect(patch.modules.get('vco1')!.params.get('fine')).toEqual([50]);
  });

  it('has cables, snapshots and OSC aliases', () => {
    expect(patch.cables).toEqual([
      { from: { id: 'vco1', port: 'saw' }, to: { id: 'vcf1', port: 'in' }, gain: 1 },
      { from: { id: 'vcf1', port: 'low' }, to: { id: 'vco1', port: 'fm' }, gain: -0.4 },
      { from: { id: 'vco1', port: 'saw' }, to: { id: 'vcf1', port: 'cutoff' }, gain: 1 },
    ]);
    expect([...patch.snapshots]).toEqual([
      [
        'bright',
        [
          { id: 'vcf1', param: 'cutoff', values: [8000] },
          { id: 'pad-2_b', param: 'freq', values: [1, 2, 3, 4] },
          { id: 'vcf1', param: 'slope', values: [0] },
        ],
      ],
      ['Two words', []],
    ]);
    expect([...patch.osc]).toEqual([
      ['/1/fader-1', { id: 'vcf1', param: 'cutoff', range: [200, 8000] }],
      ['/down', { id: 'vcf1', param: 'resonance', range: [1, 0] }],
      ['/slope', { id: 'vcf1', param: 'slope', range: [0, 1] }],
      ['/key', { id: 'vcf1', param: 'keyTrack', range: [0, 1] }],
      ['/all', { id: 'vco1', param: 'freq', range: [1, 20_000] }],
    ]);
  });

  it('has defaults for what the file leaves out', () => {
    expect(load(patchWith({}))).toMatchObject({ title: '', tempo: 120, seed: 1, cables: [], modules: new Map() });
  });

  it('takes values at both ends of a range', () => {
    const { params } = load(withParams({ cutoff: [20, 20_000], stages: [1, 4], offset: ['-1000 mV', -0] }, 2)).modules.get('vcf1')!;
    expect(Object.fromEntries(params)).toEqual({ cutoff: [20, 20_000], stages: [1, 4], offset: [-1, 0] });
  });
});

describe('a broken patch', () => {
  it.each(badPatches)('is refused: $what', ({ patch, path, message }) => {
    const { problems } = refused(JSON.stringify(patch));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    const [{ message: said, hint } = { message: '' }] = problems;
    expect(hint ? `${said}; ${hint}` : said).toMatch(message);
  });

  it('has all its errors listed, and named in the message', () => {
    const error = refused(
      JSON.stringify(
        patchWith({
          tempo: 0,
          modules: { vco1: { type: 'vcq' }, vcf1: { type: 'vcf', params: { a: 1 } } },
          cables: [{ from: 'vco1.x', to: 'vcf1.x' }],
        }),
      ),
      'my.json',
    );
    // not the cable's start: that vco1 has no known type is already said
    expect(error.problems.map(({ path }) => path)).toEqual(['tempo', 'modules.vco1.type', 'modules.vcf1.params.a', 'cables[0].to']);
    expect(error.message).toMatch(/^my\.json: 4 errors\n {2}tempo: .*\n {2}modules\.vco1\.type: .*\n.*\n {2}cables\[0\]\.to: .*$/);
  });

  it('is refused whole when it has too many parts', () => {
    const many = (count: number, entry: unknown): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, entry]));
    expect(refused(JSON.stringify(patchWith({ modules: many(100_000, { type: 'vco' }) }))).message).toBe(
      'patch: 1 error\n  modules: 100,000 modules are more than the 4,096 a patch may have',
    );
    expect(load(patchWith({ modules: many(LIMITS.modules, { type: 'vco' }) })).modules.size).toBe(LIMITS.modules);
    expect(refused(JSON.stringify(patchWith({ snapshots: many(LIMITS.snapshots + 1, {}) }))).problems).toHaveLength(1);
    expect(refused(JSON.stringify(patchWith({ osc: many(LIMITS.aliases + 1, {}) }))).problems).toHaveLength(1);
    const cables = new Array(LIMITS.cables + 1).fill({ from: 'a.b', to: 'c.d' });
    expect(refused(JSON.stringify(patchWith({ cables }))).message).toMatch(/cables: 16,385 cables are more than the 16,384/);
  });

  it('has its errors counted when there are very many', () => {
    const modules = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`m${i}`, { type: 'vcq' }]));
    const error = refused(JSON.stringify(patchWith({ modules })));
    expect(error.message).toMatch(/^patch: 4,000 errors\n/);
    expect(error.message).toMatch(/\n {2}… and 3,980 more$/);
    expect(error.message.split('\n')).toHaveLength(22);
    expect(error.problems).toHaveLength(LIMITS.problems);
    expect(error.problems[0]!.hint).toBe("did you mean 'vco'?");
    expect(error.problems[LIMITS.hints]!.hint).toBeUndefined();
  });

  it('cannot send commands to a terminal, or a book', () => {
    const evil = `\u001b[2J\u009b1m\u202e${'x'.repeat(100_000)}`;
    const { message } = refused(JSON.stringify(patchWith({ [evil]: 1, title: { [evil]: 1 }, modules: { [evil]: { type: evil } } })));
    expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(message.length).toBeLessThan(2000);
  });
});

describe('paramValue', () => {
  const spec = registry.get('vcf').params['cutoff']!;

  it('refuses what no file can hold', () => {
    for (const value of [NaN, Infinity, -Infinity, undefined, () => 1, 5n, Symbol.iterator, { value: NaN, unit: 'Hz' }, '1e999 Hz'])
      expect(paramValue(spec, value, 'here')).toMatchObject({
        problem: { path: 'here', message: expect.stringMatching(/not a/) as unknown },
      });
  });

  it('never gives −0', () => {
    expect(paramValue(registry.get('vcf').params['offset']!, -0, '')).toEqual({ value: 0 });
    expect(paramValue(registry.get('vcf').params['offset']!, '-0 mV', '')).toEqual({ value: 0 });
  });
});
