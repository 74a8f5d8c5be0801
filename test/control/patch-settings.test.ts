// Live edits of gain, title, tempo, snapshots and aliases; and parameters as OSC and snapshots change them.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addModule,
  applyChanges,
  copyPatch,
  emptyPatch,
  LIMITS,
  loadPatch,
  recallValues,
  removeAlias,
  removeSnapshot,
  savePatch,
  setAlias,
  setCableGain,
  setParam,
  setSnapshot,
  setTempo,
  setTitle,
  snapshotNow,
  snapshotValues,
  type Json,
  type JsonObject,
  type Patch,
} from '#src/control/patch/index.js';
import { Registry } from '#src/control/registry.js';
import { applyEdits, type Edit } from '#src/control/edits.js';
import { PatchError } from '#src/errors.js';
import { defineModule, integer, LAST_COUNT, toggle } from '#src/module.js';
import { expectInStep, expectRefused, fullPatch } from './edited-patch.js';
import { patchWith, registry } from './patch-fixture.js';

let patch: Patch;
beforeEach(() => {
  patch = fullPatch();
});

const document = (): Record<string, Record<string, JsonObject>> => JSON.parse(savePatch(patch)) as never;

describe('the gain of a cable', () => {
  it('changes, and what else was written stays', () => {
    setCableGain(patch, 'vcf1.low', 'vco1.fm', 0.25);
    setCableGain(patch, 'vco1.saw', 'vcf1.in', -2);
    expect(patch.cables.map(({ gain }) => gain)).toEqual([-2, 0.25, 1]);
    expect((document()['cables'] as never as JsonObject[])[1]).toMatchObject({ gain: 0.25, 'x-why': 'a loop' });
    expectInStep(patch);
  });

  it('is checked', () => {
    expectRefused(patch, () => setCableGain(patch, 'vcf1.low', 'vco1.fm', 101), /cables\[1\]\.gain: 101 is not within -100 to 100/);
    expectRefused(patch, () => setCableGain(patch, 'vcf1.low', 'vco1.fm', NaN), /NaN is not within/);
    expectRefused(patch, () => setCableGain(patch, 'vcf1.low', 'vco1.fn', 1), /no cable from .*; did you mean 'vcf1.low → vco1.fm'/);
  });
});

describe('title and tempo', () => {
  it('change', () => {
    setTitle(patch, 'Another');
    setTempo(patch, registry, 140);
    expect(patch).toMatchObject({ title: 'Another', tempo: 140 });
    expectInStep(patch);
  });

  it('are checked', () => {
    expectRefused(patch, () => setTitle(patch, 'x'.repeat(257)), /title: the text has 257 characters/);
    expectRefused(patch, () => setTempo(patch, registry, 1000), /tempo: 1000 is not within 10 to 999/);
    expectRefused(patch, () => setTempo(patch, registry, NaN), /NaN/);
  });

  it('a tempo that a module which follows cannot have is refused, unless it has its own', () => {
    expectRefused(patch, () => setTempo(patch, registry, 10), /10 BPM is below the minimum 20 BPM, that of clock1.tempo/);
    setParam(patch, registry, 'clock1', 'tempo', 60);
    setTempo(patch, registry, 10);
    expectInStep(patch);
  });
});

describe('snapshots', () => {
  it('are written and replaced', () => {
    setSnapshot(patch, registry, 'dark', { 'vcf1.cutoff': '0.1 kHz', 'pad-2_b.freq': [1, 2, 3, 4] });
    setSnapshot(patch, registry, 'bright', { 'vcf1.cutoff': 9000 });
    expect(patch.snapshots.get('dark')![0]).toEqual({ id: 'vcf1', param: 'cutoff', values: [100] });
    expect(document()['snapshots']!['dark']!['vcf1.cutoff']).toBe('0.1 kHz');
    expectInStep(patch);
    removeSnapshot(patch, 'bright');
    expect([...patch.snapshots.keys()]).toEqual(['Two words', 'dark']);
    expectInStep(patch);
  });

  it('may be the first of a patch', () => {
    patch = loadPatch(JSON.stringify(patchWith({ modules: { a: { type: 'vcf' } } })), registry);
    setSnapshot(patch, registry, 'one', { 'a.cutoff': 100 });
    setAlias(patch, registry, '/1', { to: 'a.cutoff' });
    expectInStep(patch);
  });

  it('hold every parameter as it is, as it is written', () => {
    applyChanges(patch, registry, [{ id: 'vco1', param: 'fine', voice: -1, value: 12 }]);
    const now = snapshotNow(patch, registry);
    expect(now).toMatchObject({
      'vco1.freq': 110,
      'vco1.fine': 12,
      'pad-2_b.freq': [100, '0.2 kHz', { value: 0.3, unit: 'kHz' }, 400],
      'vcf1.slope': '24 dB',
      'clock1.tempo': 90.5,
    });
    const before = savePatch(patch);
    setSnapshot(patch, registry, 'all', now);
    expect(Object.keys(now)).toHaveLength(2 + 2 + 8 + 1);
    expectInStep(patch);
    removeSnapshot(patch, 'all');
    expect(savePatch(patch)).toBe(before);
  });

  it('leave out what counts triggers', () => {
    const event = { trig: { kind: 'trigger', param: 'count', summary: '' } } as const;
    const params = { count: integer({ min: 0, max: LAST_COUNT, default: 0 }), on: toggle({ default: true }) };
    const trig = defineModule({ type: 'trig', summary: '', tags: [], inputs: {}, outputs: {}, params, events: event, process() {} });
    const own = new Registry([trig]);
    expect(snapshotNow(loadPatch(JSON.stringify(patchWith({ modules: { t: { type: 'trig' } } })), own), own)).toEqual({ 't.on': true });
  });

  it.each([
    ['', {}, /has 1 to 64 characters/],
    ['__proto__', {}, /'__proto__' is not allowed/],
    ['x', { 'vcf1.cutof': 1 }, /snapshots\.x\['vcf1.cutof'\]: .*did you mean 'cutoff'/],
    ['x', { 'vcf1.cutoff': 1 }, /below the minimum/],
    ['x', { 'pad-2_b.freq': [1, 2] }, /2 values for 4 voices/],
  ])('%j: %j is refused', (name, values, message) =>
    expectRefused(patch, () => setSnapshot(patch, registry, name, values as JsonObject), message),
  );

  it('end at the limit, but may still be replaced', () => {
    patch = emptyPatch();
    addModule(patch, registry, 'a', { type: 'vcf' });
    for (let i = 0; i < LIMITS.snapshots; i++) setSnapshot(patch, registry, `s${i}`, {});
    setSnapshot(patch, registry, 's0', { 'a.cutoff': 100 });
    expectRefused(patch, () => setSnapshot(patch, registry, 'more', {}), /1,025 snapshots are more/);
  });

  it('that are not there are not forgotten', () => {
    expectRefused(patch, () => removeSnapshot(patch, 'brigt'), /there is no snapshot 'brigt'; did you mean 'bright'/);
    expectRefused(patch, () => snapshotValues(patch, 'constructor'), /there is no snapshot 'constructor'/);
  });

  it('are recalled into modules that are still what they were', () => {
    const values = snapshotValues(patch, 'bright');
    recallValues(patch, registry, values);
    expect(patch.modules.get('vcf1')!.params.get('cutoff')).toEqual([8000]);
    expect(patch.modules.get('vcf1')!.params.get('slope')).toEqual([0]);
    expect(patch.modules.get('pad-2_b')!.params.get('freq')).toEqual([1, 2, 3, 4]);
    expectInStep(patch);
    const other = loadPatch(
      JSON.stringify(patchWith({ modules: { vcf1: { type: 'vco' }, 'pad-2_b': { type: 'vco', voices: 2 } } })),
      registry,
    );
    const before = structuredClone(other);
    recallValues(other, registry, values);
    expect(other).toEqual(before);
  });
});

describe('aliases', () => {
  it('are set, replaced and removed', () => {
    setAlias(patch, registry, '/new', { to: 'vcf1.cutoff', range: [20, '2 kHz'] });
    setAlias(patch, registry, '/down', { to: 'vcf1.keyTrack' });
    expect(patch.osc.get('/new')).toEqual({ id: 'vcf1', param: 'cutoff', range: [20, 2000] });
    expect(document()['osc']!['/new']).toEqual({ to: 'vcf1.cutoff', range: [20, '2 kHz'] });
    expectInStep(patch);
    removeAlias(patch, '/down');
    expect(patch.osc.has('/down')).toBe(false);
    expectInStep(patch);
  });

  it.each<[string, string, Json[] | undefined, RegExp]>([
    ['no/slash', 'vcf1.cutoff', undefined, /is not an OSC address/],
    ['/engine/x', 'vcf1.cutoff', undefined, /engine's own/],
    [
      '/vco1/freq',
      'vcf1.cutoff',
      undefined,
      /osc\['\/vco1\/freq'\]: addresses under '\/vco1' are that module's own; choose another address/,
    ],
    ['/vco1', 'vcf1.cutoff', undefined, /that module's own/],
    ['/x', 'vcf1.slope', [0, 1], /an enum has no range/],
    ['/x', 'vcf1.cutoff', [1, 100], /below the minimum/],
    ['/x', 'vcf9.cutoff', undefined, /no module 'vcf9'/],
  ])('%s to %s %j is refused', (address, to, range, message) =>
    expectRefused(patch, () => setAlias(patch, registry, address, { to, ...(range ? { range } : {}) }), message),
  );

  it('that are not there are not removed', () =>
    expectRefused(patch, () => removeAlias(patch, '/dwn'), /no OSC alias '\/dwn'; did you mean '\/down'/));
});

describe('what OSC has set', () => {
  const change = (id: string, param: string, value: number, voice = -1): void =>
    applyChanges(patch, registry, [{ id, param, voice, value }]);

  it('is noted in model and document', () => {
    change('vcf1', 'cutoff', 440);
    change('vcf1', 'slope', 0);
    change('vcf1', 'keyTrack', 0);
    change('vcf1', 'stages', 3);
    change('clock1', 'tempo', 33); // had no params at all
    expect(document()['modules']!['vcf1']!['params']).toMatchObject({ cutoff: 440, slope: '12 dB', keyTrack: false, stages: 3 });
    expectInStep(patch);
  });

  it('is written as the shortest number that is the same float, within the range', () => {
    change('vcf1', 'glide', Math.fround(0.009)); // 0.00899999961…
    change('vcf1', 'resonance', Math.fround(0.1)); // 0.10000000149…
    change('vcf1', 'shape', 1e9);
    change('vcf1', 'offset', -0);
    const { params } = patch.modules.get('vcf1')!;
    expect([params.get('glide'), params.get('resonance'), params.get('shape'), params.get('offset')]).toEqual([[0.009], [0.1], [10], [0]]);
    expectInStep(patch);
    for (let i = 0; i < 2000; i++) {
      const value = Math.fround(1 + ((i * 7919.77) % 19_000));
      change('vcf1', 'cutoff', Math.max(20, value));
      expect(Math.fround(params.get('cutoff')![0]!)).toBe(Math.max(20, value));
    }
  });

  it('may be one voice', () => {
    change('pad-2_b', 'freq', 500, 2);
    change('pad-2_b', 'fine', 7, 0);
    change('vcf1', 'cutoff', 300, 0);
    expect(patch.modules.get('pad-2_b')!.params.get('freq')).toEqual([100, 200, 500, 400]);
    expect(document()['modules']!['pad-2_b']!['params']).toEqual({ freq: [100, '0.2 kHz', 500, 400], fine: [7, 0, 0, 0] });
    expectInStep(patch);
    change('pad-2_b', 'freq', 50);
    expect(patch.modules.get('pad-2_b')!.params.get('freq')).toEqual([50]);
    expectInStep(patch);
  });

  it('is ignored when it names nothing, or is no number', () => {
    const before = structuredClone(patch);
    change('nobody', 'cutoff', 1);
    change('vcf1', 'nothing', 1);
    change('vcf1', 'constructor', 1);
    change('vcf1', 'cutoff', NaN);
    change('vcf1', 'cutoff', 100, 1);
    expect(patch).toEqual(before);
  });
});

it('any sequence of edits, in batches, leaves the document in step or everything as it was', () => {
  let state = 7;
  const random = (n: number): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const id = (): string => `m${random(6)}`;
  const name = (): string => pick(['one', 'two', '__proto__', '']);
  const edits: (() => Edit)[] = [
    () => ({ kind: 'create', type: pick(['vco', 'vcf', 'clock']), id: id(), voices: 1 + random(3) }),
    () => ({ kind: 'remove', id: id() }),
    () => ({ kind: 'connect', from: `${id()}.saw`, to: `${id()}.in` }),
    () => ({ kind: 'disconnect', from: `${id()}.saw`, to: `${id()}.in` }),
    () => ({ kind: 'gain', from: `${id()}.saw`, to: `${id()}.in`, gain: random(9) - 4 }),
    () => ({ kind: 'title', title: name() }),
    () => ({ kind: 'tempo', bpm: pick([5, 15, 90]) }),
    () => ({ kind: 'snapshot', name: name() }),
    () => ({ kind: 'snapshot', name: name(), values: { [`${id()}.freq`]: random(50) } }),
    () => ({ kind: 'removeSnapshot', name: name() }),
    () => ({ kind: 'alias', address: `/${name()}`, to: `${id()}.cutoff`, ...(random(2) ? { range: [100, 200 - random(190)] } : {}) }),
    () => ({ kind: 'removeAlias', address: `/${name()}` }),
  ];
  let done = 0;
  for (let i = 0; i < 2000; i++) {
    const draft = copyPatch(patch);
    // A draft shares with the patch what edits do not change.
    const before = i % 10 === 0 ? structuredClone(patch) : undefined;
    try {
      applyEdits(
        draft,
        registry,
        Array.from({ length: pick([1, 1, 2, 3]) }, () => pick(edits)()),
      );
    } catch (error) {
      expect(error).toBeInstanceOf(PatchError);
      continue;
    } finally {
      if (before) expect(patch).toEqual(before);
    }
    patch = draft;
    done++;
    if (i % 10 === 0) expectInStep(patch);
  }
  expect(done).toBeGreaterThan(300);
});
