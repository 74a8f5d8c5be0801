// Notes and triggers through the whole engine: the OSC thread's ring, the leader, the kernels; the same bits in any blocks, on
// any number of threads.
import { afterEach, describe, expect, it } from 'vitest';
import { Engine } from '#src/index.js';
import type { JsonObject } from '#src/control/patch/parse.js';
import { COMMANDS_SCRIPT_W, CONTROL } from '#src/shared/layout.js';
import { OscEvents } from '../osc-events.js';

let engine: Engine | undefined;
afterEach(() => engine?.stop());

const patchOf = (modules: JsonObject, cables: readonly [string, string, number?][]): JsonObject => ({
  format: 'krell-patch',
  formatVersion: 1,
  modules: { ...modules, out: { type: 'out', params: { level: 0, limiter: false } } },
  cables: cables.map(([from, to, gain = 1]) => ({ from, to, gain })),
});

interface Take {
  readonly block?: number;
  readonly workers?: number;
  readonly frames?: number;
}
/** Renders `frames` frames of a patch to which `events` happen; both channels, in volts. */
async function take(
  patch: JsonObject,
  events: (osc: OscEvents, engine: Engine) => void,
  { block = 64, workers = 1, frames = 4096 }: Take = {},
): Promise<readonly Float32Array[]> {
  engine = await Engine.create({ blockFrames: block, workers, realtime: false });
  await engine.loadPatch(patch);
  events(new OscEvents(engine), engine);
  await engine.start({ driver: 'file', file: { frames, bits: '32f', keep: true } });
  const { file } = await engine.ended;
  await engine.stop();
  return file!.channels!.map((channel) => channel.map((sample) => sample * 10));
}
/** Whole volts: `out` keeps DC away from the speakers, a little in these few milliseconds. */
const volts = (x: Float32Array, frame: number): number => Math.round(x[frame]!) + 0;
const rises = (x: Float32Array): number[] => [...x.keys()].filter((i) => x[i]! > 5 && !(x[i - 1]! > 5));
const falls = (x: Float32Array): number[] => [...x.keys()].filter((i) => x[i]! <= 5 && x[i - 1]! > 5);

/** Gates of a keyboard's voices in binary: a gate of 10 V counts 1 V for the first voice, 2 V for the second … */
const VOICES = 3;
const keyboard = (params: JsonObject = {}): JsonObject =>
  patchOf(
    {
      keys: { type: 'keys', voices: VOICES, params },
      bits: { type: 'vca', voices: VOICES, params: { level: [0.1, 0.2, 0.4], response: 'linear' } },
      env: { type: 'adsr', voices: VOICES, params: { release: 0.01 } },
    },
    [
      ['keys.gate', 'bits.in'],
      ['bits.out', 'out.left'],
      ['keys.gate', 'env.gate'],
      ['env.env', 'keys.level'],
      ['env.env', 'out.right', 0.1],
    ],
  );

describe('notes from the OSC thread', () => {
  it.each([16, 64, 256])('begin and end on their sample (block %i)', async (block) => {
    const [gates] = await take(
      keyboard(),
      (osc) => {
        osc.note('keys', 60, { at: 100 });
        osc.note('keys', 64, { at: 101, lasts: 500 });
        osc.noteOff('keys', 60, { at: 1000 });
      },
      { block },
    );
    const at = [99, 100, 101, 600, 601, 999, 1000].map((frame) => volts(gates!, frame));
    expect(at).toEqual([0, 1, 3, 3, 1, 1, 0]);
  });

  it('sound the same in any blocks on any number of threads, the loudness of voices in the loop', async () => {
    const play = (osc: OscEvents): void => {
      for (let i = 0; i < 400; i++)
        osc.note('keys', 40 + ((i * 7) % 30), { at: i * 9, lasts: 20 + ((i * 37) % 90), velocity: (1 + (i % 4)) / 4 });
    };
    const patch = keyboard({ steal: 'quietest' });
    const reference = await take(patch, play, { block: 64 });
    expect(Math.max(...reference[0]!)).toBeCloseTo(7, 1);
    for (const setting of [{ block: 16 }, { block: 256 }, { block: 256, workers: 2 }, { block: 16, workers: 2 }])
      expect(await take(patch, play, setting), JSON.stringify(setting)).toEqual(reference);
  });

  it('for a module that plays none are counted as stale', async () => {
    await take(keyboard(), (osc) => void osc.note('env', 60, { at: 10 }));
    expect(engine!.stats().staleEvents).toBe(1);
  });
});

describe('triggers from the OSC thread', () => {
  const patch = (voices = 1): JsonObject =>
    patchOf({ a: { type: 'trigger', voices }, b: { type: 'trigger', voices } }, [
      ['a.out', 'out.left'],
      ['b.out', 'out.right'],
    ]);

  it.each([16, 64, 256])('are 1 ms long, and as many as were given (block %i)', async (block) => {
    // Alone; two half a millisecond apart; three at once.
    const [left] = await take(patch(), (osc) => [100, 1000, 1024, 2000, 2000, 2000].forEach((at) => osc.add('a', 'count', 1, { at })), {
      block,
    });
    expect(rises(left!)).toEqual([100, 1000, 1025, 2000, 2002, 2004]);
    expect(falls(left!)).toEqual([148, 1024, 1073, 2001, 2003, 2052]);
  });

  it('are for one module only, though it shares its state with others', async () => {
    const [left, right] = await take(patch(), (osc) => {
      osc.add('a', 'count', 1, { at: 100 });
      osc.add('b', 'count', 1, { at: 300 });
    });
    expect([rises(left!), rises(right!)]).toEqual([[100], [300]]);
    const lanes = engine!.liveModules().map(({ lane }) => lane);
    expect(lanes.slice(0, 2)).toEqual([0, 1]);
  });

  it('go to all voices or to one', async () => {
    const polyphonic = patchOf(
      { a: { type: 'trigger', voices: 3 }, bits: { type: 'vca', voices: 3, params: { level: [0.1, 0.2, 0.4], response: 'linear' } } },
      [
        ['a.out', 'bits.in'],
        ['bits.out', 'out.left'],
      ],
    );
    const [left] = await take(polyphonic, (osc) => {
      osc.add('a', 'count', 1, { at: 100 });
      osc.add('a', 'count', 1, { at: 300, voice: 1 });
      osc.add('a', 'count', 1, { at: 500, voice: 3 });
    });
    expect([100, 300, 500].map((frame) => volts(left!, frame))).toEqual([7, 2, 0]);
    expect(engine!.stats().staleEvents).toBe(1);
  });

  it('are counted round the end of the count', async () => {
    const [left] = await take(patch(), (osc) => {
      osc.set('a', 'count', 2 ** 20 - 2, { at: 0 });
      for (let i = 0; i < 5; i++) osc.add('a', 'count', 1, { at: 1000 + 100 * i });
    });
    // Setting the count far ahead is one trigger.
    expect(rises(left!)).toEqual([0, 1000, 1100, 1200, 1300, 1400]);
    expect(engine!.moduleInfo('a').params['count']).toBe(3);
  });
});

describe('a script', () => {
  it('has a ring of its own', async () => {
    const [gates] = await take(keyboard(), (_, playing) => void new OscEvents(playing, COMMANDS_SCRIPT_W).note('keys', 60, { at: 100 }));
    expect([99, 100].map((frame) => volts(gates!, frame))).toEqual([0, 1]);
  });
});

describe('more events than can wait', () => {
  it('stay in their ring, and the last value of a parameter is right in the end', async () => {
    const patch = patchOf({ value: { type: 'value', params: { smooth: 0 } } }, [['value.out', 'out.left']]);
    let pushed = 0;
    await take(
      patch,
      (osc) => {
        // 16384 in the ring, of which the queue takes 14336; what stays comes late, but comes, and in its order.
        for (let i = 0; i < 20_000; i++) pushed += Number(osc.set('value', 'value', (i % 900) / 100, { at: 1000 }));
      },
      { frames: 4096 },
    );
    expect(pushed).toBe(16_384);
    expect(engine!.arena.words[CONTROL.HELD_BACK]).toBeGreaterThan(0);
    expect(engine!.arena.words[CONTROL.PENDING]).toBe(0);
    expect(engine!.moduleInfo('value').params['value']).toBe(Math.fround(((pushed - 1) % 900) / 100));
  });
});
