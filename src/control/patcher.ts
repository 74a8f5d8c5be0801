// The patch that plays, and edits on their way to it.
//
// An edit is made on a draft, checked there, and played; only then is the draft the patch. Edits queue up, and one that fails leaves everything as it was.
// Those that wait for another to play are played together, with one plan, yet each succeeds or fails by itself.
// Parameter changes do not wait for edits: they go to the patch at once, and once more to the draft of the edit under way.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ParamChange } from '../osc/protocol.js';
import { KrellError } from '../errors.js';
import { CONTROL, RUN_PLAYING } from '../shared/layout.js';
import { beatAt, type BeatMap } from '../shared/beat.js';
import { readFrame } from '../shared/frame.js';
import type { Arena } from './arena.js';
import type { Commands, RecallOptions, SetOptions } from './commands.js';
import { applyEdits, isStructural, type Edit } from './edits.js';
import type { EditEvent } from './events.js';
import type { ModuleHealth } from './info.js';
import type { Instances } from './instances.js';
import { CABLE_FADE_S, nextScene, type FadeOut, type LiveModule } from './live.js';
import { applyChanges, copyPatch, emptyPatch, recallValues, setParam, snapshotValues, type Patch } from './patch/index.js';
import { ParamMoves } from './param-moves.js';
import type { Player } from './player.js';
import type { Registry } from './registry.js';
import { stopped } from './stopped.js';

/** What a patcher works with. */
export interface PatcherContext {
  readonly arena: Arena;
  readonly registry: Registry;
  readonly instances: Instances;
  readonly player: Player;
  readonly commands: Commands;
  readonly sampleRate: number;
  readonly blockFrames: number;
  readonly channels: number;
  readonly maxModules: number;
  /** An edit plays. */
  readonly onEdit: (edit: EditEvent) => void;
}

/** Another patch. `prepare`: what there is to do before it can play, when its turn has come. */
interface Load {
  readonly patch: Patch;
  readonly prepare: () => Promise<void>;
}
/** What somebody waits for: edits to be carried out as one, or another patch. */
type Wish = ({ readonly edits: readonly Edit[] } | Load) & {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/** Milliseconds after which cables have faded out. */
const FADED_MS = CABLE_FADE_S * 1000 * 2;
/** How often an edit waits for what fades out to be gone, for want of memory. */
const PATIENCE = 10;
/** Milliseconds until gains for which there was no room are tried again. */
const RETRY_MS = 100;

export class Patcher {
  readonly #context: PatcherContext;
  readonly #moves: ParamMoves;
  #patch: Patch = emptyPatch();
  #beats: BeatMap = { frame: 0, beat: 0, tempo: this.#patch.tempo };
  readonly #health = new WeakMap<LiveModule, ModuleHealth>();
  readonly #waiting: Wish[] = [];
  /** Those that are being fulfilled. */
  #underWay: readonly Wish[] = [];
  #isWorking = false;
  /** Parameter changes made while an edit is on its way, to be made in its draft too. */
  #meanwhile: ((draft: Patch) => void)[] | undefined;
  /** Something fades out, or has: there is to be another scene without it. */
  #settling: NodeJS.Timeout | undefined;
  #isUnsettled = false;
  #isStopped = false;

  constructor(context: PatcherContext) {
    this.#context = context;
    this.#moves = new ParamMoves(context, () => this.#patch);
  }

  get patch(): Patch {
    return this.#patch;
  }

  get beats(): BeatMap {
    return this.#beats;
  }

  /** The record of a module that plays, or did. */
  healthOf(module: LiveModule): ModuleHealth {
    return this.#health.get(module)!;
  }

  /** Refuses what waits and what is under way. */
  stop(): void {
    this.#isStopped = true;
    this.#moves.stop();
    clearTimeout(this.#settling);
    for (const { reject } of [...this.#underWay, ...this.#waiting.splice(0)]) reject(stopped());
  }

  /** Carries out edits as one: all, or none. @throws PatchError, KrellError */
  edit(edits: readonly Edit[]): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ edits: [...edits], resolve, reject }));
  }

  /** Plays another patch. Modules of the same id, type and voices keep their state and take the new parameters. @throws KrellError */
  load(patch: Patch, prepare: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ patch, prepare, resolve, reject }));
  }

  /** Sets a parameter, in the patch and in what plays. @throws PatchError, KrellError */
  set(id: string, param: string, value: unknown, options: SetOptions): void {
    const { registry, commands } = this.#context;
    commands.check(options, this.#frame);
    const values = this.#write((patch) => setParam(patch, registry, id, param, value, options.voice));
    commands.setParams(this.#moves.live({ id, param, values }), options);
  }

  /** Sets all parameters of a snapshot: at one frame, but for thousands. @throws PatchError, KrellError; then none is set */
  async recall(name: string, options: RecallOptions): Promise<void> {
    const { registry, commands } = this.#context;
    commands.check(options, this.#frame);
    const recalled = snapshotValues(this.#patch, name);
    const changes = recalled.flatMap((value) => this.#moves.live(value));
    const isOne = options.at !== undefined || commands.pieces(changes).length === 1;
    if (isOne) commands.setParams(changes, options);
    this.#write((patch) => recallValues(patch, registry, recalled));
    if (!isOne) await this.#moves.send(changes, options);
  }

  /** Notes parameter values that play already. */
  applyChanges(changes: readonly ParamChange[]): void {
    this.#write((patch) => applyChanges(patch, this.#context.registry, changes));
  }

  // ── on the way ──

  /** Changes parameters in the patch now, in those to be loaded, and in the draft of the edit under way when that is done. */
  #write<T>(change: (patch: Patch) => T): T {
    const result = change(this.#patch);
    this.#meanwhile?.push(change);
    for (const wish of [...this.#underWay, ...this.#waiting]) if ('patch' in wish) replay(change, wish.patch);
    return result;
  }

  #enqueue(wish: Wish): void {
    if (this.#isStopped) return wish.reject(stopped());
    this.#waiting.push(wish);
    void this.#work();
  }

  /** Fulfils what is wished for; when nobody waits, drops what has faded out. */
  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    // All that is asked for at one moment goes together.
    await undefined;
    while (!this.#isStopped) {
      if (this.#waiting.length > 0) {
        this.#underWay = this.#takeTogether();
        await this.#fulfil(this.#underWay);
        this.#underWay = [];
      }
      // What could not be dropped now is silent and stays until the next edit.
      else if (this.#isUnsettled) await this.#playScene(this.#patch).catch(() => (this.#isUnsettled = false));
      else break;
    }
    this.#isWorking = false;
  }

  /** The first wish, and those that can go with it: edits, no module made or removed by two of them, which would not be as one after the other. */
  #takeTogether(): Wish[] {
    const ids = new Set<string>();
    let count = 0;
    for (const wish of this.#waiting) {
      if ('patch' in wish) break;
      const own = wish.edits.flatMap((edit) => (edit.kind === 'create' || edit.kind === 'remove' ? [edit.id] : []));
      if (own.some((id) => ids.has(id))) break;
      for (const id of own) ids.add(id);
      count++;
    }
    return this.#waiting.splice(0, Math.max(1, count));
  }

  /**
   * Plays wishes with one plan. Where that cannot be had, half of them at a time, until the one that is to blame is alone: those that are wrong
   * together with it may be right without. `patience`: how often to wait for memory.
   */
  async #fulfil(wishes: readonly Wish[], patience = PATIENCE): Promise<void> {
    const before = this.#patch;
    let draft = before;
    const right: Wish[] = [];
    const wrong: (() => void)[] = [];
    for (const wish of wishes)
      try {
        if ('patch' in wish) await wish.prepare();
        draft = this.#draft(draft, wish);
        right.push(wish);
      } catch (error) {
        wrong.push(() => wish.reject(error));
      }
    if (right.length > 0 && !this.#isStopped)
      try {
        await this.#adopt(
          draft,
          right.some((wish) => 'patch' in wish || wish.edits.some(isStructural)),
        );
      } catch (error) {
        if (this.#isStopped || (error as KrellError).code === 'stuck') return wishes.forEach(({ reject }) => reject(error));
        const [first] = right as [Wish];
        if (right.length === 1) {
          if (isShort(error) && patience > 0 && (await this.#makeRoom())) return this.#fulfil(wishes, patience - 1);
          first.reject(error);
        }
        const rest = right.length === 1 ? wishes.filter((wish) => wish !== first) : wishes;
        const half = right.length === 1 ? rest.length : rest.indexOf(right[right.length >> 1]!);
        await this.#fulfil(rest.slice(0, half));
        return this.#fulfil(rest.slice(half));
      }
    for (const reject of wrong) reject();
    for (const wish of right) await this.#followUp(before, wish).then(wish.resolve, wish.reject);
  }

  /**
   * The patch as it is wished for, in the place of `from`. A single edit that throws has changed nothing, so that what is a draft already needs
   * no copy for it. @throws PatchError, KrellError, with nothing changed
   */
  #draft(from: Patch, wish: Wish): Patch {
    const { registry, maxModules } = this.#context;
    const count = (kind: Edit['kind']): number => ('edits' in wish ? wish.edits.filter((edit) => edit.kind === kind).length : 0);
    const size = 'patch' in wish ? wish.patch.modules.size : from.modules.size + count('create') - count('remove');
    if (size > maxModules)
      throw new KrellError('modules', `${size} modules are more than the ${maxModules} this engine may have`, {
        hint: 'remove some, or create the engine with a larger maxModules',
      });
    if ('patch' in wish) return wish.patch;
    const draft = from !== this.#patch && wish.edits.length === 1 ? from : copyPatch(from);
    applyEdits(draft, registry, wish.edits);
    return draft;
  }

  /** Gives modules that were there before the parameters they are to have now. */
  async #followUp(before: Patch, wish: Wish): Promise<void> {
    if ('patch' in wish) return this.#moves.move(before);
    // Removed and made again: the same module as before, but for its parameters.
    const remade = wish.edits.flatMap((edit) => (edit.kind === 'create' && before.modules.has(edit.id) ? [edit.id] : []));
    if (remade.length > 0) await this.#moves.move(before, new Set(remade));
    if (wish.edits.some(({ kind }) => kind === 'tempo')) await this.#moves.followTempo();
  }

  /** Plays a draft, if there is anything new to play, and makes it the patch. */
  async #adopt(draft: Patch, isNewScene: boolean): Promise<void> {
    this.#meanwhile = [];
    try {
      const before = this.#modules();
      if (isNewScene) await this.#playScene(draft);
      for (const again of this.#meanwhile) replay(again, draft);
      this.#patch = draft;
      this.#followTempo(draft.tempo);
      this.#context.onEdit(this.#difference(before));
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** Beats count on from here at another tempo. */
  #followTempo(tempo: number): void {
    if (tempo === this.#beats.tempo) return;
    const frame = this.#frame;
    this.#beats = { frame, beat: beatAt(this.#beats, frame, this.#context.sampleRate), tempo };
  }

  /** Plays the scene for a patch; when something of the old one fades out, another follows that is without it. */
  async #playScene(patch: Patch): Promise<void> {
    const { arena, player, commands, sampleRate, blockFrames } = this.#context;
    const fadeOut: FadeOut = { end: Infinity };
    const isPlaying = Atomics.load(arena.words, CONTROL.RUN) === RUN_PLAYING;
    const change = nextScene(player.scene, patch, { ...this.#context, fade: isPlaying, frame: this.#frame, fadeOut });
    await player.play(change);
    // A full ring must not undo what plays: the scene that follows sets the gains again.
    const isBusy = !commands.setGains(change.gains);
    fadeOut.end = this.#frame + Math.ceil(CABLE_FADE_S * sampleRate) + 2 * blockFrames;
    this.#settle(isBusy ? RETRY_MS : change.fading ? FADED_MS : 0);
  }

  /** When there is to be another scene, in milliseconds, if at all: cables have faded out then. An edit that comes before makes do without. */
  #settle(afterMs: number): void {
    clearTimeout(this.#settling);
    this.#isUnsettled = false;
    const settle = (): void => {
      this.#isUnsettled = true;
      void this.#work();
    };
    this.#settling = afterMs > 0 && !this.#isStopped ? setTimeout(settle, afterMs).unref() : undefined;
  }

  /** Waits until what fades out is gone, for the sake of its memory. @returns whether there may be more now */
  async #makeRoom(): Promise<boolean> {
    const { player } = this.#context;
    if (this.#settling === undefined) return player.freed();
    await sleep(FADED_MS);
    await this.#playScene(this.#patch).catch(() => {});
    await player.freed();
    return true;
  }

  /** Compares the modules that play with those that did, and begins the record of new ones. */
  #difference(before: ReadonlyMap<string, LiveModule>): EditEvent {
    const after = this.#modules();
    const ids = [...after.keys()];
    const added = ids.filter((id) => !before.has(id));
    const changed = ids.filter((id) => before.has(id) && before.get(id) !== after.get(id));
    const removed = [...before.keys()].filter((id) => !after.has(id));
    for (const id of [...added, ...changed]) this.#health.set(after.get(id)!, { since: this.#frame, faults: 0, bypassed: false });
    return { kind: 'edit', added, removed, changed };
  }

  #modules(): ReadonlyMap<string, LiveModule> {
    return this.#context.player.scene.modules;
  }

  get #frame(): number {
    return readFrame(this.#context.arena.words, CONTROL.FRAME_LO);
  }
}

/** Whether there was no room for something: there may be when what has been removed is gone. */
const isShort = (error: unknown): boolean => error instanceof KrellError && (error.code === 'memory' || error.code === 'modules');

/** A change of a module that the edit has made another, or has removed, is of no use any more. */
function replay(change: (draft: Patch) => void, draft: Patch): void {
  try {
    change(draft);
  } catch (error) {
    if (!(error instanceof KrellError)) throw error;
  }
}
