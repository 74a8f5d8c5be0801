// Puts scenes into play: plan, kernels, adoption at a block edge, then the retiring of what went before.
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../errors.js';
import type { ModuleDefinition } from '../module.js';
import { CONTROL, WORKER, workerWord } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { planInUse } from '../shared/plans.js';
import type { Arena } from './arena.js';
import type { Instance, Instances } from './instances.js';
import type { Kernels } from './kernels.js';
import { EMPTY_SCENE, type Scene, type SceneChange } from './live.js';
import { buildPlan, type Plan, type PlanSettings } from './plan.js';
import { until } from './threads.js';
import { Timings } from './timings.js';

/** Milliseconds that the threads may take for new kernels, and for a plan: one that has just died must be replaced, perhaps by one that has yet to start. */
const ADOPT_MS = 5000;
const RETIRE_MS = 5;
/** Kernels that nobody needs yet are compiled when the first sound is out. */
const WARM_AFTER_MS = 500;

export class Player {
  scene: Scene = EMPTY_SCENE;
  plan: Plan | undefined;
  /** What it took to decide which thread runs what, by edit. */
  readonly assignments = new Timings();
  readonly #arena: Arena;
  readonly #kernels: Kernels;
  readonly #instances: Instances;
  readonly #settings: PlanSettings;
  #retired: { plan: Plan; instances: readonly Instance[] }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #warming: NodeJS.Timeout | undefined;
  readonly #stopped = new AbortController();

  constructor(arena: Arena, kernels: Kernels, instances: Instances, settings: PlanSettings) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#instances = instances;
    this.#settings = settings;
  }

  /** Plays the new scene from the next block on. On failure the old one plays on and nothing is kept of the new. */
  async play(change: SceneChange): Promise<void> {
    const { words } = this.#arena;
    this.#retire();
    let plan: Plan | undefined;
    try {
      plan = await buildPlan(this.#arena, this.#kernels, this.#instances, change.scene.nodes, change.scene.bus, this.#settings);
      await this.#installed(this.#kernels.posted);
    } catch (error) {
      if (plan) this.#arena.give(plan.address);
      for (const instance of change.created) this.#instances.release(instance);
      throw error;
    }
    const next = plan.address;
    Atomics.store(words, CONTROL.NEXT_PLAN, next);
    signal(words, CONTROL.TICK);
    const isAdopted = await this.#until(CONTROL.ADOPTED, () => Atomics.load(words, CONTROL.PLAN) === next);
    if (!isAdopted) {
      // A leader that takes it all the same goes back at its next block.
      Atomics.store(words, CONTROL.NEXT_PLAN, this.plan?.address ?? 0);
      this.#retired.push({ plan, instances: change.created });
      this.#retire();
      throw stuck('the DSP threads did not take the new plan');
    }
    if (this.plan) this.#retired.push({ plan: this.plan, instances: change.dropped });
    this.plan = plan;
    this.assignments.add(plan.assignMs);
    this.scene = change.scene;
    this.#retire();
  }

  /** Waits for the DSP threads, as long as there is hope. */
  async #until(word: number, done: () => boolean): Promise<boolean> {
    const { words } = this.#arena;
    return (await until(words, word, () => this.#stopped.signal.aborted || done(), ADOPT_MS)) && !this.#stopped.signal.aborted;
  }

  async #installed(posted: number): Promise<void> {
    const { words } = this.#arena;
    for (let worker = 0; worker < this.#settings.workers; worker++) {
      const word = workerWord(worker, WORKER.KERNELS);
      if (!(await this.#until(word, () => Atomics.load(words, word) >= posted)))
        throw stuck(`DSP thread ${worker} did not take new kernels`);
    }
  }

  /** Frees plans that no thread reads any more, and the instances that only they named. */
  #retire(): void {
    const { words } = this.#arena;
    clearTimeout(this.#timer);
    while (this.#retired.length > 0 && !planInUse(words, this.#retired[0]!.plan.address)) {
      const { plan, instances } = this.#retired.shift()!;
      this.#arena.give(plan.address);
      for (const instance of instances) this.#instances.release(instance);
    }
    if (this.#retired.length === 0) return;
    this.#timer = setTimeout(() => this.#retire(), RETIRE_MS);
    this.#timer.unref();
  }

  /** Resolves when what was dropped has been freed; soon. @returns whether there was anything */
  async freed(): Promise<boolean> {
    const was = this.#retired.length > 0;
    while (this.#retired.length > 0 && !this.#stopped.signal.aborted) await sleep(RETIRE_MS);
    return was;
  }

  /** From now on modules of these types will be made at any moment. */
  expect(definitions: readonly ModuleDefinition[]): void {
    this.#warming ??= setTimeout(() => {
      void this.#kernels.warm(definitions, this.#settings.sampleRate, this.#stopped.signal);
    }, WARM_AFTER_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#warming);
    this.#stopped.abort();
  }
}

const stuck = (what: string): KrellError => new KrellError('stuck', what, { hint: 'try again, or stop the engine and create another' });
