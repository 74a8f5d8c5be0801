import { describe, expect, it } from 'vitest';
import { COMMAND_ADD, COMMAND_NOTE, COMMAND_SET, COMMAND_SLOTS, CONTROL, PENDING_MAX } from '#src/shared/layout.js';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { RATE, tag, TestClient, TestDispatcher, TestSpace } from './rig.js';

const float = (value: number) => ({ type: 'f', value }) as const;
const f32 = Math.fround;
const [CUTOFF, RESONANCE, MODE, POLES, GATE] = [0, 1, 2, 3, 4];

/** `vcf` (mono), `pad` (4 voices), `packed` (lane 2 of a shared state), `keys`. */
function rig(options: ConstructorParameters<typeof TestDispatcher>[2] = {}): TestDispatcher {
  const arena = new TestSpace();
  const modules = [
    arena.module('vcf'),
    arena.module('pad', { voices: 4 }),
    arena.module('packed', { lane: 2 }),
    arena.module('keys', { type: 'keys' }),
  ];
  return new TestDispatcher(arena, modules, options);
}
const [VCF, PAD, PACKED, KEYS_SLOT] = [0, 1, 2, 3];

describe('setting parameters', () => {
  it.each<[string, string, Parameters<typeof encodeMessage>[1], object]>([
    ['a float', 'cutoff', [float(440.5)], { param: CUTOFF, value: 440.5, ramp: 0.005 * RATE }],
    ['an int', 'cutoff', [440], { param: CUTOFF, value: 440 }],
    ['a double', 'cutoff', [{ type: 'd', value: 0.1 + 440 }], { param: CUTOFF, value: f32(440.1) }],
    ['an int64', 'cutoff', [440n], { param: CUTOFF, value: 440 }],
    ['its own ramp', 'resonance', [float(0.25)], { param: RESONANCE, value: 0.25, ramp: 480 }],
    ['true', 'gate', [true], { param: GATE, value: 1, ramp: 0 }],
    ['false', 'gate', [false], { param: GATE, value: 0 }],
    ['a float for a toggle', 'gate', [float(0.3)], { param: GATE, value: 1 }],
    ['0 for a toggle', 'gate', [0], { param: GATE, value: 0 }],
    ['a label', 'mode', ['band'], { param: MODE, value: 1 }],
    ['an index', 'mode', [2], { param: MODE, value: 2 }],
    ['a float for an integer', 'poles', [float(3.6)], { param: POLES, value: 4, ramp: 0 }],
    ['a text with its unit', 'cutoff', ['1.2 kHz'], { param: CUTOFF, value: 1200 }],
    ['an array of one', 'cutoff', [[500]], { param: CUTOFF, value: 500 }],
  ])('%s', (_, param, args, command) => {
    const { dispatcher, client, arena } = rig();
    dispatcher.receive(encodeMessage(`/vcf/${param}`, args), client);
    expect(arena.commands()).toEqual([expect.objectContaining({ kind: COMMAND_SET, slot: VCF, voice: -1, frame: -1, ...command })]);
    expect(client.heard).toEqual([]);
  });

  it.each<[string, string, Parameters<typeof encodeMessage>[1], RegExp]>([
    ['NaN', '/vcf/cutoff', [NaN], /finite/],
    ['infinity', '/vcf/cutoff', [float(Infinity)], /finite/],
    ['a double NaN', '/vcf/cutoff', [{ type: 'd', value: NaN }], /finite/],
    ['nil', '/vcf/cutoff', [null], /numbers, true, false and texts only/],
    ['a blob', '/vcf/cutoff', [new Uint8Array(4)], /only/],
    ['a wrong label', '/vcf/mode', ['bnd'], /did you mean 'band'/],
    ['a wrong unit', '/vcf/cutoff', ['3 ms'], /not a unit of Hz/],
    ['two values for one voice', '/vcf/cutoff', [1, 2], /takes one value/],
    ['five values for four voices', '/pad/cutoff', [100, 100, 100, 100, 100], /at most 4/],
    ['one bad value of four', '/pad/cutoff', [100, 100, NaN, 100], /finite/],
    ['a voice that does not exist', '/pad/cutoff/4', [100], /voices 0 to 3/],
    ['a module alone', '/vcf', [100], /is a module; it has cutoff, resonance, mode/],
  ])('refuses %s', (_, address, args, why) => {
    const { dispatcher, client, arena } = rig();
    dispatcher.receive(encodeMessage(address, args), client);
    expect(client.heard).toEqual([['/fail', expect.stringMatching(/^\/(vcf|pad)/), expect.stringMatching(why)]]);
    expect(arena.commands()).toEqual([]);
  });

  it('sets one voice, or one value per voice', () => {
    const d = rig();
    d.send('/pad/cutoff/3', 100);
    d.send('/pad/cutoff', 101, 102);
    d.send('/pad/cutoff', [103, 104, 105, 106]);
    d.send('/vcf/cutoff/0', 107);
    d.send('/packed/cutoff', 108);
    expect(d.arena.commands().map(({ slot, voice, value }) => [slot, voice, value])).toEqual([
      [PAD, 3, 100],
      ...[0, 1].map((voice) => [PAD, voice, 101 + voice]),
      ...[0, 1, 2, 3].map((voice) => [PAD, voice, 103 + voice]),
      [VCF, 0, 107],
      [PACKED, 2, 108],
    ]);
  });

  it('clamps, and says so once until it is in range again', () => {
    const d = rig();
    for (const value of [30_000, 40_000, 10, 500, 50_000]) d.send('/vcf/cutoff', value);
    d.send('/vcf/mode', 7);
    d.send('/vcf/gate', 5);
    expect(d.arena.commands().map(({ value }) => value)).toEqual([20_000, 20_000, 20, 500, 20_000, 2, 1]);
    expect(d.client.heard).toEqual([
      ['/clamped', '/vcf/cutoff', 30_000, 20_000],
      ['/clamped', '/vcf/cutoff', 50_000, 20_000],
      ['/clamped', '/vcf/mode', 7, 2],
    ]);
    expect(d.counter(CONTROL.OSC_CLAMPED)).toBe(5);
  });

  it('follows modules that come, go and change', () => {
    const d = rig();
    d.tell({ removed: ['vcf'], modules: [d.arena.module('pad', { voices: 2 }), d.arena.module('new')] });
    d.send('/vcf/cutoff', 100);
    d.send('/pad/cutoff/2', 100);
    d.send('/pad/cutoff', 200);
    d.send('/new/cutoff', 300);
    expect(d.arena.commands().map(({ slot, value }) => [slot, value])).toEqual([
      [4, 200],
      [5, 300],
    ]);
    expect(d.client.heard.map(([, address]) => address)).toEqual(['/vcf/cutoff', '/pad/cutoff/2']);
  });
});

describe('queries', () => {
  it('answers with what is there, one value or one per voice', () => {
    const d = rig();
    d.arena.setTarget(d.space.modules.get('vcf')!, MODE, 0, 1);
    for (const param of ['cutoff', 'mode', 'poles', 'gate']) d.send(`/vcf/${param}`);
    d.send('/pad/resonance');
    d.send('/pad/resonance/2');
    d.send('/packed/cutoff');
    expect(d.client.heard).toEqual([
      ['/vcf/cutoff', 0.5],
      ['/vcf/mode', 'band'],
      ['/vcf/poles', 4],
      ['/vcf/gate', true],
      ['/pad/resonance', 1.5, f32(1.6), f32(1.7), f32(1.8)],
      ['/pad/resonance/2', f32(1.7)],
      ['/packed/cutoff', 0.5],
    ]);
  });

  it('answers with what has just been set, until the engine has it', () => {
    const d = rig();
    d.send('/pad/cutoff', 200);
    d.send('/pad/cutoff/1', 300);
    d.send('/pad/cutoff');
    d.arena.words[CONTROL.BLOCKS] = 2;
    d.send('/pad/cutoff');
    d.send('/pad/cutoff', 400);
    d.send('/pad/cutoff');
    expect(d.client.heard).toEqual([
      ['/pad/cutoff', 200, 300, 200, 200],
      ['/pad/cutoff', 0.5, f32(0.6), f32(0.7), f32(0.8)],
      ['/pad/cutoff', 400],
    ]);
  });

  it('does not answer with what lies ahead', () => {
    const d = rig();
    d.sendAt(1, '/vcf/cutoff', 200);
    d.send('/vcf/cutoff');
    expect(d.client.heard).toEqual([['/vcf/cutoff', 0.5]]);
  });
});

describe('aliases', () => {
  const aliases = [
    { address: '/1/fader1', id: 'vcf', param: 'cutoff', range: [200, 3200] },
    { address: '/1/fader2', id: 'vcf', param: 'resonance', range: [1, 0] },
    { address: '/1/toggle', id: 'vcf', param: 'mode', range: [0, 2] },
    { address: '/1/gone', id: 'nobody', param: 'cutoff', range: [0, 1] },
  ] as const;

  it('maps 0..1 on the range, along the curve of the parameter', () => {
    const d = rig({ aliases });
    for (const value of [0, 0.25, 1]) d.send('/1/fader1', float(value));
    for (const value of [0, 0.25, 1]) d.send('/1/fader2', float(value));
    for (const value of [0.2, 0.3, 1]) d.send('/1/toggle', float(value));
    expect(d.arena.commands().map(({ value }) => value)).toEqual([200, 400, 3200, 1, 0.75, 0, 0, 1, 2]);
  });

  it('clamps, answers, refuses', () => {
    const d = rig({ aliases });
    d.send('/1/fader1', float(1.5));
    d.send('/1/fader1');
    d.send('/vcf/cutoff', 400);
    d.send('/1/fader1');
    d.send('/1/fader2');
    d.send('/1/fader1', 'half');
    d.send('/1/gone', 1);
    expect(d.client.heard.slice(0, 4)).toEqual([
      ['/clamped', '/1/fader1', 1.5, 1],
      ['/1/fader1', 1],
      ['/1/fader1', 0.25],
      ['/1/fader2', 0], // 1.5 is beyond its range
    ]);
    expect(d.client.heard.slice(4).map(([, address]) => address)).toEqual(['/1/fader1', '/1/gone']);
  });

  it('follows the patch', () => {
    const d = rig({ aliases });
    d.tell({ aliases: [{ address: '/x', id: 'pad', param: 'poles', range: [1, 8] }] });
    d.send('/1/fader1', 1);
    d.send('/x', 1);
    expect(d.arena.commands().map(({ slot, value }) => [slot, value])).toEqual([[PAD, 8]]);
  });
});

describe('patterns', () => {
  it.each([
    ['/*/cutoff', ['vcf', 'pad', 'packed']],
    ['/{vcf,pad}/cutoff', ['vcf', 'pad']],
    ['/p??/cutoff', ['pad']],
    ['/[a-p]*/cutoff', ['pad', 'packed']],
    ['/pad/cutoff/*', ['pad', 'pad', 'pad', 'pad']],
    ['/pad/cutoff/[13]', ['pad', 'pad']],
    ['/*/nothing', []],
  ])('%s', (pattern, ids) => {
    const d = rig();
    const slots = { vcf: VCF, pad: PAD, packed: PACKED } as Record<string, number>;
    for (let turn = 0; turn < 2; turn++) {
      d.send(pattern, 100);
      expect(d.arena.commands().map(({ slot }) => slot)).toEqual(ids.map((id) => slots[id]));
    }
    expect(d.client.heard.length).toBe(ids.length === 0 ? 2 : 0);
  });

  it('reaches modules that come after it was first used', () => {
    const d = rig();
    d.send('/*/cutoff', 100);
    d.tell({ modules: [d.arena.module('new')] });
    d.arena.commands();
    d.send('/*/cutoff', 100);
    expect(d.arena.commands()).toHaveLength(4);
  });

  it('queries and tells of each address by its own', () => {
    const d = rig();
    d.send('/{vcf,packed}/poles');
    d.send('/{vcf,packed}/poles', 99);
    expect(d.client.heard).toEqual([
      ['/vcf/poles', 4],
      ['/packed/poles', 4],
      ['/clamped', '/vcf/poles', 99, 8],
      ['/clamped', '/packed/poles', 99, 8],
    ]);
  });

  it('does not reach commands that edit the patch', () => {
    const d = rig();
    d.send('/engine/{version,quit}');
    d.send('/engine/patch/*', 'x');
    expect(d.asked.map(({ address }) => address)).toEqual(['/engine/version']);
    expect(d.client.heard).toEqual([['/fail', '/engine/patch/*', expect.stringMatching(/do not reach commands/)]]);
  });

  it('may cost only so much a packet', () => {
    const d = rig();
    d.send(`/${'{a,b}'.repeat(40)}*`, 1);
    d.tell({ modules: Array.from({ length: 100 }, (_, i) => d.arena.module(`pad${i}`, { voices: 16 })) });
    const all = Array.from({ length: 1000 }, () => encodeMessage('/pad*/cutoff/*', [100]));
    d.dispatcher.receive(encodeBundle(1n, all), d.client);
    expect(d.client.heard.at(-1)).toEqual(['/fail', '/pad*/cutoff/*', expect.stringMatching(/too/)]);
    expect(d.arena.commands().length).toBeLessThan(40_000);
  });
});

describe('notes and triggers', () => {
  it.each<[string, Parameters<typeof encodeMessage>[1], [pitch: number, velocity: number, key: number, frames: number]]>([
    ['a number', [60, float(0.5)], [0, 0.5, 6000, 0]],
    ['between two keys', [float(69.25), float(1)], [9.25 / 12, 1, 6925, 0]],
    ['a name', ['c4', float(0.5)], [0, 0.5, 6000, 0]],
    ['a sharp', ['F#3', float(0.5)], [-0.5, 0.5, 5400, 0]],
    ['a flat', ['eb5', float(0.5)], [15 / 12, 0.5, 7500, 0]],
    ['a velocity of 127', [72, 127], [1, 1, 7200, 0]],
    ['a small one', [72, 2], [1, f32(2 / 127), 7200, 0]],
    ['an int 1', [72, 1], [1, 1, 7200, 0]],
    ['its end', [72, 0], [1, 0, 7200, 0]],
    ['a duration', [60, float(0.5), float(0.25)], [0, 0.5, 6000, 12_000]],
  ])('%s', (_, args, [pitch, velocity, key, frames]) => {
    const d = rig();
    d.send('/keys/note', ...args!);
    expect(d.arena.commands()).toEqual([
      expect.objectContaining({ kind: COMMAND_NOTE, slot: KEYS_SLOT, value: f32(pitch), paramAsFloat: velocity, voice: key, ramp: frames }),
    ]);
  });

  it.each<[string, Parameters<typeof encodeMessage>[1]]>([
    ['no velocity', [60]],
    ['a name that is none', ['h4', 1]],
    ['a pitch nobody hears', [float(1e9), 1]],
    ['NaN', [NaN, 1]],
    ['a velocity below 0', [60, -1]],
    ['a duration below 0', [60, 1, -1]],
    ['a day', [60, 1, 86_400]],
    ['too much', [60, 1, 1, 1]],
  ])('refuses %s', (_, args) => {
    const d = rig();
    d.send('/keys/note', ...args!);
    expect(d.arena.commands()).toEqual([]);
    expect(d.client.heard).toEqual([['/fail', '/keys/note', expect.stringMatching(/takes pitch/)]]);
  });

  it('ends one note, or all', () => {
    const d = rig();
    d.send('/keys/off', 'c4');
    d.send('/keys/off');
    d.send('/vcf/off');
    expect(d.arena.commands().map(({ kind, voice, paramAsFloat }) => [kind, voice, paramAsFloat])).toEqual([
      [COMMAND_NOTE, 6000, 0],
      [COMMAND_NOTE, -1, 0],
    ]);
  });

  it('counts triggers, but not the release of a button', () => {
    const d = rig();
    d.send('/keys/trig');
    for (const value of [1, float(0.2), true, 'now', 0, false, float(0)]) d.send('/keys/trig', value);
    const triggers = d.arena.commands();
    expect(triggers).toHaveLength(5);
    for (const command of triggers) expect(command).toMatchObject({ kind: COMMAND_ADD, param: 2, voice: -1, value: 1, ramp: 0 });
  });

  it('sets several parameters at one moment, or none', () => {
    const d = rig();
    d.sendAt(1, '/keys/xy', float(0.25), float(2));
    d.send('/keys/xy', float(0.25), NaN);
    d.send('/keys/xy', 1);
    expect(d.arena.commands().map(({ param, value, frame }) => [param, value, frame])).toEqual([
      [0, 0.25, RATE],
      [1, 1, RATE],
    ]);
    expect(d.client.heard.map(([what, address]) => [what, address])).toEqual([
      ['/clamped', '/keys/y'],
      ['/fail', '/keys/y'],
      ['/fail', '/keys/xy'],
    ]);
  });
});

describe('time', () => {
  it('puts events on the frame of their bundle, nested ones never before it', () => {
    const d = rig();
    const at = (seconds: number, ...elements: Uint8Array[]): Uint8Array => encodeBundle(tag(seconds), elements);
    const set = (value: number): Uint8Array => encodeMessage('/vcf/cutoff', [value]);
    const packet = at(2, set(101), at(1, set(102)), at(3, set(103), encodeBundle(1n, [set(104)])), set(105));
    d.dispatcher.receive(packet, d.client);
    d.dispatcher.receive(encodeBundle(1n, [set(106), at(1.5, set(107))]), d.client);
    expect(d.arena.commands().map(({ value, frame }) => [value, frame])).toEqual([
      [101, 2 * RATE],
      [102, 2 * RATE],
      [103, 3 * RATE],
      [104, 3 * RATE],
      [105, 2 * RATE],
      [106, -1],
      [107, 1.5 * RATE],
    ]);
  });

  it('keeps frames above 2³²', () => {
    const d = rig();
    const frame = 2 ** 32 + 12_345;
    d.arena.frame = frame - 100;
    d.sendAt(frame / RATE, '/vcf/cutoff', 100);
    expect(d.arena.commands()).toEqual([expect.objectContaining({ frame })]);
  });

  it('applies late ones at once, and says how late', () => {
    const d = rig();
    d.arena.frame = RATE;
    d.sendAt(0.9, '/vcf/cutoff', 100);
    d.sendAt(1, '/vcf/cutoff', 101);
    expect(d.arena.commands().map(({ value, frame }) => [value, frame])).toEqual([
      [100, -1],
      [101, RATE],
    ]);
    expect(d.client.heard).toEqual([['/late', '/vcf/cutoff', 100]]);
    expect(d.counter(CONTROL.OSC_LATE)).toBe(1);
  });

  it('tells of 20 late ones a second, and how many it did not tell of', () => {
    const d = rig();
    const other = new TestClient(2);
    d.replies.register(other, other);
    d.arena.frame = RATE;
    for (let i = 0; i < 30; i++) d.sendAt(0, '/vcf/cutoff', 100);
    expect(d.client.takeHeard()).toHaveLength(20);
    d.now = 1000;
    d.sendAt(0, '/vcf/cutoff', 100);
    expect(d.client.heard).toEqual([['/late', '/vcf/cutoff', 1000, 10]]);
    expect(other.heard).toHaveLength(21);
  });

  it('refuses what is too far ahead, and too much', () => {
    const d = rig();
    d.sendAt(3600, '/vcf/cutoff', 100);
    d.sendAt(3601, '/vcf/cutoff', 100);
    expect(d.client.takeHeard()).toEqual([['/fail', '/vcf/cutoff', expect.stringMatching(/3600 seconds ahead/)]]);
    d.arena.words[CONTROL.PENDING] = PENDING_MAX * 0.75;
    d.sendAt(1, '/vcf/cutoff', 100);
    d.send('/vcf/cutoff', 101);
    expect(d.client.heard).toEqual([['/fail', '/vcf/cutoff', 'too many scheduled']]);
    expect(d.arena.commands().map(({ value }) => value)).toEqual([100, 101]);
  });

  it('holds commands for control until their time, not those of its own', () => {
    const d = rig();
    d.sendAt(1, '/engine/patch/clear');
    d.send('/engine/patch/clear');
    d.sendAt(1, '/engine/version');
    const unix = 101 + 2 ** 32 - 2_208_988_800;
    expect(d.asked).toEqual([
      { address: '/engine/patch/clear', at: unix * 1000 },
      { address: '/engine/patch/clear', at: undefined },
      { address: '/engine/version', at: undefined },
    ]);
  });
});

describe('a full ring', () => {
  it('keeps the last value of each parameter and voice, and drops what cannot be kept', () => {
    const d = rig();
    for (let i = 0; i < COMMAND_SLOTS + 500; i++) d.send('/vcf/resonance', float(i / 20_000));
    for (const value of [0.1, 0.2]) d.send('/pad/resonance/1', float(value));
    d.send('/pad/resonance', float(0.3));
    d.send('/pad/resonance/2', float(0.4));
    d.sendAt(1, '/packed/resonance', float(0.5));
    d.send('/keys/trig');
    d.send('/keys/note', 60, 1);
    d.send('/keys/note', 60, 0);
    const merged = d.counter(CONTROL.OSC_MERGED);
    expect(merged).toBeGreaterThan(500);
    expect(d.counter(CONTROL.OSC_DROPPED)).toBe(3);
    expect(d.client.heard.map(([what, address]) => [what, address])).toEqual([
      ['/fail', '/packed/resonance'],
      ['/fail', '/keys/trig'],
    ]);

    const first = d.arena.commands();
    expect(first.at(-1)).toMatchObject({ kind: COMMAND_NOTE, paramAsFloat: 0 });
    expect(d.input.flush()).toBe(true);
    const late = d.arena.commands();
    expect(late.map(({ slot, voice, value }) => [slot, voice, value])).toEqual(
      expect.arrayContaining([
        [VCF, -1, f32((COMMAND_SLOTS + 499) / 20_000)],
        [PAD, -1, f32(0.3)],
        [PAD, 2, f32(0.4)],
      ]),
    );
    expect(late).toHaveLength(3);
    const ofPad = late.filter(({ slot }) => slot === PAD);
    expect(ofPad.map(({ voice }) => voice)).toEqual([-1, 2]);
  });

  it('never lets an older value overtake a newer one', () => {
    const d = rig();
    for (let i = 0; i < COMMAND_SLOTS; i++) d.send('/vcf/cutoff', 100 + i);
    d.arena.commands();
    d.send('/vcf/cutoff', 50);
    expect(d.arena.commands().at(-1)!.value).toBe(50);
    expect(d.input.hasWaiting).toBe(false);
  });

  it('has no second one of what stood still', () => {
    const d = rig();
    d.input.isBehind = true;
    for (const value of [100, 200, 300]) d.send('/vcf/cutoff', value);
    d.send('/keys/trig');
    d.send('/keys/note', 60, 1);
    d.send('/keys/note', 60, 0);
    expect(d.arena.commands().map(({ kind }) => kind)).toEqual([COMMAND_NOTE]);
    d.input.isBehind = false;
    d.input.flush();
    expect(d.arena.commands().map(({ value }) => value)).toEqual([300]);
    expect(d.counter(CONTROL.OSC_DROPPED)).toBe(2);
  });
});

describe('changes', () => {
  it('are the newest value per parameter and voice', () => {
    const d = rig();
    for (const value of [100, 200]) d.send('/vcf/cutoff', value);
    d.send('/pad/cutoff/1', 300);
    d.send('/pad/poles/1', 2);
    d.send('/pad/poles', 3);
    d.send('/packed/mode', 'high');
    expect(d.input.takeChanges()).toEqual([
      { id: 'vcf', param: 'cutoff', voice: -1, value: 200 },
      { id: 'pad', param: 'cutoff', voice: 1, value: 300 },
      { id: 'pad', param: 'poles', voice: -1, value: 3 },
      { id: 'packed', param: 'mode', voice: -1, value: 2 },
    ]);
    expect(d.input.takeChanges()).toEqual([]);
  });
});

describe('mistakes', () => {
  it.each([
    ['/vcf/cutof', /vcf has no 'cutof'; did you mean 'cutoff'/],
    ['/vfc/cutoff', /did you mean '\/vcf\/cutoff'/],
    ['/engine/versoin', /did you mean '\/engine\/version'/],
    ['/keys/trigg', /did you mean 'trig'/],
    ['/xyz', /no such address/],
  ])('%s', (address, why) => {
    const d = rig();
    d.send(address, 1);
    expect(d.client.heard).toEqual([['/fail', address, expect.stringMatching(why)]]);
  });

  it('are told of 50 times a second', () => {
    const d = rig();
    for (let i = 0; i < 80; i++) d.send('/nothing', 1);
    expect(d.client.takeHeard()).toHaveLength(50);
    d.now = 1000;
    d.send('/nothing', 1);
    expect(d.client.heard).toEqual([['/fail', '/nothing', expect.stringMatching(/and 30 other failures/)]]);
  });

  it('are no cause to answer an answer', () => {
    const d = rig();
    for (const address of ['/done', '/fail', '/late', '/clamped', '/monitor', '/fail/again']) d.send(address, 'x');
    expect(d.client.heard).toEqual([]);
    d.send('/failure');
    expect(d.client.heard).toHaveLength(1);
  });

  it('of the packet are refused as a whole', () => {
    const d = rig();
    const packet = Buffer.from(encodeBundle(1n, [encodeMessage('/vcf/cutoff', [100]), encodeMessage('/vcf/cutoff', [200])]));
    packet.writeInt32BE(2 ** 30, 16 + 4 + 20);
    d.dispatcher.receive(packet, d.client);
    expect(d.arena.commands()).toEqual([]);
    expect(d.client.heard).toEqual([['/fail', 'packet', expect.stringMatching(/larger than what contains it, at byte 40/)]]);
    expect(d.counter(CONTROL.OSC_FAULTS)).toBe(1);
    expect([d.counter(CONTROL.OSC_PACKETS), d.counter(CONTROL.OSC_MESSAGES)]).toEqual([1, 0]);
  });

  it('of our own are told, and what follows is carried out', () => {
    const fault = (): never => {
      throw new Error('oh no');
    };
    const d = rig({ desk: { command: fault, unknown: () => false } });
    d.dispatcher.receive(encodeBundle(1n, [encodeMessage('/engine/version'), encodeMessage('/vcf/cutoff', [100])]), d.client);
    expect(d.client.heard).toEqual([['/fail', '/engine/version', expect.stringMatching(/internal error.*oh no/)]]);
    expect(d.arena.commands()).toHaveLength(1);
  });
});

describe('strangers', () => {
  it('never get more than they have sent', () => {
    const d = rig();
    const stranger = new TestClient(2, { isLocal: false });
    for (const address of ['/pad/cutoff', '/*/*', '/vcf/gate', '/nothing', '/pad/mode', '/*/poles', '/*{/,x,x,x,x,x,x,x,x}poles']) {
      const packet = encodeMessage(address);
      stranger.bytes = 0;
      d.dispatcher.receive(packet, stranger);
      expect(stranger.bytes).toBeLessThanOrEqual(packet.length);
    }
    expect(stranger.heard.length).toBeGreaterThan(0);
    expect(d.replies.withheld).toBeGreaterThan(5);
  });

  it('are everybody on this machine if it is not trusted, until they register', () => {
    const d = rig({ trustLoopback: false });
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toEqual([]);
    d.replies.register(d.client, d.client);
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toHaveLength(1);
    d.replies.gone(d.client);
    d.send('/pad/cutoff');
    expect(d.client.takeHeard()).toEqual([]);
  });
});

describe('watching', () => {
  it('tells what arrives and what it did, 1000 times a second', () => {
    const d = rig();
    const watcher = new TestClient(9);
    d.replies.watch(watcher, true);
    d.send('/vcf/cutoff', float(0.4), 'two');
    d.send('/vcf/cutoff', 100);
    d.send('/vcf/cutoff');
    d.send('/pad/cutoff', []);
    d.send('/nothing');
    expect(watcher.takeHeard()).toEqual([
      ['/monitor', 'udp test:1', '/vcf/cutoff', '0.4 "two"', 'refused: takes one value'],
      ['/monitor', 'udp test:1', '/vcf/cutoff', '100', 'sent'],
      ['/monitor', 'udp test:1', '/vcf/cutoff', '', 'answered'],
      ['/monitor', 'udp test:1', '/pad/cutoff', '[]', 'nothing'],
      ['/monitor', 'udp test:1', '/nothing', '', 'refused: no such address'],
    ]);
    for (let i = 0; i < 1010; i++) d.send('/vcf/cutoff', 100);
    expect(watcher.takeHeard()).toHaveLength(995);
    d.now = 1000;
    d.send('/vcf/cutoff', 100);
    expect(watcher.heard[0]).toEqual(['/monitor', '', '', '', '15 not shown']);
  });
});
