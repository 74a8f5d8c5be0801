// Rendering what an OSC score plays: every bundle on its sample.
import { describe, expect, it } from 'vitest';
import { render } from '#src/index.js';
import { encodeBundle, encodeMessage } from '#src/osc/codec.js';
import { generator } from '../osc/random.js';

const RATE = 48_000;
const SECONDS = 10;
const BUNDLES = 10_000;

/** A voltage that jumps, to the output. */
const PATCH = {
  format: 'krell-patch',
  formatVersion: 1,
  modules: { value1: { type: 'value', params: { smooth: 0 } }, out: { type: 'out' } },
  cables: [{ from: 'value1.out', to: 'out.left' }],
};

const bundle = (seconds: number, ...messages: Uint8Array[]): Buffer => {
  const packet = encodeBundle(BigInt(Math.round(seconds * 2 ** 32)), messages);
  const length = Buffer.alloc(4);
  length.writeInt32BE(packet.length);
  return Buffer.concat([length, packet]);
};

/** Frames at which the voltage jumps. */
const jumps = (samples: Float32Array): number[] => {
  const found: number[] = [];
  for (let i = 0; i < samples.length; i++) if (Math.abs(samples[i]! - (samples[i - 1] ?? 0)) > 0.1) found.push(i);
  return found;
};

describe('a score', () => {
  it(`has each of ${BUNDLES} bundles at random times on its sample, whatever the block and the order in the file`, async () => {
    const { below } = generator();
    const frames = new Set<number>();
    while (frames.size < BUNDLES) frames.add(below(SECONDS * RATE));
    const wanted = [...frames].sort((a, b) => a - b);
    const voltage = new Map(wanted.map((frame, i) => [frame, i % 2 ? -2 : 2]));
    const file = Buffer.concat([...frames].map((frame) => bundle(frame / RATE, encodeMessage('/value1/value', [voltage.get(frame)!]))));
    for (const blockFrames of [64, 256]) {
      const { channels } = await render(PATCH, { seconds: SECONDS, score: file, keep: true, blockFrames, workers: 1 });
      expect(jumps(channels![0]!)).toEqual(wanted);
    }
  });

  it('is refused whole when it says what cannot be done', async () => {
    const file = Buffer.concat([bundle(0, encodeMessage('/value1/value', [1])), bundle(1.5, encodeMessage('/value1/valeu', [1]))]);
    await expect(render(PATCH, { seconds: 1, score: file })).rejects.toThrow(/1\.5 s: \/value1\/valeu/);
  });
});
