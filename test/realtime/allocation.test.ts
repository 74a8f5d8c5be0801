// The leader's loop leaves the heap alone: nothing to collect, so nothing that stops it.
//
// The loop runs here, on the test's own thread, where its heap can be measured. A kernel plays the audio host (takes the block
// before from the ring) and ends the run after a number of blocks.
import { getHeapStatistics } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { Bytes, encodeModule, I32, OP } from '#src/kernel/wasm/encoder.js';
import { encodeRunner } from '#src/kernel/wasm/runner.js';
import { Leader } from '#src/realtime/leader.js';
import { nativeFunction } from '#src/realtime/native.js';
import { DspThread } from '#src/realtime/thread.js';
import { CONTROL, OUTPUT_RING_W, RING, RUN_PLAYING, RUN_STOP } from '#src/shared/layout.js';
import { adderKernel, TestArena, type Adder } from './arena.js';

const BLOCKS = 2000;
const BLOCK = 64;
const { port1, port2 } = new MessageChannel();
afterAll(() => port1.close());

/** A kernel that takes a block from the output ring, and stops the engine when `countdown` (a word) has come to 0. */
function hostKernel(countdown: number): Uint8Array<ArrayBuffer> {
  const at = (word: number): number => word * 4;
  const code = new Bytes();
  const add = (word: number, amount: number): Bytes =>
    code.int(0).int(0).memory(OP.i32Load, at(word)).int(amount).op(OP.i32Add).memory(OP.i32Store, at(word));
  add(OUTPUT_RING_W + RING.READ, BLOCK);
  add(countdown, -1);
  code.int(0).memory(OP.i32Load, at(countdown)).op(OP.i32Eqz).block(OP.if);
  code.int(0).int(RUN_STOP).memory(OP.i32Store, at(CONTROL.RUN)).end();
  return encodeModule([{ name: 'kernel', exported: true, params: [I32, I32, I32], locals: [], body: code }]);
}

// Without native functions the clock is `performance.now`, whose result is an object.
it.skipIf(!nativeFunction('libc.so.6', 'int clock_gettime(int, void *)'))('allocates nothing per block', () => {
  const arena = new TestArena({ channels: 2, block: BLOCK, depth: 1024 });
  const countdown = arena.alloc(4) >> 2;
  const thread = new DspThread(arena.memory, new WebAssembly.Module(encodeRunner()), 0, port2, {
    seat: 1,
    thread: 0,
    systemId: 0,
    scheduling: 0,
    flushes: 0,
  });
  [adderKernel(), hostKernel(countdown)].forEach((bytes, i) => {
    const { kernel } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { krell: { memory: arena.memory } }).exports;
    thread.table.set(i, kernel);
  });
  // A chain of adders with the host at its end.
  const adders: Adder[] = Array.from({ length: 20 }, (_, i) => ({ inputs: i > 0 ? [i - 1] : [] }));
  const plan = arena.newPlan(
    adders,
    adders.map((_, i) => arena.newState(i)),
    { lastKernel: 1 },
  );
  const leader = new Leader(thread);
  arena.words[CONTROL.NEXT_PLAN] = plan;

  const bytesPerBlock = Array.from({ length: 8 }, () => {
    for (let i = 0; i < 500; i++) arena.send(i % 20, i, { ramp: 50 });
    arena.words[countdown] = BLOCKS;
    arena.words[CONTROL.RUN] = RUN_PLAYING;
    const before = getHeapStatistics().used_heap_size;
    leader.lead();
    return (getHeapStatistics().used_heap_size - before) / BLOCKS;
  });
  expect(arena.get(CONTROL.BLOCKS)).toBe(8 * BLOCKS);
  // The first runs compile; in any of the rest the test's own collector may run. The smallest object has 16 bytes.
  const typical = bytesPerBlock.slice(3).sort((a, b) => a - b)[2]!;
  expect(typical).toBeLessThan(8);
});
