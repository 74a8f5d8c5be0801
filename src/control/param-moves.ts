// Values of parameters, brought from the patch to the modules that play.
import { KrellError } from '../errors.js';
import type { Commands, InstanceChange, RecallOptions } from './commands.js';
import type { Instances } from './instances.js';
import { initialParams, type LiveModule } from './live.js';
import { isCounter, type Patch, type SnapshotValue } from './patch/index.js';
import type { Player } from './player.js';
import type { Registry } from './registry.js';
import { stopped } from './stopped.js';

export interface ParamMovesContext {
  readonly registry: Registry;
  readonly instances: Instances;
  readonly player: Player;
  readonly commands: Commands;
}

export class ParamMoves {
  readonly #context: ParamMovesContext;
  /** The patch as it is at the moment. */
  readonly #now: () => Patch;
  #isStopped = false;

  constructor(context: ParamMovesContext, patch: () => Patch) {
    this.#context = context;
    this.#now = patch;
  }

  get #patch(): Patch {
    return this.#now();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** A change of what plays; none when an edit under way has just made the module another: it has the new values already. */
  live({ id, param, values }: SnapshotValue): InstanceChange[] {
    const instance = this.#modules().get(id)?.instance;
    const index = instance ? this.#context.registry.paramIndex(instance.definition.type, param) : -1;
    return instance && index >= 0 ? [{ instance, param: index, values }] : [];
  }

  /** Modules of another patch, all or some, take the parameters of this one. */
  move(before: Patch, ids?: ReadonlySet<string>): Promise<void> {
    const { instances } = this.#context;
    const changes: InstanceChange[] = [];
    for (const { id, instance } of this.#modules().values()) {
      if (ids && !ids.has(id)) continue;
      const { definition } = instance;
      const [old, wanted] = [before.modules.get(id), this.#patch.modules.get(id)!];
      const isSame = old?.type === wanted.type && old.voices === wanted.voices;
      const names = Object.keys(definition.params);
      const said = isSame ? initialParams(definition, old.params, before.tempo) : undefined;
      initialParams(definition, wanted.params, this.#patch.tempo).forEach((values, param) => {
        if (isCounter(definition, names[param]!)) return;
        const now = instances.targets(instance, param);
        // What was set a moment ago is in the patch of before, and perhaps not in the module yet.
        const isThere = (value: number, voice: number): boolean =>
          isFloat(value, of(values, voice)) && (!said || isFloat(of(said[param]!, voice), of(values, voice)));
        if (!now.every(isThere)) changes.push({ instance, param, values });
      });
    }
    return this.send(changes);
  }

  /** Gives the tempo to what follows it. */
  followTempo(): Promise<void> {
    const changes: InstanceChange[] = [];
    for (const { id, instance } of this.#modules().values())
      Object.entries(instance.definition.params).forEach(([name, spec], param) => {
        if (spec.kind === 'number' && spec.follows === 'tempo' && !this.#patch.modules.get(id)!.params.has(name))
          changes.push({ instance, param, values: [this.#patch.tempo] });
      });
    return this.send(changes);
  }

  /**
   * Sets parameters to what the patch says: all in one block, or where they are too many for that in several. Which, `changes` tells; the values may
   * be others when their turn comes, for the patch may have been changed meanwhile.
   */
  async send(changes: readonly InstanceChange[], options: RecallOptions = {}): Promise<void> {
    const { commands } = this.#context;
    const pieces = commands.pieces(changes);
    for (const [i, piece] of pieces.entries()) {
      const isFirst = i === 0 && commands.hasRoom(piece);
      if (!isFirst && !(await commands.taken()))
        throw new KrellError('busy', `${pieces.slice(i).flat().length} parameters could not be set: too many changes wait to be played`, {
          hint: 'set fewer of them for a time to come',
        });
      if (this.#isStopped) throw stopped();
      commands.setParams(
        piece.flatMap((change) => this.#asInPatch(change)),
        options,
      );
    }
  }

  #asInPatch({ instance, param }: InstanceChange): InstanceChange[] {
    const module = this.#modules().get(instance.name);
    if (module?.instance !== instance) return [];
    const { params } = this.#patch.modules.get(module.id)!;
    return [{ instance, param, values: initialParams(instance.definition, params, this.#patch.tempo)[param]! }];
  }

  #modules(): ReadonlyMap<string, LiveModule> {
    return this.#context.player.scene.modules;
  }
}

/** One of a parameter's values, which are one for all voices or one per voice. */
const of = (values: readonly number[], voice: number): number => values[values.length === 1 ? 0 : voice]!;

/** Whether two numbers are the same to the engine. */
const isFloat = (a: number, b: number): boolean => Math.fround(a) === Math.fround(b);
