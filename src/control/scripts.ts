// The scripts of a patch: loaded, bound to their modules, loaded again when a file is edited, and ended when they hang.
//
// Each file has a thread of its own, up to MAX_SCRIPT_THREADS; further ones share. It is started with the script, not before. A patch of
// which a script cannot be loaded is refused as a whole, before anything of it plays; what a script does wrong later is an event, never an
// exception of the engine.
import { dirname, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { KrellError } from '../errors.js';
import { hashSeed } from '../kernel/state.js';
import { scriptError } from '../jobs/script/error.js';
import type { BoundModule } from '../jobs/script/link.js';
import { nearScript } from '../jobs/script/near.js';
import { CONTROL, MAX_SCRIPT_THREADS, PARAM, SCRIPT, STATE, scriptWord } from '../shared/layout.js';
import type { BeatMap } from '../shared/beat.js';
import { signal } from '../shared/gate.js';
import type { Arena } from './arena.js';
import type { Instance } from './instances.js';
import type { LiveModule } from './live.js';
import type { Patch } from './patch/index.js';
import { scriptStats, type ScriptInfo, type ScriptStats } from './script-stats.js';
import { ScriptThread } from './script-thread.js';
import { until } from './threads.js';

export interface ScriptsContext {
  readonly arena: Arena;
  /** What plays. */
  readonly patch: () => Patch;
  readonly beats: () => BeatMap;
  readonly modules: () => ReadonlyMap<string, LiveModule>;
  /** Something is wrong with the script of a module, or of all. */
  readonly onFault: (message: string, id: string | undefined) => void;
}

const WATCH_MS = 200;
/** An editor may still be writing. */
const SETTLE_MS = 50;
/** Milliseconds to say what belongs into the ring that is filled first. */
const FIRST_MS = 1000;
/** Deaths between ticks, where nobody can say which line it was, before a file rests. */
const MAX_DEATHS = 5;

/** A script's file. */
interface Source {
  readonly file: string;
  thread: ScriptThread;
  /** Itself, and those that it imports, and when each was last written, as of its last load. */
  written: ReadonlyMap<string, number>;
  /** Not run again until it is edited: it hung, or took its thread with it. */
  isOff: boolean;
  deaths: number;
}
interface Bound {
  readonly module: BoundModule;
  readonly source: Source;
  /** Its `setup` threw. */
  isFailed: boolean;
}

export class Scripts {
  readonly #context: ScriptsContext;
  readonly #words: Int32Array;
  readonly #sources = new Map<string, Source>();
  readonly #bound = new Map<string, Bound>();
  /** What was wrong last, by module, until its script is edited. */
  readonly #faults = new Map<string, { readonly error: string; readonly isOutdated: boolean }>();
  /** Files of a patch that is about to play. */
  #expected: ReadonlySet<string> = new Set();
  /** By place; a thread that is being ended keeps its place until it has. */
  readonly #places = new Map<number, ScriptThread>();
  readonly #closing = new Set<Promise<void>>();
  #watch: NodeJS.Timeout | undefined;
  /** SCRIPT_MODE with scripts, from the start on. */
  #mode = 0;
  #isStopped = false;
  #restarts = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(context: ScriptsContext) {
    this.#context = context;
    this.#words = context.arena.words;
  }

  /** Finds and loads the scripts of a patch that is to play; from then on it names them by their full paths. @throws KrellError `script` that names all that cannot be loaded */
  async prepare(patch: Patch, source: string | undefined): Promise<void> {
    const folder = source === undefined ? process.cwd() : dirname(resolve(source));
    const files = new Set<string>();
    for (const [id, module] of patch.modules) {
      if (module.script === undefined) continue;
      const script = resolve(folder, module.script);
      patch.modules.set(id, { ...module, script });
      files.add(script);
    }
    await this.#enqueue(async () => {
      this.#expected = files;
      try {
        const failures: KrellError[] = [];
        for (const file of files) await this.#prepare(file).catch((error: KrellError) => failures.push(error));
        if (failures.length > 0) throw new KrellError('script', failures.map(({ message }) => message).join('\n'));
      } catch (error) {
        this.#expected = new Set();
        this.#closeUnused();
        throw error;
      }
    });
  }

  /** One that plays already and was not edited plays on. */
  async #prepare(file: string): Promise<void> {
    const source = this.#sources.get(file);
    if (source && !source.isOff && source.thread.isAlive && !(await isEdited(source))) return;
    await this.#load(file);
    this.#forgive(file);
  }

  /** After a patch was loaded: lets the scripts drive the modules that play now. */
  follow(): Promise<void> {
    return this.#enqueue(async () => {
      this.#expected = new Set();
      await this.#bindAll();
    });
  }

  /** The same after an edit, when nobody waits for it. */
  followEdit(): void {
    void this.#enqueue(() => this.#bindAll());
  }

  /**
   * Just before the engine plays; resolves when scripts have said what belongs into the ring that it fills first. Offline it waits for
   * scripts from then on, and files are not watched.
   */
  async start(isOffline: boolean): Promise<void> {
    this.#mode = isOffline ? 2 : 1;
    this.#setMode();
    if (!isOffline) this.#watchFiles();
    const depth = Atomics.load(this.#words, CONTROL.RING_DEPTH);
    for (const { place } of this.#threads()) {
      const said = scriptWord(place, SCRIPT.SAID);
      const ahead = (): number => (Atomics.load(this.#words, said) - Atomics.load(this.#words, CONTROL.FRAME_LO)) | 0;
      await until(this.#words, said, () => ahead() >= depth || this.#isStopped, FIRST_MS);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#watch);
    Atomics.store(this.#words, CONTROL.SCRIPT_MODE, 0);
    for (const thread of this.#threads()) this.#close(thread);
    await this.#work;
    await Promise.all(this.#closing);
  }

  stats(): ScriptStats {
    const modules = [...this.#bound.values()].filter(isDriven).length;
    const all = [...this.#context.patch().modules.values()].filter(({ script }) => script !== undefined).length;
    return scriptStats(this.#words, { modules, resting: all - modules, threads: this.#threads().length, restarts: this.#restarts });
  }

  /** How a module's script fares; undefined where it has none. */
  info(id: string): ScriptInfo | undefined {
    const file = this.#context.patch().modules.get(id)?.script;
    if (file === undefined) return undefined;
    const [bound, fault] = [this.#bound.get(id), this.#faults.get(id)];
    const state = !bound || !isDriven(bound) ? 'resting' : fault?.isOutdated ? 'outdated' : 'running';
    return { file, state, ...(fault ? { error: fault.error } : {}) };
  }

  /** One thing after the other. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#isStopped ? undefined : work()));
    this.#work = done.catch(() => {});
    return done;
  }

  /** Tells the leader for whom it waits, and everybody that something has changed. */
  #setMode(): void {
    const driving = new Set([...this.#bound.values()].filter(isDriven).map(({ source }) => source.thread.place));
    for (let place = 0; place < MAX_SCRIPT_THREADS; place++)
      Atomics.store(this.#words, scriptWord(place, SCRIPT.ACTIVE), driving.has(place) ? 1 : 0);
    Atomics.store(this.#words, CONTROL.SCRIPT_MODE, driving.size === 0 ? 0 : this.#mode);
    for (const thread of this.#threads()) thread.wake();
    signal(this.#words, CONTROL.TICK);
  }

  // ── files ──

  /** @throws KrellError `script` */
  async #load(file: string): Promise<void> {
    const known = this.#sources.get(file);
    const thread = known?.thread.isAlive ? known.thread : await this.#startThread();
    // Before they are read: an edit meanwhile is then seen as one.
    const written = new Map(await Promise.all([...(known?.written.keys() ?? [file])].map(timeOf)));
    const answer = await thread.request({ kind: 'load', file });
    for (const each of answer.files) if (!written.has(each)) written.set(...(await timeOf(each)));
    if (answer.failed !== undefined) {
      if (known) known.written = written;
      throw new KrellError('script', answer.failed, { hint: known ? undefined : nearScript(file) });
    }
    const source = known ?? { file, thread, written, isOff: false, deaths: 0 };
    // Those that it no longer imports are not looked at any more.
    Object.assign(source, { thread, written: new Map([...written].filter(([each]) => answer.files.includes(each))), isOff: false });
    this.#sources.set(file, source);
    for (const bound of this.#bound.values()) if (bound.source === source && bound.isFailed) this.#bound.delete(bound.module.id);
  }

  #watchFiles(): void {
    this.#watch = setTimeout(() => {
      void this.#enqueue(() => this.#lookAtFiles()).finally(() => !this.#isStopped && this.#watchFiles());
    }, WATCH_MS).unref();
  }

  /** Loads scripts again whose files were edited; one that cannot be loaded leaves the old one playing. */
  async #lookAtFiles(): Promise<void> {
    for (const source of [...this.#sources.values()]) {
      if (!(await isEdited(source))) continue;
      const wasOff = source.isOff;
      this.#forgive(source.file);
      try {
        await this.#load(source.file);
      } catch (error) {
        await pause(SETTLE_MS);
        // It was half written; or of one that hung or took the thread with it, that has been said.
        if ((source.isOff && !wasOff) || (await isEdited(source))) continue;
        this.#fault(source, `${(error as Error).message}; ${wasOff ? 'it rests' : 'the script as it was before plays on'}`);
      }
      await this.#bindAll();
    }
  }

  /** Tells what is wrong with an edit of a file. */
  #fault({ file }: Source, message: string): void {
    const [first] = this.#modulesOf(file);
    this.#note([file], message, true);
    this.#context.onFault(message, first);
  }

  #modulesOf(file: string): string[] {
    return [...this.#context.patch().modules.values()].flatMap(({ id, script }) => (script === file ? [id] : []));
  }

  #note(files: readonly string[], error: string, isOutdated: boolean): void {
    for (const id of files.flatMap((file) => this.#modulesOf(file))) this.#faults.set(id, { error, isOutdated });
  }

  /** The file has been edited: what was wrong may be so no more. */
  #forgive(file: string): void {
    for (const id of this.#modulesOf(file)) this.#faults.delete(id);
  }

  // ── modules ──

  /** Binds what plays now, and lets go of the rest. */
  async #bindAll(): Promise<void> {
    const [patch, beats, modules] = [this.#context.patch(), this.#context.beats(), this.#context.modules()];
    const wanted = new Map<string, Pick<Bound, 'module' | 'source'>>();
    for (const { id, script: file } of patch.modules.values()) {
      const [live, source] = [modules.get(id), file === undefined ? undefined : this.#sources.get(file)];
      if (live && source && !source.isOff && source.thread.isAlive)
        wanted.set(id, { module: boundModule(live.instance, id, source.file, patch.seed, beats), source });
    }
    for (const [id, { source }] of [...this.#bound])
      if (wanted.get(id)?.source !== source) {
        this.#bound.delete(id);
        if (!patch.modules.has(id)) this.#faults.delete(id);
        await source.thread.request({ kind: 'unbind', id });
      }
    for (const [id, { module, source }] of wanted) {
      if (isDeepStrictEqual(this.#bound.get(id)?.module, module)) continue;
      const bound = { module, source, isFailed: false };
      this.#bound.set(id, bound);
      const answer = await source.thread.request({ kind: 'bind', module });
      // Of one that hung, that has been said.
      if (answer.failed === undefined || !source.thread.isAlive) continue;
      bound.isFailed = true;
      const message = `${answer.failed}; the module rests until the script is edited`;
      this.#faults.set(id, { error: message, isOutdated: false });
      this.#context.onFault(message, id);
    }
    this.#closeUnused();
    this.#setMode();
  }

  // ── threads ──

  #threads(): ScriptThread[] {
    return [...this.#places.values()].filter(({ isAlive }) => isAlive);
  }

  /** A thread for one more file: one of its own, or that with the fewest. */
  async #startThread(): Promise<ScriptThread> {
    while (this.#places.size === MAX_SCRIPT_THREADS && this.#closing.size > 0) await Promise.race(this.#closing);
    const threads = this.#threads();
    const free = Array.from({ length: MAX_SCRIPT_THREADS }, (_, place) => place).find((place) => !this.#places.has(place));
    const filesOf = (thread: ScriptThread): number => [...this.#sources.values()].filter((source) => source.thread === thread).length;
    if (free === undefined) return threads.sort((a, b) => filesOf(a) - filesOf(b))[0]!;
    const thread = await ScriptThread.start(this.#context.arena, free, {
      fault: (id, message, isUndone) => {
        this.#faults.set(id, { error: message, isOutdated: isUndone || (this.#faults.get(id)?.isOutdated ?? false) });
        this.#context.onFault(message, id);
      },
      lost: (lost, why, cause) => this.#lost(lost, why, cause),
    });
    this.#places.set(free, thread);
    if (this.#isStopped) this.#close(thread);
    return thread;
  }

  #close(thread: ScriptThread): void {
    const closed = thread.close().finally(() => {
      this.#closing.delete(closed);
      this.#places.delete(thread.place);
    });
    this.#closing.add(closed);
  }

  /** Forgets files that no patch has, and ends threads without a file. */
  #closeUnused(): void {
    const used = new Set([...this.#context.patch().modules.values()].map(({ script }) => script));
    for (const file of this.#sources.keys()) if (!used.has(file) && !this.#expected.has(file)) this.#sources.delete(file);
    const busy = new Set([...this.#sources.values()].map(({ thread }) => thread));
    for (const thread of this.#threads()) if (!busy.has(thread)) this.#close(thread);
  }

  /** A thread hung or died: the script to blame rests, others of the same thread begin anew in another. */
  #lost(thread: ScriptThread, why: string, cause: unknown): void {
    if (this.#isStopped) return;
    this.#restarts++;
    const sources = [...this.#sources.values()].filter((source) => source.thread === thread);
    const running = [...this.#bound.values()].find(({ module, source }) => source.thread === thread && module.address === thread.current);
    const culprit = running?.module.file ?? thread.loading;
    for (const [id, { source }] of this.#bound) if (source.thread === thread) this.#bound.delete(id);
    for (const source of sources) source.isOff ||= source.file === culprit || (!culprit && ++source.deaths >= MAX_DEATHS);
    const resting = sources.find(({ isOff }) => isOff);
    const what = culprit ?? placeOf(sources, cause) ?? sources.map(({ file }) => file).join(', ');
    const id = running?.module.id ?? [...this.#context.patch().modules.values()].find(({ script }) => script === sources[0]?.file)?.id;
    const next = resting ? 'rests until it is edited' : 'begins anew';
    // Of a file that never was loaded, whoever asked for it is told.
    const message = `${what}: the script ${why}; it ${next}, its outputs stay as they are`;
    if (sources.length > 0) {
      this.#note(culprit === undefined ? sources.map(({ file }) => file) : [culprit], message, false);
      this.#context.onFault(message, id);
    }
    this.#setMode();
    this.#close(thread);
    void this.#enqueue(async () => {
      for (const source of sources)
        if (!source.isOff && this.#sources.get(source.file) === source)
          await this.#load(source.file).catch((error: Error) => this.#fault(source, error.message));
      await this.#bindAll();
    });
  }
}

const isDriven = ({ isFailed, source }: Bound): boolean => !isFailed && source.thread.isAlive;

/** Where a thread died, if what it died of tells. */
function placeOf(sources: readonly Source[], cause: unknown): string | undefined {
  const files = sources.flatMap(({ written }) => [...written.keys()]);
  const { file, line, column } = scriptError('', files, cause);
  return file === '' ? undefined : `${file}:${line}:${column}`;
}

/** A file, and when it was last written: 0 when there is none. */
const timeOf = async (file: string): Promise<[file: string, time: number]> => [
  file,
  await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  ),
];
const isEdited = async ({ written }: Source): Promise<boolean> =>
  (await Promise.all([...written.keys()].map(timeOf))).some(([file, time]) => written.get(file) !== time);

function boundModule(
  { state, layout, lane, address, definition }: Instance,
  id: string,
  file: string,
  seed: number,
  beats: BeatMap,
): BoundModule {
  const { lanes, params } = layout;
  const first = (state + STATE.HEADER_BYTES) / 4 + (lane ?? 0);
  return {
    id,
    file,
    seed: hashSeed(id, seed),
    beats,
    address,
    voice: lane ?? -1,
    params: Object.fromEntries(
      Object.keys(definition.params).map((name, index) => [name, { index, word: first + (params[index]! + PARAM.TARGET) * lanes }]),
    ),
  };
}
