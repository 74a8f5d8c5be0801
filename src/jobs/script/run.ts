// The script thread: a job that lasts as long as there are scripts. It computes ticks a little ahead of the leading DSP thread, answers
// control between them, and sleeps on SCRIPT_GATE. Nothing but a script can hold it up, which control sees by SCRIPT_BEAT.
//
//   leader, after a block                        script thread
//     FRAME advances                               seen = SCRIPT_GATE
//     if SCRIPT_WAITS and FRAME has reached        computes what is due, publishes SCRIPT_SAID
//     SCRIPT_WANTS: SCRIPT_WAITS = 0, signals      SCRIPT_WANTS = when more is due, SCRIPT_WAITS = 1
//                                                  looks at FRAME once more, sleeps while SCRIPT_GATE = seen
import { COMMANDS_SCRIPT_W, CONTROL } from '../../shared/layout.js';
import { readFrame } from '../../shared/frame.js';
import { signal } from '../../shared/gate.js';
import { MESSAGE, MESSAGE_BYTES, MESSAGE_RESPONSE, MESSAGE_SHUTDOWN, MessageRing } from '../../shared/messages.js';
import { CommandRing } from '../../shared/ring.js';
import { scriptError } from './error.js';
import { FROM_SCRIPTS_W, TO_SCRIPTS_W, type BoundModule, type ScriptReport, type ScriptRequest } from './link.js';
import { loadScript, type LoadedScript } from './load.js';
import { ModuleTicks, type ScriptArena } from './ticks.js';

export interface ScriptTask {
  /** The arena. */
  readonly memory: SharedArrayBuffer;
  readonly link: SharedArrayBuffer;
}

/** Milliseconds after which the thread looks around by itself. */
const WAIT_MS = 50;
/** Frames that stand for "far away". */
const FAR = 2 ** 30;
/** Milliseconds before the same fault is told again. */
const REPEAT_MS = 5000;

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
  #isOver = false;
  #unanswered = 0;
  #answers: Promise<void> = Promise.resolve();

  constructor({ memory, link }: ScriptTask) {
    this.#words = new Int32Array(memory);
    this.#arena = {
      floats: new Float32Array(memory),
      commands: new CommandRing(memory, COMMANDS_SCRIPT_W),
      sampleRate: this.#words[CONTROL.SAMPLE_RATE]!,
      frame: () => readFrame(this.#words, CONTROL.FRAME_LO),
    };
    this.#requests = new MessageRing(link, TO_SCRIPTS_W);
    this.#responses = new MessageRing(link, FROM_SCRIPTS_W);
  }

  async live(): Promise<void> {
    const words = this.#words;
    while (!this.#isOver) {
      const seen = Atomics.load(words, CONTROL.SCRIPT_GATE);
      Atomics.add(words, CONTROL.SCRIPT_BEAT, 1);
      this.#takeRequests();
      const wanted = this.#runTicks();
      // Loading a file needs the event loop; so do promises of scripts.
      await new Promise(setImmediate);
      if (this.#unanswered > 0 || this.#requests.fill() > 0) continue;
      Atomics.store(words, CONTROL.SCRIPT_WANTS, wanted | 0);
      Atomics.store(words, CONTROL.SCRIPT_WAITS, 1);
      if (this.#arena.frame() < wanted || !this.#isPlaying()) Atomics.wait(words, CONTROL.SCRIPT_GATE, seen, WAIT_MS);
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
    Atomics.store(words, CONTROL.SCRIPT_SAID, said | 0);
    Atomics.notify(words, CONTROL.SCRIPT_SAID);
    if (Atomics.load(words, CONTROL.SCRIPT_MODE) === 2) signal(words, CONTROL.TICK);
    return wanted;
  }

  #tick(id: string, driven: Driven): void {
    const { ticks } = driven;
    const { late } = ticks;
    Atomics.add(this.#words, CONTROL.SCRIPT_BEAT, 1);
    Atomics.store(this.#words, CONTROL.SCRIPT_CURRENT, ticks.module.address + 1);
    try {
      ticks.run();
      driven.before = undefined;
    } catch (error) {
      this.#fault(id, driven, error);
    }
    Atomics.store(this.#words, CONTROL.SCRIPT_CURRENT, 0);
    Atomics.add(this.#words, CONTROL.SCRIPT_TICKS, 1);
    if (ticks.late !== late) Atomics.add(this.#words, CONTROL.SCRIPT_LATE, ticks.late - late);
  }

  /** A tick that threw is lost; an edit whose first tick throws is undone. */
  #fault(id: string, driven: Driven, error: unknown): void {
    const { before, loaded, fault } = driven;
    let { message } = scriptError(driven.ticks.module.file, loaded.files, error);
    if (before) {
      driven.loaded = before;
      driven.before = undefined;
      driven.ticks.script = before.script;
      message += '; the script as it was before plays on';
    }
    const now = performance.now();
    if (fault?.message === message && now - fault.at < REPEAT_MS) return;
    driven.fault = { message, at: now };
    this.#say(0, { kind: 'fault', id, message });
  }

  // ── requests ──

  #takeRequests(): void {
    while (this.#requests.fill() > 0) {
      if (this.#requests.field(MESSAGE.KIND) === MESSAGE_SHUTDOWN) this.#isOver = true;
      const id = this.#requests.field(MESSAGE.ID);
      const length = this.#requests.take(this.#bytes);
      if (this.#isOver) return;
      const request = JSON.parse(new TextDecoder().decode(this.#bytes.slice(0, length))) as ScriptRequest;
      this.#unanswered++;
      this.#answers = this.#answers.then(async () => {
        this.#say(id, await this.#answer(request).catch((error: Error): ScriptReport => ({ kind: 'failed', message: error.message })));
        this.#unanswered--;
      });
    }
  }

  async #answer(request: ScriptRequest): Promise<ScriptReport> {
    switch (request.kind) {
      case 'load':
        return { kind: 'done', files: (await this.#load(request.file)).files };
      case 'bind':
        return this.#bind(request.module);
      case 'unbind':
        this.#driven.delete(request.id);
        return { kind: 'done', files: [] };
    }
  }

  /** Loads a file, and lets it drive the modules that it drove before. @throws ScriptError; then nothing has changed */
  async #load(file: string): Promise<LoadedScript> {
    const loaded = await loadScript(file);
    for (const driven of this.#driven.values()) if (driven.ticks.module.file === file) this.#use(driven, loaded);
    this.#loaded.set(file, loaded);
    return loaded;
  }

  #bind(module: BoundModule): ScriptReport {
    const loaded = this.#loaded.get(module.file)!;
    const driven = this.#driven.get(module.id);
    if (driven?.ticks.module.file === module.file) {
      driven.ticks.move(module);
    } else {
      const ticks = new ModuleTicks(module, this.#arena);
      const fresh: Driven = { ticks, loaded, before: undefined, fault: undefined };
      this.#use(fresh, loaded);
      fresh.before = undefined;
      this.#driven.set(module.id, fresh);
    }
    return { kind: 'done', files: [] };
  }

  /** @throws ScriptError when its `setup` throws */
  #use(driven: Driven, loaded: LoadedScript): void {
    const { ticks } = driven;
    Atomics.store(this.#words, CONTROL.SCRIPT_CURRENT, ticks.module.address + 1);
    try {
      loaded.script.setup?.(ticks);
    } catch (error) {
      throw scriptError(ticks.module.file, loaded.files, error);
    } finally {
      Atomics.store(this.#words, CONTROL.SCRIPT_CURRENT, 0);
    }
    driven.before = driven.loaded;
    driven.loaded = loaded;
    driven.fault = undefined;
    ticks.script = loaded.script;
  }

  #say(id: number, report: ScriptReport): void {
    const { written = 0 } = new TextEncoder().encodeInto(JSON.stringify(short(report)), this.#bytes);
    this.#responses.send(MESSAGE_RESPONSE, id, this.#arena.frame(), this.#bytes, written);
  }
}

/** Fits into a message, whatever a script throws. */
const short = (report: ScriptReport): ScriptReport => ('message' in report ? { ...report, message: report.message.slice(0, 800) } : report);

export default (task: ScriptTask): Promise<void> => new ScriptThread(task).live();
