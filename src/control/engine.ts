// The engine: threads, arena and patch behind one typed interface.
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { modules } from '../../modules/index.js';
import { KrellError } from '../errors.js';
import { PACKAGE_ROOT } from '../kernel/source.js';
import type { Recording } from '../host/recorder.js';
import type { ModuleDefinition } from '../module.js';
import { Pattern } from '../osc/match.js';
import type { OscModule, ParamChange } from '../osc/protocol.js';
import { CONTROL, RUN_IDLE, RUN_PLAYING } from '../shared/layout.js';
import type { BeatMap } from '../shared/beat.js';
import { readFrame } from '../shared/frame.js';
import { signal } from '../shared/gate.js';
import { Arena } from './arena.js';
import { encodeCarry } from './carry.js';
import { startCompiler } from './compiler.js';
import { Commands, type RecallOptions, type SetOptions } from './commands.js';
import type { Edit } from './edits.js';
import { Events, watchUnderruns, type EngineEvent, type EngineEventKind, type EngineListener } from './events.js';
import { FlightRecorder, type Flight } from './flight.js';
import { moduleInfo, type ModuleHealth, type ModuleInfo, type ModuleQuery } from './info.js';
import { Instances } from './instances.js';
import { Kernels } from './kernels.js';
import { didYouMean } from './names.js';
import type { LiveModule } from './live.js';
import { settingsOf, wholeNumber, type EngineOptions, type EngineSettings } from './options.js';
import { Output, type OutputOptions, type OutputState } from './output.js';
import { loadPatch, savePatch, type JsonObject, type Patch } from './patch/index.js';
import { Patcher } from './patcher.js';
import { Player } from './player.js';
import { Registry } from './registry.js';
import type { ScriptStats } from './script-stats.js';
import { Scripts } from './scripts.js';
import { Meter, type EngineStats } from './stats.js';
import { stopped } from './stopped.js';
import { DspThreads } from './threads.js';
import { Watch } from './watch.js';

export type { EngineOptions } from './options.js';

/** Milliseconds that `stop` may take, whatever hangs. */
const STOP_MS = 1900;
const sourcePath = (definition: ModuleDefinition): string | undefined =>
  definition.type === 'cables' ? resolve(PACKAGE_ROOT, 'src/dsp/cables.ts') : undefined;

export class Engine {
  readonly sampleRate: number;
  readonly blockFrames: number;
  readonly workers: number;
  readonly channels: number;
  readonly registry: Registry;
  readonly arena: Arena;
  readonly #threads: DspThreads;
  readonly #player: Player;
  readonly #instances: Instances;
  readonly #patcher: Patcher;
  readonly #events = new Events();
  readonly #seed: number | undefined;
  readonly #watch: Watch;
  readonly #flight: FlightRecorder;
  readonly #meter: Meter;
  readonly #output: Output;
  readonly #scripts: Scripts;
  readonly #underrunWatch: NodeJS.Timeout;
  #stopped: Promise<void> | undefined;

  private constructor(settings: EngineSettings, registry: Registry, arena: Arena, threads: DspThreads, carry: number, kernels: Kernels) {
    ({ sampleRate: this.sampleRate, blockFrames: this.blockFrames, workers: this.workers, channels: this.channels } = settings);
    this.registry = registry;
    this.arena = arena;
    this.#seed = settings.seed;
    this.#threads = threads;
    this.#instances = new Instances(arena, this.sampleRate);
    this.#player = new Player(arena, kernels, this.#instances, {
      blockFrames: this.blockFrames,
      sampleRate: this.sampleRate,
      workers: this.workers,
      handoffNs: settings.handoffNs,
      carry,
    });
    this.#patcher = new Patcher({
      ...settings,
      arena,
      registry,
      instances: this.#instances,
      player: this.#player,
      commands: new Commands(arena, this.#instances, this.sampleRate),
      onEdit: (edit) => {
        this.report(edit);
        this.#scripts.followEdit();
      },
    });
    this.#output = new Output(
      arena,
      settings,
      (state) => this.report({ kind: 'device', state, output: this.#output.state }),
      (message) => this.report({ kind: 'fault', what: 'recording', frame: this.frame, message: `${message}; the recording ends there` }),
    );
    this.#scripts = new Scripts({
      arena,
      patch: () => this.patch,
      beats: () => this.beats,
      modules: () => this.#player.scene.modules,
      onFault: (message, id) =>
        this.report({ kind: 'fault', what: 'script', frame: this.frame, message, ...(id === undefined ? {} : { id }) }),
    });
    this.#watch = new Watch(arena, threads, this.#instances, settings.maxThreadAgeS * 1000, (event) => this.report(event));
    this.#flight = new FlightRecorder(arena, this.workers, settings.flightFolder, () => this.#costliest());
    this.#meter = new Meter(this, arena, kernels, threads, this.#player);
    this.#underrunWatch = watchUnderruns(arena, (event) => this.report(event));
  }

  /**
   * Starts the threads; resolves when all are warm.
   * @throws KrellError `option` for a setting out of range, `memory`
   */
  static async create(options: EngineOptions = {}): Promise<Engine> {
    const settings = settingsOf(options);
    const { workers } = settings;
    const registry = new Registry(modules);
    const arena = new Arena(settings.memoryBytes);
    const { words } = arena;
    words[CONTROL.SAMPLE_RATE] = settings.sampleRate;
    words[CONTROL.BLOCK_FRAMES] = settings.blockFrames;
    words[CONTROL.CHANNELS] = settings.channels;
    words[CONTROL.WORKERS] = workers;
    words[CONTROL.RING_DEPTH] = 2 * settings.blockFrames;
    words[CONTROL.SPIN] = settings.spin;
    words[CONTROL.RUN] = RUN_IDLE;
    startCompiler();
    const threads = await DspThreads.start(arena.memory, workers, settings.realtime);
    const kernels = new Kernels(threads, sourcePath);
    const carry = kernels.add('carry', encodeCarry());
    return new Engine(settings, registry, arena, threads, carry.index, kernels);
  }

  // ── patch ──

  /**
   * Plays a patch instead of the current one. Modules of the same id, type and voices keep their state; the rest fades over 5 ms.
   * Scripts lie beside the file `source`, or in the working folder.
   * @throws PatchError, KrellError; then the current patch plays on
   */
  async loadPatch(patch: string | JsonObject | Patch, options: { source?: string } = {}): Promise<void> {
    const loaded =
      typeof patch === 'object' && 'document' in patch
        ? // What is edited here stays the engine's.
          structuredClone(patch as Patch)
        : loadPatch(typeof patch === 'string' ? patch : JSON.stringify(patch), this.registry, options);
    await this.#patcher.load(this.#seed === undefined ? loaded : { ...loaded, seed: this.#seed }, () =>
      this.#scripts.prepare(loaded, options.source),
    );
    await this.#scripts.follow();
    this.#running();
    this.report({ kind: 'load', title: loaded.title });
  }

  /** The patch as a file, edits included. */
  savePatch(): string {
    return savePatch(this.patch);
  }

  get patch(): Patch {
    return this.#patcher.patch;
  }

  /** Carries out edits as one, in one block: all of them, or none when one is wrong. @throws PatchError that says which, KrellError */
  async edit(edits: readonly Edit[]): Promise<void> {
    if (!(Array.isArray(edits) && edits.every((edit) => typeof edit === 'object' && edit !== null)))
      throw new KrellError('option', 'edits are no array of edits', { hint: "give some like { kind: 'remove', id: 'vco1' }" });
    await this.#patcher.edit(edits);
  }

  /** Adds a module; it runs from the next block on. @throws PatchError, KrellError */
  async createModule(type: string, id: string, options: { voices?: number; params?: JsonObject } = {}): Promise<ModuleInfo> {
    await this.edit([{ kind: 'create', type, id, ...options }]);
    return this.moduleInfo(id);
  }
  /** Removes a module and its cables, which fade over 5 ms. @throws PatchError when there is none */
  removeModule(id: string): Promise<void> {
    return this.edit([{ kind: 'remove', id }]);
  }
  /** Lets a module that faults have put out of action begin anew. @throws KrellError `unknown-module` */
  reviveModule(id: string): void {
    const module = this.#player.scene.modules.get(id);
    if (!module) throw new KrellError('unknown-module', `there is no module '${id}'`, { hint: didYouMean(id, this.patch.modules.keys()) });
    this.#watch.faults.revive(module.instance);
    this.#patcher.healthOf(module).bypassed = false;
  }
  #healthOf(module: LiveModule): ModuleHealth {
    const [told, known] = [this.#patcher.healthOf(module), this.#watch.faults.healthOf(module.instance)];
    return { ...told, ...known, faults: Math.max(told.faults, known.faults) };
  }
  /** Replaces a DSP thread by a fresh one, without a gap. @throws KrellError `stuck` */
  restartWorker(worker: number): Promise<void> {
    this.#running();
    return this.#threads.restart(wholeNumber('worker', worker, 0, this.workers - 1));
  }
  /** Ends a DSP thread wherever it is, as a crash would; the spare takes its place. For tests. */
  killWorker(worker: number): Promise<void> {
    return this.#threads.kill(wholeNumber('worker', worker, 0, this.workers - 1));
  }
  /** The last ten seconds: block times of the DSP threads, and what happened meanwhile. */
  flight(): Flight {
    return this.#flight.read();
  }
  #costliest(): { id: string; us: number } | undefined {
    const costs = [...this.#player.scene.modules.values()].map((live) => ({ id: live.id, us: this.#healthOf(live).cost?.p99Us ?? 0 }));
    return costs.sort((a, b) => b.us - a.us)[0];
  }
  /** Removes the modules that faults have put out of action. @returns their ids */
  async removeFailed(): Promise<string[]> {
    const failed = this.listModules().flatMap(({ id, state }) => (state === 'bypassed' ? [id] : []));
    const removals = await Promise.allSettled(failed.map((id) => this.removeModule(id)));
    // What somebody else has removed at the same moment needs no removal.
    return failed.filter((_, i) => removals[i]!.status === 'fulfilled');
  }
  /** Connects an output, `vco1.saw`, to an input, `vcf1.in`. @throws PatchError */
  connect(from: string, to: string, gain?: number): Promise<void> {
    return this.edit([{ kind: 'connect', from, to, ...(gain === undefined ? {} : { gain }) }]);
  }
  /** @throws PatchError when there is no such cable */
  disconnect(from: string, to: string): Promise<void> {
    return this.edit([{ kind: 'disconnect', from, to }]);
  }

  /**
   * Sets a parameter: a number in its own unit, `"1.2 kHz"`, `{ value, unit }`, an enum's label or a boolean.
   * @throws PatchError; KrellError `busy` when thousands of changes wait, `option` when `at` is too far ahead
   */
  async set(id: string, param: string, value: unknown, options: SetOptions = {}): Promise<void> {
    this.#running();
    this.#patcher.set(id, param, value, options);
  }
  /** Keeps all parameters as they are under a name. @throws PatchError */
  saveSnapshot(name: string): Promise<void> {
    return this.edit([{ kind: 'snapshot', name }]);
  }
  /** Sets all parameters of a snapshot, all from the same frame on. @throws PatchError, KrellError; then none is set */
  async recallSnapshot(name: string, options: RecallOptions = {}): Promise<void> {
    this.#running();
    await this.#patcher.recall(name, options);
  }
  /** For the OSC server: parameter values that play already, to be kept in the patch. What names nothing in the patch is ignored. */
  applyChanges(changes: readonly ParamChange[]): void {
    this.#patcher.applyChanges(changes);
  }

  // ── events ──

  on<K extends EngineEventKind>(kind: K, listener: EngineListener<K>): this {
    this.#events.on(kind, listener);
    return this;
  }
  off<K extends EngineEventKind>(kind: K, listener: EngineListener<K>): this {
    this.#events.off(kind, listener);
    return this;
  }
  /** For what belongs to the engine: tells the listeners, and notes a module's faults. */
  report(event: EngineEvent): void {
    const module = event.kind === 'fault' && event.id !== undefined ? this.#player.scene.modules.get(event.id) : undefined;
    if (module && event.kind === 'fault') {
      const health = this.#patcher.healthOf(module);
      health.faults++;
      health.bypassed ||= event.bypassed ?? false;
    }
    this.#flight.note(event);
    this.#events.emit(event);
  }

  // ── transport ──

  /** Opens the output and plays. @returns which driver plays where. @throws KrellError for an unknown device, an unwritable file */
  async start(options: OutputOptions = {}): Promise<OutputState> {
    this.#running();
    const state = await this.#output.open(options);
    await this.#scripts.start(options.driver === 'file');
    this.#running();
    Atomics.store(this.arena.words, CONTROL.RUN, RUN_PLAYING);
    signal(this.arena.words, CONTROL.TICK);
    if (options.driver !== 'file') this.#player.expect(this.registry.list());
    this.report({ kind: 'device', state: 'open', output: state });
    return state;
  }

  /** Ends sound, threads and files, within two seconds whatever hangs. May be called again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#underrunWatch);
    this.#watch.stop();
    this.#patcher.stop();
    this.#player.stop();
    this.#meter.stop();
    const parts = Promise.allSettled([this.#threads.stop(), this.#output.close(), this.#scripts.stop(), this.#flight.stop()]);
    const patience = new AbortController();
    const ended = await Promise.race([parts, sleep(STOP_MS, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
    this.report({ kind: 'stopped' });
    const failed = ended?.find((part) => part.status === 'rejected');
    if (failed) throw failed.reason;
  }

  #running(): void {
    if (this.#stopped) throw stopped();
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

  /** Which beat is at which frame, from now on. */
  get beats(): BeatMap {
    return this.#patcher.beats;
  }

  listModules(): ModuleInfo[] {
    return [...this.patch.modules.keys()].map((id) => this.moduleInfo(id));
  }
  /** Modules of a type, or with ids that match a pattern. @throws KrellError `unknown-type` */
  findModules(query: string | ModuleQuery): ModuleInfo[] {
    const { type, name } = typeof query === 'string' ? { type: query } : query;
    if (type !== undefined) this.registry.get(type);
    const pattern = name === undefined ? undefined : new Pattern(name);
    return this.listModules().filter(
      (module) => (type === undefined || module.type === type) && (!pattern || pattern.match(module.id) === 'match'),
    );
  }
  /** @throws KrellError `unknown-module` */
  moduleInfo(id: string): ModuleInfo {
    const { modules, leaving } = this.#player.scene;
    const live = modules.get(id) ?? leaving.find((module) => module.id === id);
    if (!live) throw new KrellError('unknown-module', `there is no module '${id}'`, { hint: didYouMean(id, this.patch.modules.keys()) });
    const worker = this.#player.plan?.workerOf.get(id) ?? -1;
    return moduleInfo(live, this.#instances, worker, this.#healthOf(live), !modules.has(id), this.#scripts.info(id));
  }
  /** Living modules as the OSC thread wants to know them. */
  liveModules(): OscModule[] {
    return [...this.#player.scene.modules.values()].map(({ id, instance }) => {
      const { definition, voices, address, lane, state, layout } = instance;
      const { lanes, groupBytes, params } = layout;
      return { id, type: definition.type, voices, address, lane, state, lanes, groupBytes, params };
    });
  }
  /** Whether a module is part of what plays. */
  isRunning(id: string): boolean {
    return this.#player.scene.modules.has(id) && Atomics.load(this.arena.words, CONTROL.RUN) === RUN_PLAYING;
  }
  /** What the scripts of the patch do. */
  scriptStats(): ScriptStats {
    return this.#scripts.stats();
  }
  /** Faults that were too many at once to be events. */
  get untoldFaults(): number {
    return this.#watch.faults.untold;
  }
  stats(): EngineStats {
    return this.#meter.read(this.patch, this.#output.state);
  }
}
