// The engine: threads, arena and patch behind one typed interface.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { modules } from '../../modules/index.js';
import { KrellError } from '../errors.js';
import { PACKAGE_ROOT } from '../kernel/source.js';
import type { Recording } from '../host/recorder.js';
import type { ModuleDefinition } from '../module.js';
import { CONTROL, RUN_IDLE, RUN_PLAYING } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import { signal } from '../shared/gate.js';
import { Arena, DEFAULT_MEMORY_BYTES } from './arena.js';
import { encodeCarry } from './carry.js';
import { Commands, type SetOptions } from './commands.js';
import { moduleInfo, type ModuleInfo } from './info.js';
import { Instances } from './instances.js';
import { Kernels } from './kernels.js';
import { CABLE_FADE_S, initialParams, nextScene, type FadeOut, type SceneContext } from './live.js';
import { Output, type OutputOptions, type OutputState } from './output.js';
import {
  addCable,
  addModule,
  emptyPatch,
  loadPatch,
  removeCable,
  removeModule,
  savePatch,
  setParam,
  type JsonObject,
  type Patch,
} from './patch/index.js';
import { didYouMean } from './names.js';
import { Player } from './player.js';
import { Registry } from './registry.js';
import { HANDOFF_NS } from './schedule.js';
import { Meter, type EngineStats } from './stats.js';
import { DspThreads } from './threads.js';

export interface EngineOptions {
  /** Hz, 8000..192000 */
  readonly sampleRate?: number;
  /** Frames computed at a time: a power of two, 16..1024. Sounds the same whatever it is. */
  readonly blockFrames?: number;
  /** DSP threads, 1..16; all cores but one unless given. */
  readonly workers?: number;
  /** Main outputs, 1..8 */
  readonly channels?: number;
  /** Instead of the patch's own. */
  readonly seed?: number;
  /** Bytes for module state, plans and delay lines. */
  readonly memoryBytes?: number;
  /** Whether the threads ask for real-time priority; they do unless told not to. */
  readonly realtime?: boolean;
  /** Turns a DSP thread spins before it sleeps. */
  readonly spin?: number;
}

/** Powers of two that a block may have. */
export const BLOCK_FRAMES = [16, 32, 64, 128, 256, 512, 1024] as const;
const MAX_WORKERS = 16;
const sourcePath = (definition: ModuleDefinition): string | undefined =>
  definition.type === 'cables' ? resolve(PACKAGE_ROOT, 'src/dsp/cables.ts') : undefined;

function checkRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new KrellError('option', `${name} is ${value}`, { hint: `give a whole number from ${min} to ${max}` });
}

export class Engine {
  readonly sampleRate: number;
  readonly blockFrames: number;
  readonly workers: number;
  readonly channels: number;
  readonly registry: Registry;
  readonly arena: Arena;
  readonly #threads: DspThreads;
  readonly #player: Player;
  readonly #context: Omit<SceneContext, 'fade' | 'frame' | 'fadeOut'>;
  readonly #commands: Commands;
  readonly #seed: number | undefined;
  readonly #meter: Meter;
  readonly #output: Output;
  #patch: Patch = emptyPatch();
  #edits: Promise<unknown> = Promise.resolve();
  /** Parameter changes made while an edit is on its way, to be made in its patch too. */
  #meanwhile: ((patch: Patch) => void)[] | undefined;
  #settling: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(
    options: EngineOptions,
    settings: Pick<Engine, 'sampleRate' | 'blockFrames' | 'workers' | 'channels'>,
    registry: Registry,
    arena: Arena,
    threads: DspThreads,
    carry: number,
    kernels: Kernels,
  ) {
    ({ sampleRate: this.sampleRate, blockFrames: this.blockFrames, workers: this.workers, channels: this.channels } = settings);
    this.registry = registry;
    this.arena = arena;
    this.#seed = options.seed;
    this.#threads = threads;
    const instances = new Instances(arena, this.sampleRate);
    this.#context = { instances, registry, channels: this.channels };
    this.#player = new Player(arena, kernels, instances, {
      blockFrames: this.blockFrames,
      sampleRate: this.sampleRate,
      workers: this.workers,
      handoffNs: arena.words[CONTROL.SPIN]! > 0 ? HANDOFF_NS.spinning : HANDOFF_NS.sleeping,
      carry,
    });
    this.#commands = new Commands(arena, this.sampleRate);
    this.#output = new Output(arena, settings);
    this.#meter = new Meter(this, arena, kernels);
  }

  /**
   * Starts the threads; resolves when all are warm.
   * @throws KrellError `option` for a setting out of range, `memory`
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    const sampleRate = checkRange('sampleRate', options.sampleRate ?? 48_000, 8000, 192_000);
    const blockFrames = options.blockFrames ?? 64;
    if (!(BLOCK_FRAMES as readonly number[]).includes(blockFrames))
      throw new KrellError('option', `blockFrames is ${blockFrames}`, { hint: `give one of ${BLOCK_FRAMES.join(', ')}` });
    const workers = checkRange('workers', options.workers ?? Math.max(1, availableParallelism() - 1), 1, MAX_WORKERS);
    const channels = checkRange('channels', options.channels ?? 2, 1, 8);
    const registry = new Registry(modules);
    const arena = new Arena(options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
    const { words } = arena;
    words[CONTROL.SAMPLE_RATE] = sampleRate;
    words[CONTROL.BLOCK_FRAMES] = blockFrames;
    words[CONTROL.CHANNELS] = channels;
    words[CONTROL.WORKERS] = workers;
    words[CONTROL.RING_DEPTH] = 2 * blockFrames;
    // Spinning is for those who have a core to spin on.
    words[CONTROL.SPIN] = options.spin ?? (workers > 1 && availableParallelism() > workers ? 2000 : 0);
    words[CONTROL.RUN] = RUN_IDLE;
    const threads = await DspThreads.start(arena.memory, workers, options.realtime ?? true);
    const kernels = new Kernels(words, threads.ports, sourcePath);
    const carry = kernels.add('carry', encodeCarry());
    return new Engine(options, { sampleRate, blockFrames, workers, channels }, registry, arena, threads, carry.index, kernels);
  }

  // ── patch ──

  /**
   * Plays a patch instead of the current one. Modules of the same id, type and voices keep their state; the rest fades over 5 ms.
   * @throws PatchError, KrellError; then the current patch plays on
   */
  async loadPatch(patch: string | JsonObject | Patch, options: { source?: string } = {}): Promise<void> {
    const loaded =
      typeof patch === 'object' && 'document' in patch
        ? (patch as Patch)
        : loadPatch(typeof patch === 'string' ? patch : JSON.stringify(patch), this.registry, options);
    const wanted: Patch = this.#seed === undefined ? loaded : { ...loaded, seed: this.#seed };
    await this.#edit(
      () => wanted,
      (before) => this.#moveParams(before, wanted),
    );
  }

  /** The patch as a file, edits included. */
  savePatch(): string {
    return savePatch(this.#patch);
  }

  get patch(): Patch {
    return this.#patch;
  }

  /** Adds a module; it runs from the next block on. @throws PatchError, KrellError */
  async createModule(type: string, id: string, options: { voices?: number; params?: JsonObject } = {}): Promise<ModuleInfo> {
    await this.#edit(
      (patch) =>
        void addModule(patch, this.registry, id, {
          type,
          ...(options.voices === undefined ? {} : { voices: options.voices }),
          ...(options.params ? { params: options.params } : {}),
        }),
    );
    return this.moduleInfo(id);
  }

  /** Removes a module and its cables, which fade over 5 ms. @throws PatchError when there is none */
  async removeModule(id: string): Promise<void> {
    await this.#edit((patch) => removeModule(patch, id));
  }

  /** Connects an output, `vco1.saw`, to an input, `vcf1.in`. @throws PatchError */
  async connect(from: string, to: string, gain?: number): Promise<void> {
    await this.#edit((patch) => void addCable(patch, this.registry, gain === undefined ? { from, to } : { from, to, gain }));
  }

  /** @throws PatchError when there is no such cable */
  async disconnect(from: string, to: string): Promise<void> {
    await this.#edit((patch) => void removeCable(patch, from, to));
  }

  /**
   * Sets a parameter: a number in its own unit, `"1.2 kHz"`, `{ value, unit }`, an enum's label or a boolean.
   * @throws PatchError; KrellError `busy` when thousands of changes wait, `option` when `at` is too far ahead
   */
  async set(id: string, param: string, value: unknown, options: SetOptions = {}): Promise<void> {
    this.#commands.checkFrame(options.at, this.frame);
    const values = setParam(this.#patch, this.registry, id, param, value, options.voice);
    this.#meanwhile?.push((patch) => patch.modules.has(id) && setParam(patch, this.registry, id, param, value, options.voice));
    const live = this.#player.scene.modules.get(id);
    // A module on its way in starts with the value just written.
    if (live) this.#commands.setParam(live.instance, this.registry.paramIndex(live.instance.definition.type, param), values, options);
  }

  /** Builds the scene of an edited patch and plays it. Edits queue up; one that fails leaves everything as it was. */
  #edit(change: (patch: Patch) => Patch | void, adopted: (before: Patch) => void = () => {}): Promise<void> {
    const edit = async (): Promise<void> => {
      this.#running();
      const draft = structuredClone(this.#patch);
      const patch = change(draft) ?? draft;
      this.#meanwhile = [];
      try {
        await this.#playScene(patch);
        for (const again of this.#meanwhile) again(patch);
        const before = this.#patch;
        this.#patch = patch;
        adopted(before);
      } finally {
        this.#meanwhile = undefined;
      }
    };
    const done = this.#edits.then(edit);
    this.#edits = done.catch(() => {});
    return done;
  }

  /** Plays the scene for a patch; when something of the old one fades out, another follows that is without it. */
  async #playScene(patch: Patch): Promise<void> {
    const { words } = this.arena;
    const fadeOut: FadeOut = { end: Infinity };
    const fade = Atomics.load(words, CONTROL.RUN) === RUN_PLAYING;
    const change = nextScene(this.#player.scene, patch, { ...this.#context, fade, frame: this.frame, fadeOut });
    await this.#player.play(change);
    this.#commands.setGains(change.gains);
    fadeOut.end = this.frame + Math.ceil(CABLE_FADE_S * this.sampleRate) + 2 * this.blockFrames;
    if (change.fading) this.#settling ??= setTimeout(() => this.#settle(), CABLE_FADE_S * 1000 * 2).unref();
  }

  #settle(): void {
    this.#settling = undefined;
    this.#edits = this.#edits
      .then(() => (this.#stopped ? undefined : this.#playScene(this.#patch)))
      // What could not be dropped now is silent and stays until the next edit.
      .catch(() => {});
  }

  /** After a patch was loaded: modules that kept their state take the new patch's parameters. */
  #moveParams(before: Patch, after: Patch): void {
    for (const { id, instance } of this.#player.scene.modules.values()) {
      const [old, wanted] = [before.modules.get(id), after.modules.get(id)!];
      if (old?.type !== wanted.type || old.voices !== wanted.voices) continue;
      initialParams(instance.definition, wanted.params, after.tempo).forEach((values, param) => {
        const now = this.#context.instances.targets(instance, param);
        if (now.some((value, voice) => value !== Math.fround(values[values.length === 1 ? 0 : voice]!)))
          this.#commands.setParam(instance, param, values);
      });
    }
  }

  // ── transport ──

  /** Opens the output and plays. @returns which driver plays where. @throws KrellError for an unknown device, an unwritable file */
  async start(options: OutputOptions = {}): Promise<OutputState> {
    this.#running();
    const state = await this.#output.open(options);
    Atomics.store(this.arena.words, CONTROL.RUN, RUN_PLAYING);
    signal(this.arena.words, CONTROL.TICK);
    return state;
  }

  /** Ends sound, threads and files, within two seconds whatever hangs. May be called again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#settling);
    this.#player.stop();
    this.#meter.stop();
    await Promise.all([this.#threads.stop(), this.#output.close()]);
  }

  #running(): void {
    if (this.#stopped) throw new KrellError('stopped', 'the engine has been stopped', { hint: 'create another' });
  }

  /** Resolves when the output has ended by itself: a file is complete, or a device is lost. */
  get ended(): Promise<OutputState> {
    return this.#output.ended;
  }

  /** Writes what is played to a WAV file. @throws KrellError for an unwritable file, or one that is being recorded */
  startRecording(path: string): Promise<void> {
    this.#running();
    return this.#output.startRecording(path);
  }

  /** Completes the recording. @returns undefined when nothing was recorded */
  stopRecording(): Promise<Recording | undefined> {
    return this.#output.stopRecording();
  }

  // ── questions ──

  /** The frame that will be computed next. */
  get frame(): number {
    return readFrame(this.arena.words, CONTROL.FRAME_LO);
  }

  listModules(): ModuleInfo[] {
    return [...this.#patch.modules.keys()].map((id) => this.moduleInfo(id));
  }
  findModules(type: string): ModuleInfo[] {
    this.registry.get(type);
    return this.listModules().filter((module) => module.type === type);
  }
  /** @throws KrellError `unknown-module` */
  moduleInfo(id: string): ModuleInfo {
    const live = this.#player.scene.modules.get(id);
    if (!live) throw new KrellError('unknown-module', `there is no module '${id}'`, { hint: didYouMean(id, this.#patch.modules.keys()) });
    return moduleInfo(live, this.#context.instances, this.#player.plan?.workerOf.get(id) ?? -1);
  }
  /** Whether a module is part of what plays. */
  isRunning(id: string): boolean {
    return this.#player.scene.modules.has(id) && Atomics.load(this.arena.words, CONTROL.RUN) === RUN_PLAYING;
  }
  stats(): EngineStats {
    return this.#meter.read(this.#patch, this.#output.state);
  }
}
