import { describe, expect, it } from 'vitest';
import { modules } from '#modules/index.js';
import { COMMANDS } from '#src/osc/commands.js';
import { PITCH_MAX, PITCH_MIN } from '#src/osc/pitch.js';
import { parametersOf } from '#src/osc/query/describe.js';
import { jsonOf } from '#src/osc/query/json.js';
import { describeSpace, treeOf, type OscNode, type ValueAttributes } from '#src/osc/query/tree.js';
import { choice, hz, integer, toggle, type ModuleDefinition } from '#src/module.js';
import { FakeArena } from './query-rig.js';

/** One of every module, `<type>1`. */
function everything(voices = 1): FakeArena {
  const arena = new FakeArena();
  arena.put(Object.fromEntries(modules.map(({ type }) => [`${type}1`, { type, voices }])));
  return arena;
}

const at = (root: OscNode, path: string): OscNode | undefined =>
  path
    .split('/')
    .filter(Boolean)
    .reduce<OscNode | undefined>((node, name) => node?.CONTENTS?.[name], root);

const TAGS_OF: Record<string, (json: unknown) => boolean> = {
  f: (json) => typeof json === 'number' && Number.isFinite(json),
  i: Number.isInteger,
  s: (json) => typeof json === 'string',
  T: (json) => typeof json === 'boolean',
  I: (json) => json === null,
};

/** What the proposal asks of values' attributes: as many entries as the type has tags, of their types. */
function checkValues(path: string, values: ValueAttributes): void {
  const tags = values.TYPE!;
  expect(tags, path).toMatch(/^[fisTI]+$/);
  for (const name of ['VALUE', 'RANGE', 'UNIT', 'EXTENDED_TYPE', 'CLIPMODE'] as const)
    if (values[name]) expect(values[name], `${path} ${name}`).toHaveLength(tags.length);
  values.VALUE?.forEach((value, i) => expect(TAGS_OF[tags[i]!]!(value), `${path} VALUE[${i}] ${String(value)}`).toBe(true));
  values.RANGE?.forEach((range, i) => {
    if (!range) return;
    if ('VALS' in range) for (const value of range.VALS) expect(TAGS_OF[tags[i]!]!(value), path).toBe(true);
    else expect(range.MIN, path).toBeLessThan(range.MAX);
  });
}

const ATTRIBUTES = new Set([
  ...['FULL_PATH', 'CONTENTS', 'TYPE', 'VALUE', 'RANGE', 'UNIT', 'ACCESS', 'DESCRIPTION', 'CLIPMODE', 'EXTENDED_TYPE', 'TAGS', 'OVERLOADS'],
]);

/** Holds a node, and all in it, to the proposal. @returns how many there are. */
function check(node: OscNode, path: string): number {
  expect(node.FULL_PATH).toBe(path);
  for (const name of Object.keys(node)) expect(ATTRIBUTES, `${path} ${name}`).toContain(name);
  expect([0, 1, 2, 3]).toContain(node.ACCESS);
  expect(node.ACCESS === 0, path).toBe(node.TYPE === undefined);
  expect((node.ACCESS & 1) === 1, path).toBe(node.VALUE !== undefined);
  if (node.TYPE !== undefined) checkValues(path, node);
  for (const overload of node.OVERLOADS ?? []) checkValues(path, overload);
  for (const tag of node.TAGS ?? []) expect(typeof tag).toBe('string');
  // Without CONTENTS it would be taken for a method.
  if (node.ACCESS === 0) expect(node.CONTENTS, path).toBeTypeOf('object');
  return Object.entries(node.CONTENTS ?? {}).reduce(
    (sum, [name, child]) => sum + check(child, path === '/' ? `/${name}` : `${path}/${name}`),
    1,
  );
}

describe('the tree', () => {
  it.each([1, 5])('of every module in %i voices is as the proposal says', (voices) => {
    expect(check(describeSpace(everything(voices).space), '/')).toBeGreaterThan(100);
  });

  it('is the same document in pieces', () => {
    const { space } = everything();
    const pieces = [...jsonOf(treeOf(space))];
    expect(pieces.length).toBeGreaterThan(100);
    expect(JSON.parse(pieces.join(''))).toEqual(describeSpace(space));
  });

  it.each(modules.map((definition) => [definition.type, definition] as const))('says of %s what its spec says', (type, definition) => {
    const root = describeSpace(everything().space);
    const module = at(root, `/${type}1`)!;
    expect(module.DESCRIPTION).toBe(definition.summary);
    expect(module.ACCESS).toBe(0);
    expect(module.TAGS).toEqual([type, ...definition.tags]);
    const counters = Object.values(definition.events).flatMap((event) => (event.kind === 'trigger' ? [event.param] : []));
    for (const [name, spec] of Object.entries(definition.params)) {
      const node = module.CONTENTS![name];
      if (counters.includes(name)) {
        expect(node).toBeUndefined();
        continue;
      }
      expect(node).toMatchObject({ FULL_PATH: `/${type}1/${name}`, ACCESS: 3 });
      expect(node!.DESCRIPTION ?? '').toBe(spec.summary);
      if (spec.kind === 'enum') expect(node).toMatchObject({ TYPE: 's', RANGE: [{ VALS: spec.values }], VALUE: [spec.default] });
      else if (spec.kind === 'toggle') expect(node).toMatchObject({ TYPE: 'T', VALUE: [spec.default] });
      else
        expect(node).toMatchObject({
          TYPE: spec.kind === 'integer' ? 'i' : 'f',
          RANGE: [{ MIN: spec.min, MAX: spec.max }],
          VALUE: [spec.default],
          CLIPMODE: ['both'],
        });
    }
    for (const name of Object.keys(definition.events)) expect(module.CONTENTS![name]).toMatchObject({ ACCESS: 2 });
  });

  it('names units as the proposal lists them, and what they measure', () => {
    const root = describeSpace(everything().space);
    expect(at(root, '/vcf1/cutoff')).toMatchObject({ UNIT: ['time.hz'], EXTENDED_TYPE: ['frequency'] });
    expect(at(root, '/adsr1/attack')).toMatchObject({ UNIT: ['time.second'], EXTENDED_TYPE: ['time'] });
    expect(at(root, '/out1/level')).toMatchObject({ UNIT: ['gain.db'], EXTENDED_TYPE: ['gain'] });
    expect(at(root, '/vco1/fine')).toMatchObject({ UNIT: ['time.cents'] });
    expect(at(root, '/vcf1/resonance')!.UNIT).toBeUndefined();
  });

  it('has every command of the engine, to write only', () => {
    const root = describeSpace(everything().space);
    for (const { address, summary, args } of COMMANDS) {
      const node = at(root, address)!;
      expect(node).toMatchObject({ FULL_PATH: address, ACCESS: 2, DESCRIPTION: summary });
      const forms = [node, ...(node.OVERLOADS ?? [])];
      expect(forms.at(-1)!.TYPE!.replace('I', '')).toHaveLength(args.length);
      expect(forms).toHaveLength(1 + args.filter(({ optional }) => optional).length);
    }
    expect(at(root, '/engine/cable/connect')).toMatchObject({ TYPE: 'ss', EXTENDED_TYPE: ['from', 'to'], OVERLOADS: [{ TYPE: 'ssf' }] });
    expect(at(root, '/engine/version')).toMatchObject({ TYPE: 'I' });
    // A command below another.
    expect(at(root, '/engine/learn/cancel')).toMatchObject({ TYPE: 'I' });
  });

  it('has a value for each voice where there are several', () => {
    const arena = everything(3);
    arena.set('vcf1', 'cutoff', 100);
    arena.set('vcf1', 'cutoff', 300, 2);
    expect(at(describeSpace(arena.space), '/vcf1/cutoff')).toMatchObject({
      TYPE: 'f',
      VALUE: [100],
      OVERLOADS: [{ TYPE: 'fff', VALUE: [100, 100, 300], RANGE: [{ MIN: 20 }, { MIN: 20 }, { MIN: 20 }] }],
    });
    expect(at(describeSpace(everything().space), '/vcf1/cutoff')!.OVERLOADS).toBeUndefined();
  });

  it('shows floats as they were written', () => {
    const arena = everything();
    arena.set('vcf1', 'resonance', 0.1);
    expect(at(describeSpace(arena.space), '/vcf1/resonance')!.VALUE).toEqual([0.1]);
    arena.set('vcf1', 'resonance', 1 / 3);
    expect(Math.fround(at(describeSpace(arena.space), '/vcf1/resonance')!.VALUE![0] as number)).toBe(Math.fround(1 / 3));
  });
});

describe('events', () => {
  const played: ModuleDefinition = {
    type: 'played',
    summary: 'Is played.',
    tags: [],
    inputs: {},
    outputs: {},
    params: {
      count: integer({ min: 0, max: 1000, default: 0 }),
      x: hz({ min: 1, max: 2, default: 1 }),
      y: hz({ min: 1, max: 3, default: 1 }),
      mode: choice(['a', 'b'], { default: 'b' }),
      on: toggle({ default: true }),
    },
    events: {
      note: { kind: 'note', summary: 'A note.' },
      trig: { kind: 'trigger', param: 'count', summary: 'A trigger.' },
      xy: { kind: 'set', params: ['x', 'y'], summary: 'Both.' },
      both: { kind: 'set', params: ['on', 'mode'], summary: 'Others.' },
    },
    state: {},
    tables: {},
  };
  const arena = new FakeArena([played]);
  arena.put({ p: { type: 'played' } });
  const root = describeSpace(arena.space);

  it('are to write only', () => {
    check(root, '/');
    for (const name of ['note', 'trig', 'xy', 'both']) expect(at(root, `/p/${name}`)!.ACCESS).toBe(2);
  });

  it('have a form for each way to send them', () => {
    const note = at(root, '/p/note')!;
    expect([note, ...note.OVERLOADS!].map(({ TYPE }) => TYPE)).toEqual(['ff', 'fff', 'ii', 'iif', 'sf', 'sff']);
    expect(note).toMatchObject({ DESCRIPTION: 'A note.', EXTENDED_TYPE: ['pitch', 'velocity'], UNIT: ['time.midinote', null] });
    expect(note).toMatchObject({
      RANGE: [
        { MIN: PITCH_MIN, MAX: PITCH_MAX },
        { MIN: 0, MAX: 1 },
      ],
      CLIPMODE: ['none', 'high'],
    });
    expect(at(root, '/p/off')).toMatchObject({ TYPE: 'f', ACCESS: 2, OVERLOADS: [{ TYPE: 's' }] });
    expect(at(describeSpace(everything().space), '/vco1/off')).toBeUndefined();
    expect(at(root, '/p/trig')).toMatchObject({ TYPE: 'I', DESCRIPTION: 'A trigger.' });
    expect(at(root, '/p/xy')).toMatchObject({
      TYPE: 'ff',
      RANGE: [{ MAX: 2 }, { MAX: 3 }],
      EXTENDED_TYPE: ['position.cartesian.x', 'position.cartesian.y'],
    });
    expect(at(root, '/p/both')).toMatchObject({ TYPE: 'Ts', RANGE: [null, { VALS: ['a', 'b'] }], EXTENDED_TYPE: ['on', 'mode'] });
  });

  it('hide the parameter that counts them', () => {
    expect(at(root, '/p/count')).toBeUndefined();
    expect(parametersOf(played).map(({ name, index }) => [name, index])).toEqual([
      ['x', 1],
      ['y', 2],
      ['mode', 3],
      ['on', 4],
    ]);
  });
});

describe('aliases', () => {
  const alias = (address: string, id: string, param: string, range: [number, number] = [0, 1]) => ({ address, id, param, range });

  it('are nodes of their own', () => {
    const arena = everything();
    arena.put(
      {},
      [],
      [
        alias('/1/fader1', 'vcf1', 'resonance', [0, 0.8]),
        alias('/1', 'vco1', 'fine', [-50, 50]),
        alias('/a/b/c', 'vcf1', 'resonance', [1, 0]),
      ],
    );
    arena.set('vcf1', 'resonance', 0.2);
    const root = describeSpace(arena.space);
    check(root, '/');
    expect(at(root, '/1/fader1')).toMatchObject({ ACCESS: 3, TYPE: 'f', RANGE: [{ MIN: 0, MAX: 1 }], VALUE: [0.25], CLIPMODE: ['both'] });
    expect(at(root, '/1')).toMatchObject({ ACCESS: 3, TYPE: 'f', VALUE: [0.5] });
    expect(at(root, '/a/b')).toMatchObject({ ACCESS: 0, FULL_PATH: '/a/b' });
    expect(at(root, '/a/b/c')!.VALUE).toEqual([0.8]);
  });

  it('go up in ratios where their parameter does', () => {
    const arena = everything();
    arena.put({}, [], [alias('/f', 'vcf1', 'cutoff', [100, 10_000]), alias('/g', 'vcf1', 'resonance', [0.5, 0.5])]);
    arena.set('vcf1', 'cutoff', 1000);
    const root = describeSpace(arena.space);
    expect(at(root, '/f')!.VALUE).toEqual([0.5]);
    expect(at(root, '/g')!.VALUE).toEqual([0]);
  });

  it('of choices are moved from 0 to 1, too', () => {
    const arena = everything();
    arena.put({}, [], [alias('/steal', 'keys1', 'steal', [0, 2])]);
    arena.set('keys1', 'steal', 1);
    expect(at(describeSpace(arena.space), '/steal')).toMatchObject({ TYPE: 'f', RANGE: [{ MIN: 0, MAX: 1 }], VALUE: [0.5] });
  });

  it('never take the place of what is there, nor stand for what is not', () => {
    const arena = everything();
    const before = describeSpace(arena.space);
    arena.put(
      {},
      [],
      [
        alias('/vcf1/cutoff', 'vco1', 'freq', [1, 2]),
        alias('/vcf1', 'vco1', 'freq', [1, 2]),
        alias('/x', 'nobody', 'freq'),
        alias('/y', 'vco1', 'nothing'),
      ],
    );
    expect(describeSpace(arena.space)).toEqual(before);
    arena.put({}, [], [alias('/__proto__/constructor', 'vcf1', 'resonance')]);
    const root = describeSpace(arena.space);
    expect(Object.keys(root.CONTENTS!)).toContain('__proto__');
    expect(Object.prototype).not.toHaveProperty('FULL_PATH');
  });
});
