// Threads that die between two instructions, and the ones that take their places.
//
// Two DSP threads are lived through here by turns, on the test's own thread. Each write of theirs to the arena is counted, and at the one
// that is chosen the thread is no more: nothing of what it did is undone. All counts are about to wrap, as after a day of play.
import { MessageChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRunner } from '#src/kernel/wasm/runner.js';
import { settle } from '#src/realtime/abandon.js';
import { takePart } from '#src/realtime/block.js';
import { Leader } from '#src/realtime/leader.js';
import { offered, takenBy, waitForPlace } from '#src/realtime/spare.js';
import { DspThread } from '#src/realtime/thread.js';
import { readFrame, writeFrame } from '#src/shared/frame.js';
import { CLAIM_TICKET, COMMANDS_CONTROL_W, CONTROL, OUTPUT_RING_W, RING, RUN_PLAYING, SPARE, WORKER } from '#src/shared/layout.js';
import { holdPlan, releasePlan } from '#src/shared/plans.js';
import { adderKernel, expected, TestArena, type Adder } from './arena.js';

const BLOCK = 16;
const BLOCKS = 4;
/** The first frame; 2³² comes in the third block. */
const START = 2 ** 32 - 2 * BLOCK - 7;

const { port1, port2 } = new MessageChannel();
afterAll(() => port1.close());
const runner = new WebAssembly.Module(encodeRunner());
const kernel = new WebAssembly.Module(adderKernel());

class Killed extends Error {}
/** The leader has nothing to do. */
class Rests extends Error {}

/** Writes until the thread dies; one that is dead writes nothing more. */
let life = Infinity;
let writes = 0;
function beforeWrite(): void {
  writes++;
  if (life-- <= 0) throw new Killed();
}

const realWords = new WeakMap<object, Int32Array>();
/** From now on each write of a thread counts. */
function mortal(thread: DspThread): DspThread {
  const { words } = thread;
  const proxy = new Proxy(words, {
    get: (target, name) => Reflect.get(target, name) as unknown,
    set(target, name, value: number) {
      beforeWrite();
      return Reflect.set(target, name, value);
    },
  });
  realWords.set(proxy, words);
  return Object.assign(thread, { words: proxy });
}

/** What happens when the leader calls helpers to a block. */
let onBlock = (): void => {};
const real = { ...Object.fromEntries(Object.getOwnPropertyNames(Atomics).map((name) => [name, Reflect.get(Atomics, name) as unknown])) };
beforeEach(() => {
  life = Infinity;
  onBlock = () => {};
  for (const name of ['load', 'store', 'add', 'or', 'and', 'compareExchange', 'notify'] as const) {
    const original = real[name] as (words: Int32Array, ...rest: number[]) => number;
    Object.assign(Atomics, {
      [name]: (words: Int32Array, ...rest: number[]): number => {
        if (name !== 'load' && name !== 'notify') beforeWrite();
        const result = original(realWords.get(words) ?? words, ...rest);
        if (name === 'notify' && rest[0] === CONTROL.BLOCK_GATE) onBlock();
        return result;
      },
    });
  }
  Object.assign(Atomics, {
    wait: (_words: Int32Array, word: number): string => {
      if (word === CONTROL.TICK) throw new Rests();
      return 'ok';
    },
  });
});
afterEach(() => void Object.assign(Atomics, real));

const ADDERS: Adder[] = [{ inputs: [], worker: 1 }, { inputs: [0] }, { inputs: [0], worker: 1 }, { inputs: [1, 2] }];

class Stage {
  readonly arena = new TestArena({ block: BLOCK, depth: BLOCKS * BLOCK });
  readonly plan: number;

  constructor(mode: number) {
    const { arena } = this;
    const { words } = arena;
    words[CONTROL.BLOCK_TICKET] = -2 * CLAIM_TICKET;
    words[CONTROL.ARRIVALS] = 0x7fff_fffe;
    words[OUTPUT_RING_W + RING.READ] = words[OUTPUT_RING_W + RING.WRITE] = -BLOCK - 3;
    words[COMMANDS_CONTROL_W + RING.READ] = words[COMMANDS_CONTROL_W + RING.WRITE] = -3;
    writeFrame(words, CONTROL.FRAME_LO, START);
    this.plan = arena.newPlan(
      ADDERS,
      ADDERS.map((_, i) => arena.newState(i)),
      { workers: 2, mode },
    );
    words[CONTROL.NEXT_PLAN] = this.plan;
    words[CONTROL.RUN] = RUN_PLAYING;
    // Two for now, two in one block, one behind 2³², and one for nobody.
    arena.send(0, 1);
    arena.send(1, 10);
    arena.send(2, 100, { frame: START + BLOCK + 5 });
    arena.send(3, 1000, { frame: START + BLOCK + 9 });
    arena.send(0, 3, { frame: 2 ** 32 + 3 });
    arena.send(7, 1, { frame: START + BLOCK });
  }

  /** A thread in a place. */
  thread(index: number): DspThread {
    const identity = { seat: 1, thread: 0, systemId: 0, scheduling: 0, flushes: 0 };
    const thread = new DspThread(this.arena.memory, runner, index, port2, identity);
    const instance = new WebAssembly.Instance(kernel, { krell: { memory: this.arena.memory } });
    thread.table.set(0, instance.exports['kernel']);
    return thread;
  }

  /** Lets a thread come to lead, and lead until it has nothing more to do or has done so many writes. @returns whether it lived */
  lead(thread: DspThread): boolean {
    return this.live(() => {
      settle(thread);
      new Leader(thread).lead();
    });
  }

  /** Lets the first leader lead; it may die after so many writes. @returns how many it has done */
  begin(until = Infinity): number {
    const thread = this.thread(0);
    const leader = new Leader(thread);
    mortal(thread);
    writes = 0;
    life = until;
    this.live(() => leader.lead());
    return writes;
  }

  /** Lets a thread help with the block that has been opened. */
  help(thread: DspThread): boolean {
    const { words, index } = thread;
    return this.live(() => {
      const plan = holdPlan(words, index) >> 2;
      takePart(thread, plan, Atomics.load(words, CONTROL.BLOCK_TICKET), false);
      releasePlan(words, index);
    });
  }

  live(task: () => void): boolean {
    try {
      task();
      return true;
    } catch (error) {
      if (error instanceof Rests) return true;
      if (!(error instanceof Killed)) throw error;
      return false;
    } finally {
      life = Infinity;
    }
  }

  heard(): number[] {
    const samples = new Float32Array(BLOCKS * BLOCK + 1);
    const got = this.arena.ring.read(samples, 0, samples.length);
    return Array.from(samples.subarray(0, got), (sample) => Math.round(sample * 10));
  }

  check(what: string): void {
    const wanted = Array.from({ length: BLOCKS * BLOCK }, (_, n) => {
      const [v0, v1, v2, v3] = [n >= 2 * BLOCK + 10 ? 3 : 1, 10, n >= BLOCK + 5 ? 100 : 0, n >= BLOCK + 9 ? 1000 : 0];
      return (expected(ADDERS, 3, n) + 2 * v0 + v1 + v2 + v3) & 4095;
    });
    expect(this.heard(), what).toEqual(wanted);
    expect(readFrame(this.arena.words, CONTROL.FRAME_LO), what).toBe(START + BLOCKS * BLOCK);
    expect(this.arena.get(CONTROL.PENDING), what).toBe(0);
    expect(this.arena.commands.fill(), what).toBe(0);
  }
}

describe.each([
  { mode: 0, stride: 1, cables: 'without loops' },
  { mode: 1, stride: 5, cables: 'in a loop of cables' },
])('a patch $cables', ({ mode, stride }) => {
  it('sounds the same whatever write its leader dies at', () => {
    const whole = new Stage(mode);
    const total = whole.begin();
    whole.check('alive');
    expect(total).toBeGreaterThan(200);
    for (let k = 0; k < total; k += stride) {
      const stage = new Stage(mode);
      stage.begin(k);
      stage.lead(stage.thread(0));
      stage.check(`killed at write ${k}`);
    }
  });

  it('sounds the same whatever write a helper dies at', () => {
    for (let k = 0, lived = false; !lived; k++) {
      const stage = new Stage(mode);
      lived = true;
      let blocks = 0;
      onBlock = () => {
        if (blocks++ !== 1) return;
        const helper = mortal(stage.thread(1));
        life = k;
        lived = stage.help(helper);
        settle(stage.thread(1));
      };
      stage.lead(stage.thread(0));
      stage.check(`killed at write ${k}`);
    }
  });

  it('sounds the same when the spare, too, dies while it takes over', () => {
    const total = new Stage(mode).begin();
    for (let run = 0; run < 200; run++) {
      const stage = new Stage(mode);
      stage.begin(Math.floor(((run * 0.618034) % 1) * total));
      const second = mortal(stage.thread(0));
      // To make the heap anew takes most of the writes.
      life = run % 4 === 0 ? Math.floor(((run * 0.7548777) % 1) * 17_000) : run % 90;
      stage.lead(second);
      stage.lead(stage.thread(0));
      stage.check(`run ${run}`);
    }
  });
});

it('a place that the spare was taking is still offered, known to be without a thread, or its own', () => {
  const PLACE = 3;
  const found = new Set<string>();
  for (let k = 0, lived = false; !lived; k++) {
    const stage = new Stage(0);
    const { words } = stage.arena;
    words[CONTROL.SUCCESSION] = offered(PLACE);
    const spare = mortal(stage.thread(SPARE));
    life = k;
    lived = stage.live(() => void waitForPlace(spare));
    const succession = words[CONTROL.SUCCESSION]!;
    const isOwn = stage.arena.worker(PLACE, WORKER.SEAT) === spare.seat;
    const what = succession === offered(PLACE) ? 'offered' : takenBy(succession, spare.seat) === PLACE ? 'taken' : isOwn ? 'own' : 'lost';
    found.add(what);
    // Of another thread that dies meanwhile, nobody thinks that it was taking a place.
    expect(takenBy(succession, spare.seat + 1)).toBe(-1);
  }
  expect([...found]).toEqual(['offered', 'taken', 'own']);
});
