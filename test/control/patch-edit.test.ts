import { beforeEach, describe, expect, it } from 'vitest';
import {
  addCable,
  addModule,
  LIMITS,
  emptyPatch,
  loadPatch,
  removeCable,
  removeModule,
  savePatch,
  setParam,
  type Patch,
} from '#src/control/patch/index.js';
import { PatchError } from '#src/errors.js';
import { expectInStep, expectRefused, fullPatch } from './edited-patch.js';
import { full, patchWith, registry } from './patch-fixture.js';

let patch: Patch;
beforeEach(() => {
  patch = fullPatch();
});

describe('adding a module', () => {
  it('adds it to model and document', () => {
    const written = { type: 'vcf', voices: 2, params: { cutoff: ['1 kHz', 50] } };
    const added = addModule(patch, registry, 'vcf2', written);
    expect(added).toEqual({ id: 'vcf2', type: 'vcf', voices: 2, params: new Map([['cutoff', [1000, 50]]]) });
    expect(patch.modules.get('vcf2')).toBe(added);
    expect(savePatch(patch)).toContain('"vcf2": { "type": "vcf", "voices": 2, "params": { "cutoff": ["1 kHz", 50] } }');
    written.params.cutoff[1] = 60; // what was passed stays the caller's
    expectInStep(patch);
  });

  it.each([
    ['vcf1', { type: 'vcf' }, /modules\.vcf1: there is already a module 'vcf1'/],
    ['engine', { type: 'vcf' }, /modules\.engine: 'engine' is the engine's own name/],
    ['__proto__', { type: 'vcf' }, /'__proto__' is not a module id/],
    ['../x', { type: 'vcf' }, /is not a module id/],
    ['vcf2', { type: 'vfc' }, /modules\.vcf2\.type: there is no module type 'vfc'; did you mean 'vcf'/],
    ['vcf2', { type: 'vcf', voices: 99 }, /modules\.vcf2\.voices: 99 is not within 1 to 16/],
    ['vcf2', { type: 'vcf', ui: JSON.parse('{"__proto__":1}') as object }, /modules\.vcf2\.ui\.__proto__: .* is not allowed/],
    ['vcf2', { type: 'vcf', ui: JSON.parse(`{"a":${'['.repeat(30)}${']'.repeat(30)}}`) as object }, /at most 32 objects and arrays/],
    ['vcf2', { type: 'vcf', params: { cutoff: 1 } }, /modules\.vcf2\.params\.cutoff: 1 Hz is below/],
    ['down', { type: 'vcf' }, /modules\.down: there is an OSC alias '\/down' at its address; choose another id, or remove the alias/],
    ['slope', { type: 'vcf' }, /OSC alias '\/slope'/],
  ])('%s: %j is refused', (id, module, message) =>
    expectRefused(patch, () => addModule(patch, registry, id, module as JsonObject), message),
  );

  it('ends at the limit', () => {
    patch = emptyPatch();
    for (let i = 0; i < LIMITS.modules; i++) addModule(patch, registry, `m${i}`, { type: 'vco' });
    expectRefused(patch, () => addModule(patch, registry, 'one-more', { type: 'vco' }), /4,097 modules are more than the 4,096/);
  });

  it('heeds the tempo that it follows', () => {
    patch = loadPatch(JSON.stringify(patchWith({ tempo: 10 })), registry);
    expectRefused(
      patch,
      () => addModule(patch, registry, 'c', { type: 'clock' }),
      /tempo: 10 BPM is below the minimum 20 BPM, that of c.tempo; or give c its own/,
    );
    addModule(patch, registry, 'c', { type: 'clock', params: { tempo: 20 } });
    expectInStep(patch);
  });
});

describe('removing a module', () => {
  it('removes all that refers to it, and nothing else', () => {
    removeModule(patch, 'vcf1');
    expect([...patch.modules.keys()]).toEqual(['vco1', 'pad-2_b', 'clock1']);
    expect(patch.cables).toEqual([]);
    expect([...patch.snapshots]).toEqual([
      ['bright', [{ id: 'pad-2_b', param: 'freq', values: [1, 2, 3, 4] }]],
      ['Two words', []],
    ]);
    expect([...patch.osc.keys()]).toEqual(['/all']);
    expect(savePatch(patch)).not.toContain('vcf1');
    expectInStep(patch);
  });

  it('is refused when there is none', () => {
    expectRefused(patch, () => removeModule(patch, 'vcf2'), /modules: there is no module 'vcf2'; did you mean 'vcf1'/);
    expectRefused(patch, () => removeModule(patch, 'toString'), /there is no module 'toString'/);
  });
});

describe('cables', () => {
  it('are added at the end', () => {
    addCable(patch, registry, { from: 'vcf1.band', to: 'vco1.pitch', gain: 0.5 });
    expect(patch.cables.at(-1)).toEqual({ from: { id: 'vcf1', port: 'band' }, to: { id: 'vco1', port: 'pitch' }, gain: 0.5 });
    expectInStep(patch);
    patch = loadPatch(JSON.stringify(patchWith({ modules: { a: { type: 'vco' } } })), registry); // has no section for cables
    addCable(patch, registry, { from: 'a.saw', to: 'a.fm' });
    expectInStep(patch);
  });

  it('are removed in model and document', () => {
    expect(removeCable(patch, 'vcf1.low', 'vco1.fm').gain).toBe(-0.4);
    expect(patch.cables.map(({ to }) => to.port)).toEqual(['in', 'cutoff']);
    expectInStep(patch);
    addCable(patch, registry, { from: 'vcf1.low', to: 'vco1.fm' });
    expectInStep(patch);
  });

  it.each([
    [{ from: 'vcf1.in', to: 'vco1.fm' }, /cables\[3\]\.from: vcf1 \(vcf\) has no output 'in'/],
    [{ from: 'vco1.saw', to: 'vcf9.in' }, /cables\[3\]\.to: there is no module 'vcf9'/],
    [{ from: 'vco1.saw', to: 'vcf1.in' }, /cables\[3\]: the same cable as cables\[0\]/],
    [{ from: 'vco1.sine', to: 'vcf1.in', gain: NaN }, /cables\[3\]\.gain: NaN is not within/],
  ])('%j is refused', (cable, message) => expectRefused(patch, () => addCable(patch, registry, cable), message));

  it('that are not there cannot be removed', () => {
    expectRefused(
      patch,
      () => removeCable(patch, 'vco1.saw', 'vcf1.inn'),
      /no cable from 'vco1.saw' to 'vcf1.inn'; did you mean 'vco1.saw → vcf1.in'/,
    );
  });
});

describe('setting a parameter', () => {
  const param = (id: string, name: string): unknown =>
    (JSON.parse(savePatch(patch)) as typeof full & { modules: Record<string, { params: Record<string, unknown> }> }).modules[id]!.params[
      name
    ];

  it('keeps the spelling', () => {
    expect(setParam(patch, registry, 'vcf1', 'cutoff', '3 kHz')).toEqual([3000]);
    expect(setParam(patch, registry, 'clock1', 'tempo', 33)).toEqual([33]); // had no params at all
    expect(param('vcf1', 'cutoff')).toBe('3 kHz');
    expect(param('clock1', 'tempo')).toBe(33);
    expectInStep(patch);
  });

  it('sets one voice or all', () => {
    expect(setParam(patch, registry, 'pad-2_b', 'freq', '1 kHz', 1)).toEqual([100, 1000, 300, 400]);
    expect(param('pad-2_b', 'freq')).toEqual([100, '1 kHz', { value: 0.3, unit: 'kHz' }, 400]);
    expect(setParam(patch, registry, 'pad-2_b', 'fine', 50, 3)).toEqual([0, 0, 0, 50]);
    expect(setParam(patch, registry, 'pad-2_b', 'freq', 7)).toEqual([7]);
    expect(setParam(patch, registry, 'pad-2_b', 'freq', 8, 0)).toEqual([8, 7, 7, 7]);
    expect(setParam(patch, registry, 'pad-2_b', 'freq', [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(setParam(patch, registry, 'vcf1', 'cutoff', 50, 0)).toEqual([50]);
    expectInStep(patch);
  });

  it('fills the other voices of a clock with the tempo', () => {
    addModule(patch, registry, 'c', { type: 'clock', voices: 2 });
    expect(setParam(patch, registry, 'c', 'tempo', 60, 1)).toEqual([90.5, 60]);
    expectInStep(patch);
  });

  it.each([
    ['vcf1', 'cutof', 100, undefined, /modules\.vcf1\.params\.cutof: vcf1 \(vcf\) has no parameter 'cutof'; did you mean 'cutoff'/],
    ['vcf9', 'cutoff', 100, undefined, /there is no module 'vcf9'; did you mean 'vcf1'/],
    ['vcf1', 'cutoff', 1, undefined, /modules\.vcf1\.params\.cutoff: 1 Hz is below/],
    ['vcf1', 'cutoff', NaN, undefined, /NaN is not a finite number/],
    ['vcf1', 'cutoff', [100, 200], undefined, /2 values for 1 voice/],
    ['vcf1', 'cutoff', 100, 1, /there is no voice 1 in vcf1; voices are counted from 0 to 0/],
    ['pad-2_b', 'freq', 100, 4, /there is no voice 4 in pad-2_b; voices are counted from 0 to 3/],
    ['pad-2_b', 'freq', 0, 2, /freq\[2\]: 0 Hz is below the minimum 1 Hz/],
    ['pad-2_b', 'freq', [1, 2, 3, 4], 2, /freq\[2\]: an array is not a number/],
    ['vcf1', '__proto__', 1, undefined, /no parameter '__proto__'/],
  ])('%s.%s = %j, voice %s is refused', (id, name, value, voice, message) => {
    expectRefused(patch, () => setParam(patch, registry, id, name, value, voice), message);
  });
});

it('any sequence of edits leaves the document in step', () => {
  let state = 1;
  const random = (n: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const edits: (() => unknown)[] = [
    () => addModule(patch, registry, `m${random(9)}`, { type: pick(['vco', 'vcf', 'clock']), voices: 1 + random(3) }),
    () => removeModule(patch, pick([...patch.modules.keys()])),
    () =>
      addCable(patch, registry, {
        from: `${pick([...patch.modules.keys()])}.${pick(['saw', 'low', 'out'])}`,
        to: `${pick([...patch.modules.keys()])}.${pick(['fm', 'in', 'reset'])}`,
      }),
    () => addCable(patch, registry, { from: `m${random(9)}.saw`, to: `m${random(9)}.in`, gain: random(9) - 4 }),
    () => removeCable(patch, `m${random(9)}.saw`, `m${random(9)}.in`),
    () => setParam(patch, registry, pick([...patch.modules.keys()]), pick(['freq', 'cutoff', 'tempo']), pick([100, '0.1 kHz', [100, 101]])),
    () => setParam(patch, registry, pick([...patch.modules.keys()]), pick(['freq', 'cutoff', 'tempo']), 20 + random(99), random(3)),
  ];
  let done = 0;
  for (let i = 0; i < 1500; i++) {
    if (patch.modules.size === 0) addModule(patch, registry, 'seedling', { type: 'vcf' });
    const before = i % 10 === 0 ? structuredClone(patch) : undefined;
    try {
      pick(edits)();
      done++;
    } catch (error) {
      expect(error).toBeInstanceOf(PatchError);
      if (before) expect(patch).toEqual(before);
    }
    if (i % 10 === 0) expectInStep(patch);
  }
  expect(done).toBeGreaterThan(300);
});
