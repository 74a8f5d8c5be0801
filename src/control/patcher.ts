// The patch that plays, and edits on their way to it.
//
// An edit is made on a draft, checked there, and played; only then is the draft the patch. Edits queue up, and one that fails leaves everything as it was.
// Those that wait for another to play are played together, with one plan, yet each succeeds or fails by itself.
// Parameter changes do not wait for edits: they go to the patch at once, and once more to the draft of the edit under way.
import type { ParamChange } from '../osc/protocol.js';
import { KrellError } from '../errors.js';
import { CONTROL, RUN_PLAYING } from '../shared/layout.js';
import { readFrame } from '../shared/frame.js';
import type { Arena } from './arena.js';
import type { Commands, InstanceChange, RecallOptions, SetOptions } from './commands.js';
import { applyEdits, isStructural, type Edit } from './edits.js';
import type { EditEvent } from './events.js';
import type { ModuleHealth } from './info.js';
import type { Instances } from './instances.js';
import { CABLE_FADE_S, initialParams, nextScene, type FadeOut, type LiveModule } from './live.js';
import {
  applyChanges,
  copyPatch,
  emptyPatch,
  isCounter,
  recallValues,
  setParam,
  snapshotValues,
  type Patch,
  type SnapshotValue,
} from './patch/index.js';
import type { Player } from './player.js';
import type { Registry } from './registry.js';

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

/** What somebody waits for: edits to be carried out as one, or another patch. */
type Wish = ({ readonly edits: readonly Edit[] } | { readonly patch: Patch }) & {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

export class Patcher {
  readonly #context: PatcherContext;
  #patch: Patch = emptyPatch();
  readonly #health = new WeakMap<LiveModule, ModuleHealth>();
  readonly #waiting: Wish[] = [];
  #isWorking = false;
  /** Parameter changes made while an edit is on its way, to be made in its draft too. */
  #meanwhile: ((draft: Patch) => void)[] | undefined;
  /** Something fades out, or has: there is to be another scene without it. */
  #settling: NodeJS.Timeout | undefined;
  #isUnsettled = false;
  #isStopped = false;

  constructor(context: PatcherContext) {
    this.#context = context;
  }

  get patch(): Patch {
    return this.#patch;
  }

  /** The record of a module that plays, or did. */
  healthOf(module: LiveModule): ModuleHealth {
    return this.#health.get(module)!;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#settling);
  }

  /** Carries out edits as one: all, or none. @throws PatchError, KrellError */
  edit(edits: readonly Edit[]): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ edits, resolve, reject }));
  }

  /** Plays another patch. Modules of the same id, type and voices keep their state and take the new parameters. @throws KrellError */
  load(patch: Patch): Promise<void> {
    return new Promise((resolve, reject) => this.#enqueue({ patch, resolve, reject }));
  }

  /** Sets a parameter, in the patch and in what plays. @throws PatchError, KrellError */
  set(id: string, param: string, value: unknown, options: SetOptions): void {
    const { registry, commands } = this.#context;
    commands.check(options, this.#frame);
    const values = this.#write((patch) => setParam(patch, registry, id, param, value, options.voice));
    commands.setParams(this.#live({ id, param, values }), options);
  }

  /** Sets all parameters of a snapshot at one frame. @throws PatchError, KrellError; then none is set */
  recall(name: string, options: RecallOptions): void {
    const { registry, commands } = this.#context;
    commands.check(options, this.#frame);
    const recalled = snapshotValues(this.#patch, name);
    commands.setParams(
      recalled.flatMap((value) => this.#live(value)),
      options,
    );
    this.#write((patch) => recallValues(patch, registry, recalled));
  }

  /** Notes parameter values that play already. */
  applyChanges(changes: readonly ParamChange[]): void {
    this.#write((patch) => applyChanges(patch, this.#context.registry, changes));
  }

  // ── on the way ──

  /** Changes parameters in the patch now, and in the draft of the edit under way when that is done. */
  #write<T>(change: (patch: Patch) => T): T {
    const result = change(this.#patch);
    this.#meanwhile?.push(change);
    return result;
  }

  #enqueue(wish: Wish): void {
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
      if (this.#waiting.length > 0) await this.#fulfil(this.#takeTogether());
      // What could not be dropped now is silent and stays until the next edit.
      else if (this.#isUnsettled) await this.#playScene(this.#patch).catch(() => (this.#isUnsettled = false));
      else break;
    }
    this.#isWorking = false;
    for (const { reject } of this.#waiting.splice(0))
      reject(new KrellError('stopped', 'the engine has been stopped', { hint: 'create another' }));
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

  /** Plays wishes with one plan. Where that cannot be had, half of them at a time, until the one that is to blame is alone. */
  async #fulfil(wishes: readonly Wish[]): Promise<void> {
    const before = this.#patch;
    let draft = before;
    const right: Wish[] = [];
    for (const wish of wishes)
      try {
        draft = this.#draft(draft, wish);
        right.push(wish);
      } catch (error) {
        wish.reject(error);
      }
    if (right.length === 0) return;
    try {
      await this.#adopt(
        draft,
        right.some((wish) => 'patch' in wish || wish.edits.some(isStructural)),
      );
    } catch (error) {
      if (right.length === 1) return right[0]!.reject(error);
      const half = right.length >> 1;
      await this.#fulfil(right.slice(0, half));
      return this.#fulfil(right.slice(half));
    }
    for (const wish of right)
      try {
        this.#followUp(before, wish);
        wish.resolve();
      } catch (error) {
        wish.reject(error);
      }
  }

  /** The patch as it is wished for. @throws PatchError, KrellError, with nothing changed */
  #draft(from: Patch, wish: Wish): Patch {
    const { registry, maxModules } = this.#context;
    const draft = 'patch' in wish ? wish.patch : copyPatch(from);
    if ('edits' in wish) applyEdits(draft, registry, wish.edits);
    if (draft.modules.size > maxModules)
      throw new KrellError('modules', `${draft.modules.size} modules are more than the ${maxModules} this engine may have`, {
        hint: 'remove some, or create the engine with a larger maxModules',
      });
    return draft;
  }

  /** Gives modules that were there before the parameters they are to have now. */
  #followUp(before: Patch, wish: Wish): void {
    if ('patch' in wish) return this.#moveParams(before);
    // Removed and made again: the same module as before, but for its parameters.
    const remade = wish.edits.flatMap((edit) => (edit.kind === 'create' && before.modules.has(edit.id) ? [edit.id] : []));
    if (remade.length > 0) this.#moveParams(before, new Set(remade));
    if (wish.edits.some(({ kind }) => kind === 'tempo')) this.#followTempo();
  }

  /** Plays a draft, if there is anything new to play, and makes it the patch. */
  async #adopt(draft: Patch, isNewScene: boolean): Promise<void> {
    this.#meanwhile = [];
    try {
      const before = this.#modules();
      if (isNewScene) await this.#playScene(draft);
      for (const again of this.#meanwhile) replay(again, draft);
      this.#patch = draft;
      this.#context.onEdit(this.#difference(before));
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** Plays the scene for a patch; when something of the old one fades out, another follows that is without it. */
  async #playScene(patch: Patch): Promise<void> {
    const { arena, player, commands, sampleRate, blockFrames } = this.#context;
    const fadeOut: FadeOut = { end: Infinity };
    const isPlaying = Atomics.load(arena.words, CONTROL.RUN) === RUN_PLAYING;
    const change = nextScene(player.scene, patch, { ...this.#context, fade: isPlaying, frame: this.#frame, fadeOut });
    await player.play(change);
    // A full ring must not undo what plays: the scene that follows sets the gains again.
    const isBusy = !commands.setGains(change.gains, isPlaying);
    fadeOut.end = this.#frame + Math.ceil(CABLE_FADE_S * sampleRate) + 2 * blockFrames;
    this.#settle(change.fading || isBusy);
  }

  /** Whether there is to be another scene when cables have faded out. An edit that comes before makes do without. */
  #settle(isNeeded: boolean): void {
    clearTimeout(this.#settling);
    this.#isUnsettled = false;
    const settle = (): void => {
      this.#isUnsettled = true;
      void this.#work();
    };
    this.#settling = isNeeded ? setTimeout(settle, CABLE_FADE_S * 1000 * 2).unref() : undefined;
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

  /** Modules of another patch, all or some, that kept their state take the parameters of this one. */
  #moveParams(before: Patch, ids?: ReadonlySet<string>): void {
    const { instances, commands } = this.#context;
    const changes: InstanceChange[] = [];
    for (const { id, instance } of this.#modules().values()) {
      if (ids && !ids.has(id)) continue;
      const [old, wanted] = [before.modules.get(id), this.#patch.modules.get(id)!];
      if (old?.type !== wanted.type || old.voices !== wanted.voices) continue;
      const names = Object.keys(instance.definition.params);
      initialParams(instance.definition, wanted.params, this.#patch.tempo).forEach((values, param) => {
        if (isCounter(instance.definition, names[param]!)) return;
        const now = instances.targets(instance, param);
        if (now.some((value, voice) => value !== Math.fround(values[values.length === 1 ? 0 : voice]!)))
          changes.push({ instance, param, values });
      });
    }
    commands.setParams(changes);
  }

  /** Gives the tempo to what follows it. */
  #followTempo(): void {
    const { commands } = this.#context;
    const changes: InstanceChange[] = [];
    for (const { id, instance } of this.#modules().values())
      Object.entries(instance.definition.params).forEach(([name, spec], param) => {
        if (spec.kind === 'number' && spec.follows === 'tempo' && !this.#patch.modules.get(id)!.params.has(name))
          changes.push({ instance, param, values: [this.#patch.tempo] });
      });
    commands.setParams(changes);
  }

  #modules(): ReadonlyMap<string, LiveModule> {
    return this.#context.player.scene.modules;
  }

  /** A change of what plays; none when an edit under way has just made the module another: it has the new values already. */
  #live({ id, param, values }: SnapshotValue): InstanceChange[] {
    const instance = this.#modules().get(id)?.instance;
    const index = instance ? this.#context.registry.paramIndex(instance.definition.type, param) : -1;
    return instance && index >= 0 ? [{ instance, param: index, values }] : [];
  }

  get #frame(): number {
    return readFrame(this.#context.arena.words, CONTROL.FRAME_LO);
  }
}

/** A change of a module that the edit has made another, or has removed, is of no use any more. */
function replay(change: (draft: Patch) => void, draft: Patch): void {
  try {
    change(draft);
  } catch (error) {
    if (!(error instanceof KrellError)) throw error;
  }
}
