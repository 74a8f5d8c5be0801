// Rings: what one thread puts in, another takes out, once and in order.
import { describe, expect, it } from 'vitest';
import { COMMAND, COMMAND_SLOTS, RING } from '#src/shared/layout.js';
import { CommandRing, FrameRing } from '#src/shared/ring.js';
import { onThread } from './threads.js';

const CAPACITY = 256;
const BYTES = (RING.DATA + COMMAND_SLOTS * COMMAND.WORDS) * 4;

describe('the frame ring', () => {
  const newRing = (channels = 2): FrameRing => new FrameRing(new SharedArrayBuffer(BYTES), 0, CAPACITY, channels);
  const ramp = (frames: number, channels = 2): Float32Array => Float32Array.from({ length: frames * channels }, (_, i) => i);

  it('gives back what was written, around its end', () => {
    const ring = newRing();
    const target = new Float32Array(400);
    for (let round = 0; round < 10; round++) {
      expect(ring.write(ramp(200), 0, 200)).toBe(200);
      expect(ring.fill()).toBe(200);
      expect(ring.read(target, 0, 500)).toBe(200);
      expect(target).toEqual(ramp(200));
    }
  });

  it('writes what fits, counts what does not', () => {
    const ring = newRing(1);
    expect(ring.write(ramp(300, 1), 0, 300)).toBe(CAPACITY);
    expect(ring.drops()).toBe(44);
    expect(ring.write(ramp(10, 1), 0, 10)).toBe(0);
    expect(ring.drops()).toBe(54);
    const target = new Float32Array(CAPACITY);
    expect(ring.read(target, 0, CAPACITY)).toBe(CAPACITY);
    expect(target).toEqual(ramp(CAPACITY, 1));
    expect(ring.read(target, 0, 1)).toBe(0);
  });

  it('copies from and to places inside an array', () => {
    const ring = newRing();
    ring.write(ramp(10), 4, 2);
    const target = new Float32Array(8);
    expect(ring.read(target, 1, 2)).toBe(2);
    expect([...target]).toEqual([0, 0, 8, 9, 10, 11, 0, 0]);
  });

  it('works across the wrap of its counts at 2³²', () => {
    const ring = newRing(1);
    ring.words[RING.READ] = ring.words[RING.WRITE] = -100;
    const target = new Float32Array(200);
    expect(ring.write(ramp(200, 1), 0, 200)).toBe(200);
    expect(ring.fill()).toBe(200);
    expect(ring.read(target, 0, 200)).toBe(200);
    expect(target).toEqual(ramp(200, 1));
  });

  it('carries a million numbered frames from thread to thread without a mistake', async () => {
    const memory = new SharedArrayBuffer(BYTES);
    const produced = onThread<void>(
      memory,
      `const r = new ring.FrameRing(memory, 0, ${CAPACITY}, 2);
       const block = new Float32Array(2 * 100);
       for (let n = 0; n < 1e6; ) {
         const want = Math.min(1 + (n * 7) % 100, 1e6 - n, ${CAPACITY} - r.fill());
         for (let i = 0; i < want; i++) { block[2 * i] = n + i; block[2 * i + 1] = -(n + i); }
         n += r.write(block, 0, want);
       }`,
    );
    const consumed = onThread<number>(
      memory,
      `const r = new ring.FrameRing(memory, 0, ${CAPACITY}, 2);
       const block = new Float32Array(2 * 64);
       let mistakes = 0;
       for (let n = 0; n < 1e6; ) {
         const got = r.read(block, 0, 1 + (n % 64));
         for (let i = 0; i < got; i++, n++) if (block[2 * i] !== n || block[2 * i + 1] !== -n) mistakes++;
       }
       return mistakes;`,
    );
    await produced;
    expect(await consumed).toBe(0);
  });
});

describe('the command ring', () => {
  it('gives back records in order and refuses what does not fit', () => {
    const ring = new CommandRing(new SharedArrayBuffer(BYTES), 0);
    const record = new Int32Array(COMMAND.WORDS);
    for (let i = 0; i < COMMAND_SLOTS; i++) expect(ring.push(record.fill(i))).toBe(true);
    expect(ring.push(record)).toBe(false);
    expect(ring.push(record)).toBe(false);
    expect(ring.drops()).toBe(2);
    const target = new Int32Array(COMMAND.WORDS + 3);
    for (let i = 0; i < COMMAND_SLOTS; i++) {
      if (!ring.pop(target, 3) || target.subarray(3).some((word) => word !== i)) expect.fail(`record ${i} is ${target.join(' ')}`);
    }
    expect(ring.pop(target, 3)).toBe(false);
    expect([...target.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  it('works across the wrap of its counts at 2³²', () => {
    const ring = new CommandRing(new SharedArrayBuffer(BYTES), 0);
    ring.words[RING.READ] = ring.words[RING.WRITE] = 0x7fff_fffe;
    const record = new Int32Array(COMMAND.WORDS);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < COMMAND_SLOTS; i++) expect(ring.push(record.fill(i))).toBe(true);
      expect([ring.fill(), ring.push(record)]).toEqual([COMMAND_SLOTS, false]);
      for (let i = 0; i < COMMAND_SLOTS; i++)
        if (!ring.pop(record, 0) || record[7] !== i) expect.fail(`record ${i} is ${record.join(' ')}`);
      expect([ring.fill(), ring.pop(record, 0)]).toEqual([0, false]);
      ring.words[RING.READ] = ring.words[RING.WRITE] = -5;
    }
  });

  it('carries half a million whole records from thread to thread', async () => {
    const memory = new SharedArrayBuffer(BYTES);
    const produced = onThread<number>(
      memory,
      `const r = new ring.CommandRing(memory, 0);
       const record = new Int32Array(layout.COMMAND.WORDS);
       let refused = 0;
       for (let n = 0; n < 5e5; n++) { record.fill(n); while (!r.push(record)) refused++; }
       return refused - r.drops();`,
    );
    const consumed = onThread<number>(
      memory,
      `const r = new ring.CommandRing(memory, 0);
       const record = new Int32Array(layout.COMMAND.WORDS);
       let mistakes = 0;
       for (let n = 0; n < 5e5; ) if (r.pop(record, 0)) { if (!record.every((word) => word === n)) mistakes++; n++; }
       return mistakes;`,
    );
    expect(await produced).toBe(0);
    expect(await consumed).toBe(0);
  });
});
