// Stamps: a time and the frame that belongs to it, whatever the writer is doing meanwhile.
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { writeFrame } from '#src/shared/frame.js';
import { CONTROL } from '#src/shared/layout.js';
import { readStamp, writeStamp, type Stamp } from '#src/shared/stamp.js';

const newWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(4096));

describe('a stamp', () => {
  it('is what was written last, beyond 32 bits too', () => {
    const words = newWords();
    const stamp: Stamp = { seconds: 0, nanoseconds: 0, frame: 0 };
    expect(readStamp(words, stamp)).toBe(0);
    const numbers = new Set<number>();
    for (const [seconds, nanoseconds, frame] of [
      [1_700_000_000, 999_999_999, 0],
      // After 2038 the seconds need all 32 bits.
      [2 ** 31 + 5, 1, 2 ** 32 - 1],
      [1_800_000_000, 0, 7 * 2 ** 32 + 12],
    ] as const) {
      writeFrame(words, CONTROL.TAKEN_LO, frame);
      writeStamp(words, seconds | 0, nanoseconds, CONTROL.TAKEN_LO);
      numbers.add(readStamp(words, stamp));
      expect(stamp).toEqual({ seconds, nanoseconds, frame });
    }
    expect(numbers.size).toBe(3);
  });

  it('never mixes two while another thread writes', async () => {
    const words = newWords();
    const layout = JSON.stringify(import.meta.resolve('#src/shared/layout.js'));
    const stamps = JSON.stringify(import.meta.resolve('#src/shared/stamp.js'));
    const writer = new Worker(
      `import { workerData as words } from 'node:worker_threads';
       import { CONTROL } from ${layout};
       import { writeStamp } from ${stamps};
       for (let i = 1; Atomics.load(words, 0) === 0; i = (i + 1) & 0xffffff) {
         words[CONTROL.TAKEN_LO] = words[CONTROL.TAKEN_LO + 1] = i;
         writeStamp(words, i, i, CONTROL.TAKEN_LO);
       }`,
      { eval: true, workerData: words, execArgv: ['--input-type=module'] },
    );
    const stamp: Stamp = { seconds: 0, nanoseconds: 0, frame: 0 };
    while (readStamp(words, stamp) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const different = new Set<number>();
    for (const end = performance.now() + 500; performance.now() < end;) {
      if (readStamp(words, stamp) === 0) continue;
      different.add(stamp.seconds);
      const { seconds, nanoseconds, frame } = stamp;
      if (nanoseconds !== seconds || frame !== seconds * 2 ** 32 + seconds) expect(stamp).toEqual('one stamp');
    }
    Atomics.store(words, 0, 1);
    await new Promise((resolve) => writer.once('exit', resolve));
    expect(different.size).toBeGreaterThan(10);
  });
});
