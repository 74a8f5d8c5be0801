// `/<id>/<param>`: setting, asking, and what becomes of values for which there is no room.
import { describe, expect, it } from 'vitest';
import { COMMAND_ADD, COMMAND_NOTE, COMMAND_SET, COMMAND_SLOTS, CONTROL } from '#src/shared/layout.js';
import { encodeMessage } from '#src/osc/codec.js';
import { CUTOFF, f32, float, GATE, MODE, PACKED, PAD, POLES, RATE, RESONANCE, fourModules, VCF, type TestDispatcher } from './rig.js';

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
    const { dispatcher, client, arena } = fourModules();
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
    const { dispatcher, client, arena } = fourModules();
    dispatcher.receive(encodeMessage(address, args), client);
    expect(client.heard).toEqual([['/fail', expect.stringMatching(/^\/(vcf|pad)/), expect.stringMatching(why)]]);
    expect(arena.commands()).toEqual([]);
  });

  it('sets one voice, or one value per voice', () => {
    const d = fourModules();
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
    const d = fourModules();
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
    const d = fourModules();
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
    const d = fourModules();
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
    const d = fourModules();
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
    const d = fourModules();
    d.sendAt(1, '/vcf/cutoff', 200);
    d.send('/vcf/cutoff');
    expect(d.client.heard).toEqual([['/vcf/cutoff', 0.5]]);
  });
});

describe('a full ring', () => {
  it('keeps the last value of each parameter and voice, and drops what cannot be kept', () => {
    const d = fourModules();
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

  it('keeps what is meant for now though another value lies ahead, and its place before events', () => {
    const d = fourModules();
    for (let i = 0; i < COMMAND_SLOTS; i++) d.send('/vcf/cutoff', 100);
    d.arena.commands();
    d.sendAt(1, '/vcf/cutoff', 200);
    expect(d.arena.commands().map(({ value, frame }) => [value, frame])).toEqual([
      [100, -1],
      [200, RATE],
    ]);
    for (const [event, kind] of [
      [['/keys/trig'], COMMAND_ADD],
      [['/keys/note', 60, 1], COMMAND_NOTE],
    ] as const) {
      for (let i = 0; i < COMMAND_SLOTS; i++) d.send('/keys/x', i / COMMAND_SLOTS);
      d.arena.commands();
      d.send(...event);
      expect(d.arena.commands().map((command) => command.kind)).toEqual([COMMAND_SET, kind]);
    }
  });

  it('never lets an older value overtake a newer one', () => {
    const d = fourModules();
    for (let i = 0; i < COMMAND_SLOTS; i++) d.send('/vcf/cutoff', 100 + i);
    d.arena.commands();
    d.send('/vcf/cutoff', 50);
    expect(d.arena.commands().at(-1)!.value).toBe(50);
    expect(d.input.hasWaiting).toBe(false);
  });

  it('has no second one of what stood still', () => {
    const d = fourModules();
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

const taken = (d: TestDispatcher): unknown[][] => d.input.takeChanges().map(({ id, voice, value }) => [id, voice, value]);

describe('changes', () => {
  it('are the newest value per parameter and voice', () => {
    const d = fourModules();
    for (const value of [100, 200]) d.send('/vcf/cutoff', value);
    d.send('/pad/cutoff/1', 300);
    d.send('/pad/poles/1', 2);
    d.send('/pad/poles', 3);
    d.send('/packed/mode', 'high');
    const { address } = d.space.modules.get('vcf')!;
    expect(d.input.takeChanges()[0]).toEqual({ id: 'vcf', address, param: 'cutoff', voice: -1, value: 200 });
    for (const value of [100, 200]) d.send('/vcf/cutoff', value);
    d.send('/pad/cutoff/1', 300);
    expect(taken(d)).toEqual([
      ['vcf', -1, 200],
      ['pad', 1, 300],
    ]);
    expect(taken(d)).toEqual([]);
  });

  it('of a time to come are told when it has come, as it is then', () => {
    const d = fourModules();
    const at = (frame: number): void => {
      d.arena.frame = frame + 1000;
      d.arena.words[CONTROL.BLOCKS]! += 100;
    };
    const [vcf, pad] = [d.space.modules.get('vcf')!, d.space.modules.get('pad')!];
    d.sendAt(2, '/vcf/cutoff', 300);
    d.sendAt(1, '/vcf/cutoff', 200);
    d.sendAt(1, '/pad/cutoff', 500);
    d.send('/vcf/cutoff', 100);
    expect(taken(d)).toEqual([['vcf', -1, 100]]);
    expect(taken(d)).toEqual([]);
    at(RATE);
    d.arena.setTarget(vcf, CUTOFF, 0, 200);
    for (let voice = 0; voice < 4; voice++) d.arena.setTarget(pad, CUTOFF, voice, voice === 3 ? 501 : 500);
    expect(taken(d)).toEqual([['vcf', -1, 200], ...[500, 500, 500, 501].map((value, voice) => ['pad', voice, value])]);
    at(2 * RATE);
    d.arena.setTarget(vcf, CUTOFF, 0, 300);
    expect(taken(d)).toEqual([['vcf', -1, 300]]);
    expect(taken(d)).toEqual([]);
  });
});
