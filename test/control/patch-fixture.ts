// Modules and patches that the tests of patch files share.
import { Registry } from '#src/control/registry.js';
import { audio, bpm, cents, choice, cv, defineModule, hz, integer, number, ratio, seconds, toggle, trigger, voct } from '#src/module.js';

const vco = defineModule({
  type: 'vco',
  summary: 'Oscillator.',
  tags: [],
  inputs: { pitch: voct(), fm: cv() },
  outputs: { sine: audio(), saw: audio() },
  params: { freq: hz({ min: 1, max: 20_000, default: 261.6256 }), fine: cents({ min: -100, max: 100, default: 0 }) },
  process() {},
});
const vcf = defineModule({
  type: 'vcf',
  summary: 'Filter.',
  tags: [],
  inputs: { in: audio(), cutoff: voct(), resonance: cv() },
  outputs: { low: audio(), band: audio() },
  params: {
    cutoff: hz({ min: 20, max: 20_000, default: 1000 }),
    resonance: ratio({ default: 0.2 }),
    slope: choice(['12 dB', '24 dB'], { default: '12 dB' }),
    keyTrack: toggle({ default: false }),
    stages: integer({ min: 1, max: 4, default: 2 }),
    glide: seconds({ min: 0, max: 0.009, default: 0 }),
    offset: number('V', { min: -1, max: 1, default: 0 }),
    shape: number('', { min: 0, max: 10, default: 5 }),
  },
  process() {},
});
const clock = defineModule({
  type: 'clock',
  summary: 'Clock.',
  tags: [],
  inputs: { reset: trigger() },
  outputs: { out: trigger() },
  params: { tempo: bpm({ min: 20, max: 300, default: 120, follows: 'tempo' }) },
  process() {},
});
export const registry = new Registry([vco, vcf, clock]);

type Fields = Record<string, unknown>;
/** A valid patch with some of its fields replaced. */
export const patchWith = (fields: Fields): Fields => ({ format: 'krell-patch', formatVersion: 1, modules: {}, ...fields });
/** A valid patch with one filter, `vcf1`, that has these parameters. */
export const withParams = (params: Fields, voices?: number): Fields =>
  patchWith({ modules: { vcf1: { type: 'vcf', ...(voices === undefined ? {} : { voices }), params } } });

/** A patch that uses every part of the format. */
export const full = patchWith({
  $schema: '../schema/patch-1.json',
  title: 'Everything “at once” \u{1f39b}',
  tempo: 90.5,
  seed: 4294967295,
  'x-author': { name: 'Ada', links: [[], {}, null, true, 1e-7, 'a\u0000b\ud800'] },
  modules: {
    vco1: { type: 'vco', params: { freq: 110, fine: { value: 0.5, unit: 'semitones' } }, ui: { x: 10, y: 20 } },
    'pad-2_b': { 'x-colour': 'red', voices: 4, type: 'vco', params: { freq: [100, '0.2 kHz', { value: 0.3, unit: 'kHz' }, 4e2] } },
    vcf1: {
      type: 'vcf',
      voices: 1,
      params: {
        cutoff: { unit: 'kHz', value: 1.2 },
        resonance: '70 %',
        slope: '24 dB',
        keyTrack: true,
        stages: 4,
        glide: '9 ms',
        offset: '-250mV',
        shape: 2.5,
      },
    },
    clock1: { type: 'clock' },
  },
  cables: [
    { from: 'vco1.saw', to: 'vcf1.in' },
    { from: 'vcf1.low', to: 'vco1.fm', gain: -0.4, 'x-why': 'a loop', ui: { colour: '#f00' } },
    { from: 'vco1.saw', to: 'vcf1.cutoff', gain: 1 },
  ],
  snapshots: { bright: { 'vcf1.cutoff': 8000, 'pad-2_b.freq': [1, 2, 3, 4], 'vcf1.slope': '12 dB' }, 'Two words': {} },
  osc: {
    '/1/fader-1': { to: 'vcf1.cutoff', range: [200, '8 kHz'], 'x-note': 1 },
    '/down': { to: 'vcf1.resonance', range: [1, 0] },
    '/slope': { to: 'vcf1.slope' },
    '/key': { to: 'vcf1.keyTrack' },
    '/all': { to: 'vco1.freq' },
  },
  ui: { zoom: 2, 'any thing': [{ goes: ['here'] }], 10: 'ten', 9: 'nine' },
});

export interface BadPatch {
  readonly what: string;
  readonly patch: unknown;
  readonly path: string;
  readonly message: RegExp;
  /** A JSON Schema cannot know this one. */
  readonly beyondSchema?: true;
}
const bad = (what: string, patch: unknown, path: string, message: RegExp): BadPatch => ({ what, patch, path, message });
/** A fault that lies in how parts fit together. */
const deep = (...rest: Parameters<typeof bad>): BadPatch => ({ ...bad(...rest), beyondSchema: true });

const two = { vco1: { type: 'vco' }, vcf1: { type: 'vcf', voices: 2 } };
const cable = (fields: unknown): Fields => patchWith({ modules: two, cables: [fields] });
const alias = (address: string, fields: unknown): Fields => patchWith({ modules: two, osc: { [address]: fields } });
const param = (name: string, value: unknown): Fields => withParams({ [name]: value });

/** Each has exactly one thing wrong with it. */
export const badPatches: readonly BadPatch[] = [
  bad('an array', [], '', /^an array is not a patch; write/),
  bad('null', null, '', /^null is not a patch/),
  bad('format missing', { formatVersion: 1, modules: {} }, 'format', /a patch needs the field 'format'/),
  bad('another format', patchWith({ format: 'midi' }), 'format', /'midi' should be 'krell-patch'/),
  bad('version missing', { format: 'krell-patch', modules: {} }, 'formatVersion', /needs the field/),
  bad('version from the future', patchWith({ formatVersion: 2 }), 'formatVersion', /version 2 is newer than 1.*; update Krell/),
  bad('version as text', patchWith({ formatVersion: '1' }), 'formatVersion', /'1' should be 1/),
  bad('version −1', patchWith({ formatVersion: -1 }), 'formatVersion', /-1 should be 1/),
  bad('half a version', patchWith({ formatVersion: 0.5 }), 'formatVersion', /0.5 should be 1/),
  bad('modules missing', { format: 'krell-patch', formatVersion: 1 }, 'modules', /a patch needs the field 'modules'/),
  bad('modules in an array', patchWith({ modules: [] }), 'modules', /an array is not an object of modules/),
  bad('an unknown field', patchWith({ tmpo: 3 }), 'tmpo', /a patch has no field 'tmpo'; did you mean 'tempo'\?/),
  bad('a title that is a number', patchWith({ title: 3 }), 'title', /3 is not text/),
  bad('a title that is too long', patchWith({ title: 'x'.repeat(257) }), 'title', /257 characters, at most 256/),
  bad('a tempo out of range', patchWith({ tempo: 1000 }), 'tempo', /1000 is not within 10 to 999/),
  bad('a tempo as text', patchWith({ tempo: '120 BPM' }), 'tempo', /'120 BPM' is not a number; write one from 10 to 999/),
  deep(
    'a tempo its clock cannot follow',
    patchWith({ tempo: 400, modules: { c: { type: 'clock' } } }),
    'tempo',
    /400 BPM is above the maximum 300 BPM, that of c.tempo/,
  ),
  bad('a broken seed', patchWith({ seed: 1.5 }), 'seed', /1.5 is not a whole number/),
  bad('a negative seed', patchWith({ seed: -1 }), 'seed', /-1 is not within 0 to 4294967295/),
  bad('ui that is text', patchWith({ ui: 'big' }), 'ui', /'big' is not an object/),

  bad(
    'a path as id',
    patchWith({ modules: { '../../etc/passwd': { type: 'vco' } } }),
    "modules['../../etc/passwd']",
    /is not a module id; use small letters/,
  ),
  bad('a capital in an id', patchWith({ modules: { Vco: { type: 'vco' } } }), 'modules.Vco', /is not a module id/),
  bad('a digit first in an id', patchWith({ modules: { '1vco': { type: 'vco' } } }), 'modules.1vco', /is not a module id/),
  bad('an empty id', patchWith({ modules: { '': { type: 'vco' } } }), "modules['']", /'' is not a module id/),
  bad('a dot in an id', patchWith({ modules: { 'a.b': { type: 'vco' } } }), "modules['a.b']", /is not a module id/),
  bad('a newline in an id', patchWith({ modules: { 'a\n': { type: 'vco' } } }), "modules['a\\n']", /'a\\n' is not a module id/),
  bad(
    'an id that is too long',
    patchWith({ modules: { ['a'.repeat(65)]: { type: 'vco' } } }),
    `modules['${'a'.repeat(48)}…']`,
    /65 characters, at most 64/,
  ),
  bad('the id engine', patchWith({ modules: { engine: { type: 'vco' } } }), 'modules.engine', /the engine's own name/),
  bad('a module that is text', patchWith({ modules: { a: 'vco' } }), 'modules.a', /'vco' is not a module; write \{ type,/),
  bad('type missing', patchWith({ modules: { a: {} } }), 'modules.a.type', /a module needs the field 'type'/),
  bad('an unknown type', patchWith({ modules: { a: { type: 'vcp' } } }), 'modules.a.type', /no module type 'vcp'; did you mean 'vco'\?/),
  bad('a type from Object', patchWith({ modules: { a: { type: 'toString' } } }), 'modules.a.type', /no module type 'toString'/),
  bad('a type that is a number', patchWith({ modules: { a: { type: 3 } } }), 'modules.a.type', /3 is not text/),
  bad(
    'an unknown field of a module',
    patchWith({ modules: { a: { type: 'vco', param: {} } } }),
    'modules.a.param',
    /did you mean 'params'/,
  ),
  bad('0 voices', patchWith({ modules: { a: { type: 'vco', voices: 0 } } }), 'modules.a.voices', /0 is not within 1 to 16/),
  bad('17 voices', patchWith({ modules: { a: { type: 'vco', voices: 17 } } }), 'modules.a.voices', /17 is not within 1 to 16/),
  bad('params in an array', patchWith({ modules: { a: { type: 'vco', params: [] } } }), 'modules.a.params', /an array is not an object/),

  bad('an unknown parameter', param('cutof', 1000), 'modules.vcf1.params.cutof', /vcf has no parameter 'cutof'; did you mean 'cutoff'\?/),
  bad('an input as parameter', param('in', 0), 'modules.vcf1.params.in', /it is an input, and this takes a parameter/),
  bad('a parameter from Object', param('valueOf', 1), 'modules.vcf1.params.valueOf', /no parameter 'valueOf'/),
  bad('x- in params', param('x-note', 1), 'modules.vcf1.params.x-note', /no parameter 'x-note'/),
  bad('above the maximum', param('cutoff', 20001), 'modules.vcf1.params.cutoff', /20001 Hz is above the maximum 20000 Hz/),
  bad(
    'below the minimum, meant in kHz',
    param('cutoff', 1.2),
    'modules.vcf1.params.cutoff',
    /1.2 Hz is below the minimum 20 Hz; did you mean "1.2 kHz"\?/,
  ),
  bad(
    'volts, meant in millivolts',
    param('offset', 800),
    'modules.vcf1.params.offset',
    /800 V is above the maximum 1 V; did you mean "800 mV"\?/,
  ),
  bad(
    'a ratio, meant in percent',
    param('resonance', 70),
    'modules.vcf1.params.resonance',
    /70 is above the maximum 1; did you mean "70 %"\?/,
  ),
  deep(
    'out of range with a unit',
    param('cutoff', { value: 40, unit: 'kHz' }),
    'modules.vcf1.params.cutoff',
    /40 kHz is above the maximum 20000 Hz$/,
  ),
  deep('out of range as text', param('cutoff', '5Hz'), 'modules.vcf1.params.cutoff', /5 Hz is below the minimum 20 Hz$/),
  bad(
    'an unknown unit',
    param('cutoff', { value: 1, unit: 'khz' }),
    'modules.vcf1.params.cutoff',
    /'khz' is not a unit of Hz; did you mean 'kHz'\?/,
  ),
  bad('a unit of something else', param('cutoff', '1 ms'), 'modules.vcf1.params.cutoff', /'ms' is not a unit of Hz; there is Hz, kHz/),
  bad(
    'an empty unit',
    param('cutoff', { value: 100, unit: '' }),
    'modules.vcf1.params.cutoff',
    /an object is not a number or a value with a unit/,
  ),
  bad(
    'a unit from Object',
    param('cutoff', { value: 100, unit: 'toString' }),
    'modules.vcf1.params.cutoff',
    /'toString' is not a unit of Hz/,
  ),
  bad('a field too many', param('cutoff', { value: 1, unit: 'kHz', x: 1 }), 'modules.vcf1.params.cutoff', /an object is not a number/),
  bad(
    'a number as text',
    param('cutoff', '440'),
    'modules.vcf1.params.cutoff',
    /'440' is not a number or a value with a unit; write 1000 or "1000 Hz"/,
  ),
  bad('a unit for a plain number', param('shape', '2 V'), 'modules.vcf1.params.shape', /a plain number takes no unit, here 'V'; write 2/),
  bad('null for a number', param('cutoff', null), 'modules.vcf1.params.cutoff', /null is not a number/),
  bad('true for a number', param('cutoff', true), 'modules.vcf1.params.cutoff', /true is not a number/),
  bad(
    'an unknown enum value',
    param('slope', '12dB'),
    'modules.vcf1.params.slope',
    /'12dB' is not one of its values; did you mean '12 dB'\?/,
  ),
  bad('a number for an enum', param('slope', 1), 'modules.vcf1.params.slope', /1 is not one of its values; there is 12 dB, 24 dB/),
  bad('a number for a toggle', param('keyTrack', 1), 'modules.vcf1.params.keyTrack', /1 is neither true nor false/),
  bad('a broken integer', param('stages', 2.5), 'modules.vcf1.params.stages', /2.5 is not a whole number; did you mean 3\?/),
  bad('an integer out of range', param('stages', 5), 'modules.vcf1.params.stages', /5 is above the maximum 4/),
  bad('an integer as text', param('stages', '3'), 'modules.vcf1.params.stages', /'3' is not a whole number; write one from 1 to 4/),
  deep(
    'too few values for the voices',
    withParams({ cutoff: [100, 200] }, 3),
    'modules.vcf1.params.cutoff',
    /2 values for 3 voices; write one value, or one per voice/,
  ),
  deep('two values for one voice', param('cutoff', [100, 200]), 'modules.vcf1.params.cutoff', /2 values for 1 voice;/),
  bad('no values for the voices', withParams({ cutoff: [] }, 2), 'modules.vcf1.params.cutoff', /0 values for 2 voices/),
  bad('one voice out of range', withParams({ cutoff: [100, 2] }, 2), 'modules.vcf1.params.cutoff[1]', /2 Hz is below/),
  bad('an array within an array', withParams({ cutoff: [[100], 200] }, 2), 'modules.vcf1.params.cutoff[0]', /an array is not a number/),

  bad('cables in an object', patchWith({ cables: {} }), 'cables', /an object is not an array of cables/),
  bad('a cable that is text', cable('vco1.saw -> vcf1.in'), 'cables[0]', /is not a cable; write \{ from, to, gain, ui \}/),
  bad('from missing', cable({ to: 'vcf1.in' }), 'cables[0].from', /a cable needs the field 'from'/),
  bad('to missing', cable({ from: 'vco1.saw' }), 'cables[0].to', /a cable needs the field 'to'/),
  bad(
    'a cable without a port',
    cable({ from: 'vco1', to: 'vcf1.in' }),
    'cables[0].from',
    /'vco1' is not of the form 'module.output'; as in/,
  ),
  bad('a cable with two dots', cable({ from: 'vco1.saw.x', to: 'vcf1.in' }), 'cables[0].from', /is not of the form/),
  deep(
    'a cable from nowhere',
    cable({ from: 'vco2.saw', to: 'vcf1.in' }),
    'cables[0].from',
    /there is no module 'vco2'; did you mean 'vco1'\?/,
  ),
  deep(
    'a cable to nowhere',
    cable({ from: 'vco1.saw', to: 'vcf1.inn' }),
    'cables[0].to',
    /vcf1 \(vcf\) has no input 'inn'; did you mean 'in'\?/,
  ),
  deep(
    'a cable from an input',
    cable({ from: 'vcf1.in', to: 'vco1.fm' }),
    'cables[0].from',
    /no output 'in'; it is an input, and this takes an output/,
  ),
  deep('a cable to a parameter', cable({ from: 'vco1.saw', to: 'vco1.freq' }), 'cables[0].to', /no input 'freq'; it is a parameter/),
  bad('a gain as text', cable({ from: 'vco1.saw', to: 'vcf1.in', gain: '0.4' }), 'cables[0].gain', /'0.4' is not a number/),
  bad('a gain out of range', cable({ from: 'vco1.saw', to: 'vcf1.in', gain: -101 }), 'cables[0].gain', /-101 is not within -100 to 100/),
  bad('an unknown field of a cable', cable({ from: 'vco1.saw', to: 'vcf1.in', gian: 1 }), 'cables[0].gian', /did you mean 'gain'/),
  deep(
    'the same cable twice',
    patchWith({
      modules: two,
      cables: [
        { from: 'vco1.saw', to: 'vcf1.in' },
        { from: 'vco1.saw', to: 'vcf1.in', gain: 0.5 },
      ],
    }),
    'cables[1]',
    /the same cable as cables\[0\]/,
  ),

  bad('a snapshot that is a number', patchWith({ snapshots: { a: 1 } }), 'snapshots.a', /1 is not an object/),
  bad('a snapshot without a name', patchWith({ snapshots: { '': {} } }), "snapshots['']", /1 to 64 characters, this one 0/),
  deep(
    'an unknown module in a snapshot',
    patchWith({ modules: two, snapshots: { a: { 'vcf2.cutoff': 100 } } }),
    "snapshots.a['vcf2.cutoff']",
    /no module 'vcf2'/,
  ),
  deep(
    'an unknown parameter in a snapshot',
    patchWith({ modules: two, snapshots: { a: { 'vcf1.cut': 100 } } }),
    "snapshots.a['vcf1.cut']",
    /did you mean 'cutoff'/,
  ),
  deep(
    'a snapshot out of range',
    patchWith({ modules: two, snapshots: { a: { 'vcf1.cutoff': 1 } } }),
    "snapshots.a['vcf1.cutoff']",
    /below the minimum/,
  ),
  deep(
    'too many voices in a snapshot',
    patchWith({ modules: two, snapshots: { a: { 'vcf1.cutoff': [99, 99, 99] } } }),
    "snapshots.a['vcf1.cutoff']",
    /3 values for 2/,
  ),

  bad(
    'an OSC address without a slash',
    alias('fader', { to: 'vcf1.cutoff' }),
    'osc.fader',
    /'fader' is not an OSC address; write one like/,
  ),
  bad('an OSC pattern', alias('/a*', { to: 'vcf1.cutoff' }), "osc['/a*']", /is not an OSC address/),
  bad('an empty part in an OSC address', alias('/a//b', { to: 'vcf1.cutoff' }), "osc['/a//b']", /is not an OSC address/),
  bad('an OSC address in the engine', alias('/engine/quit', { to: 'vcf1.cutoff' }), "osc['/engine/quit']", /are the engine's own/),
  deep(
    'an OSC address that a module has',
    alias('/vcf1/cutoff', { to: 'vcf1.cutoff' }),
    "osc['/vcf1/cutoff']",
    /addresses under '\/vcf1' are that module's own; choose another address/,
  ),
  bad('an alias of nothing', alias('/a', {}), "osc['/a'].to", /an OSC alias needs the field 'to'/),
  deep('an alias of nobody', alias('/a', { to: 'vcf1.cutof' }), "osc['/a'].to", /did you mean 'cutoff'/),
  bad('a range of one', alias('/a', { to: 'vcf1.cutoff', range: [1] }), "osc['/a'].range", /an array is not a range; write \[from, to\]/),
  deep('a range too wide', alias('/a', { to: 'vcf1.cutoff', range: [20, 30000] }), "osc['/a'].range[1]", /30000 Hz is above/),
  deep('the range of a toggle', alias('/a', { to: 'vcf1.keyTrack', range: [0, 1] }), "osc['/a'].range", /a toggle has no range/),
];
