// The script thread: a job that lasts as long as there are scripts. It computes ticks a little ahead of the leading DSP thread, answers
// control between them, and sleeps on GATE. Nothing but a script can hold it up, which control sees by BEAT. All words are of its record, SCRIPT.
//
//   leader, after a block                        script thread
//     FRAME advances                               seen = GATE
//     if WAITS and FRAME has reached               computes what is due, publishes SAID
//     WANTS: WAITS = 0, signals GATE               WANTS = when more is due, WAITS = 1
//                                                  looks at FRAME once more, sleeps while GATE = seen
import { costBin } from '../../realtime/cost.js';
import { CONTROL, SCRIPT, scriptWord } from '../../shared/layout.js';
import { readFrame } from '../../shared/frame.js';
import { signal } from '../../shared/gate.js';
import { MESSAGE, MESSAGE_BYTES, MESSAGE_RESPONSE, MESSAGE_SLOTS, MessageRing } from '../../shared/messages.js';
import { ScriptCommands } from './commands.js';
import { scriptError } from './error.js';
import { FROM_SCRIPTS_W, TO_SCRIPTS_W, type BoundModule, type ScriptReport, type ScriptRequest } from './link.js';
import { loadScript, type LoadedScript } from './load.js';
import { ModuleTicks, type ScriptArena } from './ticks.js';

export interface ScriptTask {
  /** The arena. */
  readonly memory: SharedArrayBuffer;
  readonly link: SharedArrayBuffer;
  /** Number of the script thread. */
  readonly thread: number;
}

/** Milliseconds after which the thread looks around by itself. */
const WAIT_MS = 50;
/** Milliseconds before it tries again to answer. */
const FULL_MS = 5;
/** Frames that stand for "far away". */
const FAR = 2 ** 30;
/** Milliseconds before the same fault of a module is told again, and before another is. */
const REPEAT_MS = 5000;
const PAUSE_MS = 250;

/** A module and the script that drives it. */
interface Driven {
  readonly ticks: ModuleTicks;
  loaded: LoadedScript;
  /** What drove it before the edit, until that has shown at a tick that it works. */
  before: LoadedScript | undefined;
  fault: { readonly message: string; readonly at: number } | undefined;
}

class ScriptThread {
  readonly #words: Int32Array;
  readonly #arena: ScriptArena;
  readonly #requests: MessageRing;
  readonly #responses: MessageRing;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);
  readonly #loaded = new Map<string, LoadedScript>();
  readonly #driven = new Map<string, Driven>();
  #unanswered = 0;
  #answers: Promise<void> = Promise.resolve();

  readonly #thread: number;

  constructor({ memory, link, thread }: ScriptTask) {
    this.#words = new Int32Array(memory);
    this.#thread = thread;
    this.#arena = {
      floats: new Float32Array(memory),
      commands: new ScriptCommands(memory, thread),
      sampleRate: this.#words[CONTROL.SAMPLE_RATE]!,
      frame: () => readFrame(this.#words, CONTROL.FRAME_LO),
      isOffline: () => Atomics.load(this.#words, CONTROL.SCRIPT_MODE) === 2,
    };
    this.#requests = new MessageRing(link, TO_SCRIPTS_W);
    this.#responses = new MessageRing(link, FROM_SCRIPTS_W);
  }

  #word(field: number): number {
    return scriptWord(this.#thread, field);
  }

  /** Until the thread is ended. */
  async live(): Promise<never> {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, this.#word(SCRIPT.GATE));
      Atomics.add(words, this.#word(SCRIPT.BEAT), 1);
      this.#takeRequests();
      const wanted = this.#runTicks();
      // Loading a file needs the event loop; so do promises of scripts.
      await new Promise(setImmediate);
      if (this.#unanswered > 0 || this.#requests.fill() > 0) continue;
      Atomics.store(words, this.#word(SCRIPT.WANTS), wanted | 0);
      Atomics.store(words, this.#word(SCRIPT.WAITS), 1);
      if (this.#arena.frame() < wanted || !this.#isPlaying()) Atomics.wait(words, this.#word(SCRIPT.GATE), seen, WAIT_MS);
    }
  }

  /** From just before the engine plays: the first frames are computed all at once. */
  #isPlaying(): boolean {
    return Atomics.load(this.#words, CONTROL.SCRIPT_MODE) !== 0;
  }

  // ── ticks ──

  /** Computes what is due. @returns the frame at which more is */
  #runTicks(): number {
    const words = this.#words;
    // After a pause the leader fills the whole ring in one go.
    const ahead = Atomics.load(words, CONTROL.RING_DEPTH) + 2 * words[CONTROL.BLOCK_FRAMES]!;
    let said = this.#arena.frame() + FAR;
    let wanted = said;
    for (const [id, driven] of this.#driven) {
      const { ticks } = driven;
      while (this.#isPlaying() && ticks.due(ahead) <= this.#arena.frame()) this.#tick(id, driven);
      said = Math.min(said, ticks.heard);
      wanted = Math.min(wanted, ticks.due(ahead));
    }
    // Offline the leader waits for that, and control before it begins.
    Atomics.store(words, this.#word(SCRIPT.SAID), said | 0);
    Atomics.notify(words, this.#word(SCRIPT.SAID));
    if (this.#arena.isOffline()) signal(words, CONTROL.TICK);
    return wanted;
  }

  #tick(id: string, driven: Driven): void {
    const { ticks } = driven;
    const { late, dropped } = ticks;
    this.#count(SCRIPT.BEAT, 1);
    const begin = performance.now();
    try {
      this.#mark(ticks, () => ticks.run());
      driven.before = undefined;
    } catch (error) {
      this.#count(SCRIPT.ERRORS, 1);
      this.#fault(id, driven, error);
    }
    const ns = Math.min(2 ** 31 - 1, (performance.now() - begin) * 1e6);
    this.#count(SCRIPT.BINS + costBin(ns), 1);
    this.#count(SCRIPT.TICKS, 1);
    this.#count(SCRIPT.LATE, ticks.late - late);
    this.#count(SCRIPT.DROPPED, ticks.dropped - dropped);
  }

  #count(field: number, by: number): void {
    if (by > 0) Atomics.add(this.#words, this.#word(field), by);
  }

  /** Runs a part of a module's script; if it does not return, CURRENT tells whose it is. */
  #mark(ticks: ModuleTicks, run: () => void): void {
    Atomics.store(this.#words, this.#word(SCRIPT.CURRENT), ticks.module.address + 1);
    try {
      run();
    } finally {
      Atomics.store(this.#words, this.#word(SCRIPT.CURRENT), 0);
    }
  }

  /** A tick that threw is lost; an edit whose first tick throws is undone. */
  #fault(id: string, driven: Driven, error: unknown): void {
    const { loaded, fault } = driven;
    let { message } = scriptError(driven.ticks.module.file, loaded.files, error);
    const isUndone = this.#undo(driven);
    if (isUndone) message += '; the script as it was before plays on';
    const now = performance.now();
    if (fault && now - fault.at < (fault.message === message ? REPEAT_MS : PAUSE_MS)) return;
    driven.fault = { message, at: now };
    // Answers must get through, however little control listens.
    if (this.#responses.fill() < MESSAGE_SLOTS / 2) this.#say(0, { kind: 'fault', id, message, isUndone });
  }

  // ── requests ──

  #takeRequests(): void {
    while (this.#requests.fill() > 0) {
      const id = this.#requests.field(MESSAGE.ID);
      const length = this.#requests.take(this.#bytes);
      const request = JSON.parse(new TextDecoder().decode(this.#bytes.slice(0, length))) as ScriptRequest;
      this.#unanswered++;
      this.#answers = this.#answers.then(async () => {
        this.#say(id, await this.#answer(id, request).catch((error: Error): ScriptReport => ({ kind: 'failed', message: error.message })));
        this.#unanswered--;
      });
    }
  }

  async #answer(id: number, request: ScriptRequest): Promise<ScriptReport> {
    switch (request.kind) {
      case 'load': {
        const files: string[] = [];
        const end = await this.#load(request.file, files).then(
          (): ScriptReport => ({ kind: 'done' }),
          (error: Error): ScriptReport => ({ kind: 'failed', message: error.message }),
        );
        for (const file of files) this.#say(id, { kind: 'file', file });
        return end;
      }
      case 'bind':
        this.#bind(request.module);
        break;
      case 'unbind':
        this.#driven.delete(request.id);
    }
    return { kind: 'done' };
  }

  /**
   * Loads a file, and lets it drive the modules that it drove before.
   * @param files gets the files that are looked for on the way
   * @throws ScriptError; then nothing has changed
   */
  async #load(file: string, files: string[]): Promise<void> {
    const loaded = await loadScript(file, files);
    const used: Driven[] = [];
    try {
      for (const driven of this.#driven.values()) {
        if (driven.ticks.module.file !== file) continue;
        this.#use(driven, loaded);
        used.push(driven);
      }
    } catch (error) {
      for (const driven of used) this.#undo(driven);
      throw error;
    }
    this.#loaded.set(file, loaded);
  }

  /** @throws ScriptError when its `setup` throws */
  #bind(module: BoundModule): void {
    const loaded = this.#loaded.get(module.file)!;
    const driven = this.#driven.get(module.id);
    if (driven?.ticks.module.file === module.file) return driven.ticks.move(module);
    const fresh: Driven = { ticks: new ModuleTicks(module, this.#arena), loaded, before: undefined, fault: undefined };
    this.#driven.delete(module.id);
    this.#use(fresh, loaded);
    fresh.before = undefined;
    this.#driven.set(module.id, fresh);
  }

  /** @throws ScriptError when its `setup` throws */
  #use(driven: Driven, loaded: LoadedScript): void {
    const { ticks } = driven;
    try {
      this.#mark(ticks, () => loaded.script.setup?.(ticks));
    } catch (error) {
      throw scriptError(ticks.module.file, loaded.files, error);
    }
    driven.before = driven.loaded;
    driven.loaded = loaded;
    driven.fault = undefined;
    ticks.script = loaded.script;
  }

  /** Goes back to the script as it was before its edit, if that has just come. */
  #undo(driven: Driven): boolean {
    const { before } = driven;
    if (!before) return false;
    driven.loaded = before;
    driven.before = undefined;
    driven.ticks.script = before.script;
    return true;
  }

  #say(id: number, report: ScriptReport): void {
    const bytes = encode(report);
    const send = (): boolean => this.#responses.send(MESSAGE_RESPONSE, id, this.#arena.frame(), bytes, bytes.length);
    // Somebody waits for an answer; a ring full of them is emptied as soon as control has time.
    while (!send() && id !== 0) Atomics.wait(this.#words, this.#word(SCRIPT.WAITS), 0, FULL_MS);
  }
}

const MESSAGE_LENGTH = 800;

/** Fits into a message, whatever a script throws: a character may need several bytes, and one that cannot be seen six. */
function encode(report: ScriptReport): Uint8Array {
  if (!('message' in report)) return new TextEncoder().encode(JSON.stringify(report));
  for (let length = MESSAGE_LENGTH; ; length >>= 1) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...report, message: report.message.slice(0, length) }));
    if (bytes.length <= MESSAGE_BYTES) return bytes;
  }
}

export default (task: ScriptTask): Promise<never> => new ScriptThread(task).live();
