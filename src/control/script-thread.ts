// One script thread, seen from control: a job of a pool of one (src/jobs/script/run.ts), which can be asked, watched and ended.
import { JobPool } from '../jobs/pool.js';
import { releaseCommands } from '../jobs/script/commands.js';
import { FROM_SCRIPTS_W, LINK_BYTES, TO_SCRIPTS_W, type ScriptReport, type ScriptRequest } from '../jobs/script/link.js';
import { CONTROL, RING, SCRIPT, scriptWord } from '../shared/layout.js';
import { signal } from '../shared/gate.js';
import { MESSAGE, MESSAGE_BYTES, MESSAGE_REQUEST, MessageRing } from '../shared/messages.js';
import type { Arena } from './arena.js';
import { changed } from './threads.js';

export interface ScriptThreadEvents {
  /** A script threw at a tick. `isUndone`: what played before its edit plays on. */
  fault(id: string, message: string, isUndone: boolean): void;
  /** The thread hung or died. `cause`: what it died of. */
  lost(thread: ScriptThread, why: string, cause: unknown): void;
}

/** Milliseconds to the first sign of life: on a busy machine it takes its time to load what it is made of. */
const START_MS = 15_000;
/** Looks without a sign of life, and milliseconds from the first to the last of them, after which the thread counts as hung. */
const HANG_LOOKS = 9;
const HANG_MS = 1000;
const LOOK_MS = 100;
const HANDLER = { file: new URL('../jobs/script/run.js', import.meta.url) };

/** `files`: those that were loaded, or looked for. */
export interface ScriptAnswer {
  readonly files: readonly string[];
  readonly failed?: string;
}

export class ScriptThread {
  /** Its place among SCRIPT records. */
  readonly place: number;
  /** The file that it has been asked to load. */
  loading: string | undefined;
  readonly #words: Int32Array;
  readonly #requests: MessageRing;
  readonly #responses: MessageRing;
  readonly #pool: JobPool;
  readonly #events: ScriptThreadEvents;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);
  readonly #answers = new Map<number, { readonly files: string[]; readonly resolve: (answer: ScriptAnswer) => void }>();
  #count = 0;
  #isOver = false;

  private constructor({ buffer, words }: Arena, place: number, pool: JobPool, events: ScriptThreadEvents) {
    const link = new SharedArrayBuffer(LINK_BYTES);
    this.place = place;
    this.#words = words;
    this.#pool = pool;
    this.#events = events;
    this.#requests = new MessageRing(link, TO_SCRIPTS_W);
    this.#responses = new MessageRing(link, FROM_SCRIPTS_W);
    for (const field of [SCRIPT.ACTIVE, SCRIPT.WAITS, SCRIPT.CURRENT, SCRIPT.BEAT]) Atomics.store(words, scriptWord(place, field), 0);
    Atomics.store(words, scriptWord(place, SCRIPT.SAID), words[CONTROL.FRAME_LO]!);
    const job = pool.submit<never>(HANDLER, { memory: buffer, link, thread: place }, { name: 'scripts' });
    job.result().catch(({ message, cause }: Error) => {
      const why = cause instanceof Error ? cause.message : message;
      this.#end(`took its thread with it (${why})`, cause);
    });
    void this.#listen();
  }

  static async start(arena: Arena, place: number, events: ScriptThreadEvents): Promise<ScriptThread> {
    // No spare: another thread is there in some 50 ms, and a script that rests needs none.
    const pool = await JobPool.create({ threads: 1, spares: 0, graceMs: 0 });
    return new ScriptThread(arena, place, pool, events);
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return !this.#isOver;
  }

  /** COMMAND.SLOT of the module whose script runs just now; −1 = none. */
  get current(): number {
    return Atomics.load(this.#words, scriptWord(this.place, SCRIPT.CURRENT)) - 1;
  }

  /** Makes it look around. */
  wake(): void {
    signal(this.#words, scriptWord(this.place, SCRIPT.GATE));
  }

  /** Ends it, whatever it does. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#fail('the script thread was ended');
    await this.#pool.close();
    releaseCommands(this.#words, this.place);
  }

  /** @returns the answer; when the thread ends before, that it failed */
  async request(request: ScriptRequest): Promise<ScriptAnswer> {
    const text = JSON.stringify(request);
    const { written = 0, read } = new TextEncoder().encodeInto(text, this.#bytes);
    if (read !== text.length) return { files: [], failed: 'the path of the script is too long' };
    if (this.#isOver) return { files: [], failed: 'the script thread has ended' };
    const id = ++this.#count;
    const answer = new Promise<ScriptAnswer>((resolve) => this.#answers.set(id, { files: [], resolve }));
    if (request.kind === 'load') this.loading = request.file;
    // One at a time is asked: there is room.
    this.#requests.send(MESSAGE_REQUEST, id, 0, this.#bytes, written);
    this.wake();
    const result = await answer;
    if (request.kind === 'load') this.loading = undefined;
    return result;
  }

  /** Takes what the thread says, and looks whether it still lives. */
  async #listen(): Promise<void> {
    const { words, base } = this.#responses;
    let beat = 0;
    let since = performance.now();
    let looks = 0;
    while (!this.#isOver) {
      const seen = Atomics.load(words, base + RING.WRITE);
      while (this.#responses.fill() > 0) this.#take();
      await changed(words, base + RING.WRITE, seen, LOOK_MS);
      const now = Atomics.load(this.#words, scriptWord(this.place, SCRIPT.BEAT));
      // By looks too: where the whole machine stood still, time alone says nothing.
      if (now !== beat) [beat, since, looks] = [now, performance.now(), 0];
      else if (++looks > HANG_LOOKS && performance.now() - since > (beat === 0 ? START_MS : HANG_MS))
        this.#end('did not come back', undefined);
    }
  }

  #take(): void {
    const id = this.#responses.field(MESSAGE.ID);
    const bytes = new Uint8Array(MESSAGE_BYTES);
    const report = JSON.parse(new TextDecoder().decode(bytes.subarray(0, this.#responses.take(bytes)))) as ScriptReport;
    if (report.kind === 'fault') return this.#events.fault(report.id, report.message, report.isUndone);
    const asked = this.#answers.get(id);
    if (report.kind === 'file') return void asked?.files.push(report.file);
    this.#answers.delete(id);
    asked?.resolve({ files: asked.files, ...(report.kind === 'failed' ? { failed: report.message } : {}) });
  }

  #end(why: string, cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fail(`the script ${why}`);
    this.#events.lost(this, why, cause);
  }

  /** Nobody waits for an answer in vain. */
  #fail(failed: string): void {
    for (const { files, resolve } of this.#answers.values()) resolve({ files, failed });
    this.#answers.clear();
  }
}
