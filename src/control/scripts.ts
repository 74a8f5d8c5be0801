// The scripts of a patch: loaded, bound to their modules, loaded again when a file is edited, and started again when one hangs.
//
// They run in a thread of their own (src/jobs/script/run.ts), a job of a pool of one: the pool ends a thread that hangs and has the next
// one ready. It is started with the first script, not before, and what a script does wrong is an event, never an exception of the engine.
import { dirname, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { KrellError } from '../errors.js';
import { hashSeed } from '../kernel/state.js';
import { JobPool } from '../jobs/pool.js';
import type { Job } from '../jobs/job.js';
import { FROM_SCRIPTS_W, LINK_BYTES, TO_SCRIPTS_W, type BoundModule, type ScriptReport, type ScriptRequest } from '../jobs/script/link.js';
import { CONTROL, PARAM, RING, STATE } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { MESSAGE, MESSAGE_BYTES, MESSAGE_REQUEST, MessageRing } from '../shared/messages.js';
import type { Arena } from './arena.js';
import type { Instance } from './instances.js';
import type { LiveModule } from './live.js';
import type { Patch } from './patch/index.js';
import { changed, until } from './threads.js';

export interface ScriptsContext {
  readonly arena: Arena;
  /** What plays. */
  readonly patch: () => Patch;
  readonly modules: () => ReadonlyMap<string, LiveModule>;
  /** Something is wrong with the script of a module, or of all. */
  readonly onFault: (message: string, id: string | undefined) => void;
}

export interface ScriptStats {
  /** Modules with a script. */
  readonly modules: number;
  readonly ticks: number;
  /** Values that came after their frame. */
  readonly late: number;
  readonly restarts: number;
}

/** Milliseconds without a sign of life after which the thread counts as hung. */
const HANG_MS = 1000;
const LOOK_MS = 100;
const WATCH_MS = 200;
/** Restarts that nobody was to blame for, before scripts are given up. */
const MAX_RESTARTS = 5;
const HANDLER = { file: new URL('../jobs/script/run.js', import.meta.url) };

export class Scripts {
  readonly #context: ScriptsContext;
  readonly #words: Int32Array;
  #pool: JobPool | undefined;
  #thread: ScriptThreadLink | undefined;
  /** Files that are loaded, and those they import. */
  readonly #files = new Map<string, readonly string[]>();
  /** Files not run again until they are edited: they hung, or took the thread with them. */
  readonly #off = new Set<string>();
  #bound = new Map<string, BoundModule>();
  /** When each of them was last written, as of its last load. */
  readonly #written = new Map<string, number>();
  #watch: NodeJS.Timeout | undefined;
  /** SCRIPT_MODE with scripts, from the start on. */
  #mode = 0;
  #isStopped = false;
  /** The thread is gone, and the next one knows nothing yet. */
  #isLost = false;
  #restarts = 0;
  #unexplained = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(context: ScriptsContext) {
    this.#context = context;
    this.#words = context.arena.words;
  }

  /** Finds and loads the scripts of a patch that is to play; from then on it names them by their full paths. @throws KrellError `script` */
  async prepare(patch: Patch, source: string | undefined): Promise<void> {
    const folder = source === undefined ? process.cwd() : dirname(resolve(source));
    const files = new Set<string>();
    for (const [id, module] of patch.modules) {
      if (module.script === undefined) continue;
      const script = resolve(folder, module.script);
      patch.modules.set(id, { ...module, script });
      files.add(script);
    }
    for (const file of files) {
      this.#off.delete(file);
      await this.#enqueue(() => this.#load(file));
    }
  }

  /** After every edit: lets the scripts drive the modules that play now. @throws KrellError `script` when a `setup` throws */
  follow(): Promise<void> {
    return this.#enqueue(() => this.#bindAll());
  }

  /** The same, when nobody waits for it. */
  followEdit(): void {
    this.follow().catch((error: Error) => this.#context.onFault(error.message, undefined));
  }

  /**
   * Just before the engine plays; resolves when scripts have said what belongs into the ring that it fills first. Offline it waits for
   * scripts from then on, and files are not watched.
   */
  async start(isOffline: boolean): Promise<void> {
    this.#mode = isOffline ? 2 : 1;
    this.#setMode();
    if (!isOffline) this.#watchFiles();
    if (this.#bound.size === 0) return;
    const depth = Atomics.load(this.#words, CONTROL.RING_DEPTH);
    const ahead = (): number => (Atomics.load(this.#words, CONTROL.SCRIPT_SAID) - Atomics.load(this.#words, CONTROL.FRAME_LO)) | 0;
    await until(this.#words, CONTROL.SCRIPT_SAID, () => ahead() >= depth, HANG_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#watch);
    Atomics.store(this.#words, CONTROL.SCRIPT_MODE, 0);
    this.#thread?.close();
    await this.#pool?.close();
  }

  stats(): ScriptStats {
    const word = (at: number): number => Atomics.load(this.#words, at);
    return { modules: this.#bound.size, ticks: word(CONTROL.SCRIPT_TICKS), late: word(CONTROL.SCRIPT_LATE), restarts: this.#restarts };
  }

  /** One thing after the other. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#isStopped ? undefined : work()));
    this.#work = done.catch(() => {});
    return done;
  }

  #setMode(): void {
    Atomics.store(this.#words, CONTROL.SCRIPT_MODE, this.#bound.size === 0 ? 0 : this.#mode);
    signal(this.#words, CONTROL.SCRIPT_GATE);
    signal(this.#words, CONTROL.TICK);
  }

  // ── files ──

  async #load(file: string): Promise<void> {
    await this.#ensureThread();
    // Before it is read: an edit meanwhile is then seen as one.
    const known = this.#files.get(file) ?? [file];
    for (const each of known) this.#written.set(each, await writtenAt(each));
    const report = await this.#thread!.request({ kind: 'load', file });
    if (report.kind !== 'done') throw new KrellError('script', report.message);
    this.#files.set(file, report.files);
    for (const each of report.files) if (!known.includes(each)) this.#written.set(each, await writtenAt(each));
  }

  #watchFiles(): void {
    this.#watch = setTimeout(() => {
      void this.#enqueue(() => this.#lookAtFiles()).finally(() => !this.#isStopped && this.#watchFiles());
    }, WATCH_MS).unref();
  }

  /** Loads scripts again whose files were edited; one that cannot be loaded leaves the old one playing. */
  async #lookAtFiles(): Promise<void> {
    const used = new Set([...this.#context.patch().modules.values()].map(({ script }) => script));
    for (const [file, files] of this.#files) {
      if (!used.has(file)) continue;
      const times = await Promise.all(files.map(writtenAt));
      if (times.every((time, i) => time === this.#written.get(files[i]!))) continue;
      this.#off.delete(file);
      try {
        await this.#load(file);
        await this.#bindAll();
      } catch (error) {
        // Of one that hung or took the thread with it, that has been said.
        if (!this.#off.has(file)) this.#fault(file, `${(error as Error).message}; the script as it was before plays on`);
      }
    }
  }

  // ── modules ──

  async #bindAll(): Promise<void> {
    if (this.#isLost) return;
    const patch = this.#context.patch();
    const wanted = new Map<string, BoundModule>();
    for (const { id, script: file } of patch.modules.values()) {
      const live = this.#context.modules().get(id);
      if (live && file !== undefined && this.#files.has(file) && !this.#off.has(file))
        wanted.set(id, boundModule(live.instance, id, file, patch));
    }
    const before = this.#bound;
    this.#bound = wanted;
    this.#setMode();
    for (const id of before.keys()) if (!wanted.has(id)) await this.#thread!.request({ kind: 'unbind', id });
    let failed: string | undefined;
    for (const [id, module] of wanted) {
      if (isDeepStrictEqual(before.get(id), module)) continue;
      const report = await this.#thread!.request({ kind: 'bind', module });
      if (report.kind !== 'failed') continue;
      wanted.delete(id);
      failed ??= report.message;
    }
    if (failed !== undefined) throw new KrellError('script', failed);
  }

  #fault(file: string, message: string): void {
    const [id] = [...this.#bound].find(([, bound]) => bound.file === file) ?? [];
    this.#context.onFault(message, id);
  }

  // ── the thread ──

  async #ensureThread(): Promise<void> {
    this.#pool ??= await JobPool.create({ threads: 1, graceMs: 0 });
    this.#thread ??= new ScriptThreadLink(this.#pool, this.#context.arena, {
      fault: (id, message) => this.#context.onFault(message, id),
      ended: (why) => this.#replace(why),
    });
  }

  /** The thread hung or died: another takes the scripts, without the one to blame. */
  #replace(why: string): void {
    if (this.#isStopped) return;
    const current = Atomics.exchange(this.#words, CONTROL.SCRIPT_CURRENT, 0);
    const culprit = [...this.#context.modules().values()].find(({ instance }) => instance.address + 1 === current);
    const file = this.#thread?.loading ?? (culprit && this.#bound.get(culprit.id)?.file);
    this.#thread = undefined;
    this.#isLost = true;
    this.#restarts++;
    if (file === undefined) this.#unexplained++;
    else this.#off.add(file);
    this.#context.onFault(
      file === undefined
        ? `the script thread ${why}`
        : `${file}: the script ${why}; it rests until it is edited, its outputs stay as they are`,
      culprit?.id,
    );
    void this.#enqueue(() => this.#resume());
  }

  async #resume(): Promise<void> {
    this.#bound = new Map();
    this.#isLost = false;
    const files = [...this.#files.keys()].filter((file) => !this.#off.has(file));
    if (this.#unexplained >= MAX_RESTARTS) {
      this.#setMode();
      return this.#context.onFault(`the script thread was lost ${MAX_RESTARTS} times; scripts stay off`, undefined);
    }
    for (const file of files) await this.#load(file).catch((error: Error) => this.#fault(file, error.message));
    await this.#bindAll().catch((error: Error) => this.#context.onFault(error.message, undefined));
  }
}

/** The link to a script thread, for as long as that lives. */
class ScriptThreadLink {
  /** The file that it has been asked to load. */
  loading: string | undefined;
  readonly #words: Int32Array;
  readonly #requests: MessageRing;
  readonly #responses: MessageRing;
  readonly #job: Job<void>;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);
  readonly #answers = new Map<number, (report: ScriptReport) => void>();
  #count = 0;
  #isOver = false;

  constructor(
    pool: JobPool,
    { buffer, words }: Arena,
    private readonly events: { fault: (id: string, message: string) => void; ended: (why: string) => void },
  ) {
    const link = new SharedArrayBuffer(LINK_BYTES);
    this.#words = words;
    this.#requests = new MessageRing(link, TO_SCRIPTS_W);
    this.#responses = new MessageRing(link, FROM_SCRIPTS_W);
    this.#job = pool.submit<void>(HANDLER, { memory: buffer, link }, { name: 'scripts' });
    this.#job.result().catch((error: Error) => this.#end(`took its thread with it (${error.message})`));
    void this.#listen();
  }

  close(): void {
    this.#isOver = true;
  }

  /** @returns the answer; when the thread ends before, that it failed */
  async request(request: ScriptRequest): Promise<ScriptReport> {
    const { written = 0, read } = new TextEncoder().encodeInto(JSON.stringify(request), this.#bytes);
    if (read !== JSON.stringify(request).length) return { kind: 'failed', message: 'the path of the script is too long' };
    const id = ++this.#count;
    if (request.kind === 'load') this.loading = request.file;
    const answer = new Promise<ScriptReport>((resolve) => this.#answers.set(id, resolve));
    if (this.#isOver || !this.#requests.send(MESSAGE_REQUEST, id, 0, this.#bytes, written))
      return { kind: 'failed', message: 'the script thread does not listen' };
    signal(this.#words, CONTROL.SCRIPT_GATE);
    const report = await answer;
    if (request.kind === 'load') this.loading = undefined;
    return report;
  }

  /** Takes what the thread says, and looks whether it still lives. */
  async #listen(): Promise<void> {
    const { words, base } = this.#responses;
    let beat = 0;
    let since = performance.now();
    while (!this.#isOver) {
      const seen = Atomics.load(words, base + RING.WRITE);
      while (this.#responses.fill() > 0) this.#take();
      await changed(words, base + RING.WRITE, seen, LOOK_MS);
      const now = Atomics.load(this.#words, CONTROL.SCRIPT_BEAT);
      if (now !== beat || this.#job.state === 'waiting') [beat, since] = [now, performance.now()];
      else if (performance.now() - since > HANG_MS) this.#hung();
    }
  }

  #take(): void {
    const id = this.#responses.field(MESSAGE.ID);
    const bytes = new Uint8Array(MESSAGE_BYTES);
    const report = JSON.parse(new TextDecoder().decode(bytes.subarray(0, this.#responses.take(bytes)))) as ScriptReport;
    if (report.kind === 'fault') return this.events.fault(report.id, report.message);
    this.#answers.get(id)?.(report);
    this.#answers.delete(id);
  }

  #hung(): void {
    this.#job.cancel();
    this.#end('did not come back');
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events.ended(why);
    for (const answer of this.#answers.values()) answer({ kind: 'failed', message: `the script ${why}` });
  }
}

/** 0 when there is no such file. */
const writtenAt = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

function boundModule({ state, layout, lane, address, definition }: Instance, id: string, file: string, patch: Patch): BoundModule {
  const { lanes, params } = layout;
  const first = (state + STATE.HEADER_BYTES) / 4 + (lane ?? 0);
  return {
    id,
    file,
    seed: hashSeed(id, patch.seed),
    tempo: patch.tempo,
    address,
    voice: lane ?? -1,
    params: Object.fromEntries(
      Object.keys(definition.params).map((name, index) => [name, { index, word: first + (params[index]! + PARAM.TARGET) * lanes }]),
    ),
  };
}
