// Loops of cables: the cable that closes one delays by exactly one sample, whatever the block.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { render, type RenderResult } from '#src/control/render.js';
import { readFloatWav } from './wav.js';

const folder = mkdtempSync(join(tmpdir(), 'krell-loops-'));
const RATE = 48_000;

async function play(
  modules: object,
  cables: object[],
  options: { seconds: number; blockFrames?: number; workers?: number },
): Promise<{ result: RenderResult; left: Float32Array }> {
  const out = join(folder, 'loop.wav');
  const result = await render({ format: 'krell-patch', formatVersion: 1, title: 'loop', modules, cables } as never, { out, ...options });
  return { result, left: readFloatWav(out)[0]! };
}
const cable = (from: string, to: string, gain?: number): object => (gain === undefined ? { from, to } : { from, to, gain });

/** Frequency of the strongest partial near `guess`: peak of the magnitude of a Hann-windowed transform, by golden section. */
function frequency(signal: Float32Array, guess: number): number {
  const magnitude = (hz: number): number => {
    let [re, im] = [0, 0];
    for (let i = 0; i < signal.length; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / signal.length);
      re += signal[i]! * window * Math.cos((2 * Math.PI * hz * i) / RATE);
      im += signal[i]! * window * Math.sin((2 * Math.PI * hz * i) / RATE);
    }
    return Math.hypot(re, im);
  };
  let [low, high] = [guess * 0.995, guess * 1.005];
  const ratio = (Math.sqrt(5) - 1) / 2;
  while (high - low > guess * 1e-6) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (magnitude(a) > magnitude(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

/** A burst of noise into a delay that feeds itself through a mixer: Karplus and Strong, Computer Music Journal 7(2), 1983. */
const string = (time: number): [object, object[]] => [
  {
    clock: { type: 'clock', params: { tempo: 30 } },
    noise: { type: 'noise' },
    env: { type: 'adsr', params: { attack: 0.0005, decay: 0.005, sustain: 0, release: 0.001 } },
    burst: { type: 'vca' },
    mix: { type: 'mixer', params: { level1: 1, level2: 0.999 } },
    line: { type: 'delay', params: { time, feedback: 0, mix: 1 } },
    out: { type: 'out', params: { limiter: false } },
  },
  [
    cable('clock.out', 'env.gate'),
    cable('noise.white', 'burst.in'),
    cable('env.env', 'burst.cv'),
    cable('burst.out', 'mix.in1'),
    cable('line.left', 'mix.in2'),
    cable('mix.out', 'line.left'),
    cable('line.left', 'out.left'),
  ],
];

describe('a string of delay and mixer', () => {
  it.each([55, 220, 438.7])('sounds at %f Hz within a cent, at every block size', async (hz) => {
    const time = (RATE / hz - 1) / RATE;
    const hashes = new Set<string>();
    for (const blockFrames of [16, 64, 1024]) {
      const { result, left } = await play(...string(time), { seconds: 1.5, blockFrames });
      hashes.add(result.sha256);
      const found = frequency(left.subarray(RATE / 4, RATE / 4 + RATE), hz);
      expect(Math.abs(1200 * Math.log2(found / hz)), `${found} Hz at block ${blockFrames}`).toBeLessThan(1);
    }
    expect(hashes.size).toBe(1);
  });

  it('is off by far more than a cent if the loop had one sample more', () => {
    expect(1200 * Math.log2((RATE / 438.7 + 1) / (RATE / 438.7))).toBeGreaterThan(10);
  });
});

describe('a loop', () => {
  it('delays an impulse by exactly one sample per turn', async () => {
    // A step into a mixer that adds its own output times 0.5: the running sum 1, 1.5, 1.75 … of one sample each.
    const modules = {
      step: { type: 'attenuverter', params: { offset: 5 } },
      sum: { type: 'mixer', params: { level1: 1, level2: 0.5 } },
      out: { type: 'out', params: { limiter: false } },
    };
    const cables = [cable('step.out', 'sum.in1'), cable('sum.out', 'sum.in2'), cable('sum.out', 'out.left')];
    for (const blockFrames of [16, 256]) {
      const { left } = await play(modules, cables, { seconds: 0.01, blockFrames });
      const expected = Float32Array.from({ length: 20 }, (_, i) => 0.5 * (2 - 2 ** -i));
      // `out` blocks DC, slowly.
      for (let i = 0; i < 20; i++) expect(left[i]).toBeCloseTo(expected[i]!, 2);
    }
  });

  it('is the same in polyphony, for any block and number of workers', async () => {
    const modules = {
      vco: { type: 'vco', voices: 6, params: { freq: [100, 150, 200, 250, 300, 350], fmAmount: 0.3 } },
      lfo: { type: 'lfo' },
      out: { type: 'out' },
    };
    const cables = [
      cable('vco.saw', 'vco.fm', 0.7),
      cable('lfo.sine', 'vco.pwm'),
      cable('vco.sine', 'out.left'),
      cable('vco.pulse', 'out.right'),
    ];
    const hashes = new Set<string>();
    for (const [blockFrames, workers] of [
      [16, 1],
      [64, 2],
      [1024, 1],
    ] as const)
      hashes.add((await play(modules, cables, { seconds: 0.5, blockFrames, workers })).result.sha256);
    expect(hashes.size).toBe(1);
  });
});
