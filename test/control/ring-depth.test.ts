// The depth of the output ring: as little as holds.
import { beforeEach, describe, expect, it } from 'vitest';
import { firstDepth, RingDepth, type DepthSettings } from '#src/control/ring-depth.js';
import { CONTROL, RING_FRAMES } from '#src/shared/layout.js';

const settings = (more: Partial<DepthSettings> = {}): DepthSettings => ({
  latency: 'safe',
  periodFrames: 128,
  blockFrames: 64,
  sampleRate: 48_000,
  ...more,
});

describe('to begin with', () => {
  it.each([
    [{}, 256],
    [{ periodFrames: 64 }, 256],
    [{ periodFrames: 1000 }, 2048],
    [{ latency: 'low' }, 0],
    [{ latency: 0 }, 0],
    [{ latency: 3 }, 192],
    [{ latency: 1e6 }, RING_FRAMES],
  ] as const)('%j is %i frames', (more, frames) => expect(firstDepth(settings(more))).toBe(frames));
});

describe('the ring', () => {
  let words: Int32Array;
  let now: number;
  beforeEach(() => {
    words = new Int32Array(new SharedArrayBuffer(4096));
    now = 1000;
  });
  const open = (more: Partial<DepthSettings> = {}): RingDepth => new RingDepth(words, settings(more), now);
  /** Looks once a second; the ring's lowest fill is `low` each time. @returns the depth thereafter */
  const pass = (depth: RingDepth, seconds: number, { underruns = 0, low = 128 } = {}): number => {
    for (let i = 0; i < seconds; i++) {
      words[CONTROL.UNDERRUNS]! += underruns;
      words[CONTROL.RING_LOW] = Math.min(words[CONTROL.RING_LOW]!, low);
      depth.look(++now);
    }
    expect(words[CONTROL.RING_DEPTH]).toBe(depth.frames);
    return depth.frames;
  };

  it('widens by half, in whole blocks, after two underruns within ten seconds', () => {
    const depth = open();
    expect(pass(depth, 1, { underruns: 1 })).toBe(256);
    expect(pass(depth, 10)).toBe(256);
    expect(pass(depth, 1, { underruns: 1 })).toBe(256);
    expect(pass(depth, 8)).toBe(256);
    expect(pass(depth, 1, { underruns: 1 })).toBe(384);
    expect(pass(depth, 1, { underruns: 100 })).toBe(576);
  });

  it('widens what was computed on demand by a block', () => expect(pass(open({ latency: 'low' }), 1, { underruns: 2 })).toBe(64));

  it('widens to 50 ms and no further', () => expect(pass(open(), 30, { underruns: 2 })).toBe(2432));

  it('narrows by a block a minute when it is quiet, back to where it began', () => {
    const depth = open();
    pass(depth, 2, { underruns: 2 });
    expect(depth.frames).toBe(576);
    expect(pass(depth, 59)).toBe(576);
    expect(pass(depth, 1)).toBe(512);
    expect(pass(depth, 60)).toBe(448);
    expect(pass(depth, 600)).toBe(256);
  });

  it('does not narrow when a block less would have run dry', () => {
    const depth = open();
    pass(depth, 1, { underruns: 2 });
    expect(pass(depth, 200, { low: 63 })).toBe(384);
    expect(pass(depth, 60, { low: 64 })).toBe(320);
  });

  it('knows nothing of underruns before its time', () => {
    words[CONTROL.UNDERRUNS] = 5;
    expect(pass(open(), 1)).toBe(256);
  });
});
