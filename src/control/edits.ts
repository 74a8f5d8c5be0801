// Edits of a patch as data: what `engine.edit` carries out as one.
import { KrellError, PatchError } from '../errors.js';
import {
  addCable,
  addModule,
  joinPath,
  removeAlias,
  removeCable,
  removeModule,
  removeSnapshot,
  setAlias,
  setCableGain,
  setSnapshot,
  setTempo,
  setTitle,
  snapshotNow,
  type Json,
  type JsonObject,
  type Patch,
} from './patch/index.js';
import type { Registry } from './registry.js';

export type Edit =
  /** A new module; it runs from the next block on. */
  | { readonly kind: 'create'; readonly type: string; readonly id: string; readonly voices?: number; readonly params?: JsonObject }
  /** A module goes, with its cables, which fade over 5 ms. */
  | { readonly kind: 'remove'; readonly id: string }
  /** A cable from an output, `vco1.saw`, to an input, `vcf1.in`; it fades in over 5 ms. */
  | { readonly kind: 'connect'; readonly from: string; readonly to: string; readonly gain?: number }
  | { readonly kind: 'disconnect'; readonly from: string; readonly to: string }
  /** How much of a cable passes, reached within 5 ms. */
  | { readonly kind: 'gain'; readonly from: string; readonly to: string; readonly gain: number }
  | { readonly kind: 'title'; readonly title: string }
  /** Modules that follow the tempo and have none of their own go along. */
  | { readonly kind: 'tempo'; readonly bpm: number }
  /** Keeps values, `{ 'vcf1.cutoff': 8000 }`, under a name: those of all parameters as they are unless given. */
  | { readonly kind: 'snapshot'; readonly name: string; readonly values?: JsonObject }
  | { readonly kind: 'removeSnapshot'; readonly name: string }
  /** Lets an OSC address move a parameter; `range` is what 0 and 1 mean. */
  | { readonly kind: 'alias'; readonly address: string; readonly to: string; readonly range?: readonly Json[] }
  | { readonly kind: 'removeAlias'; readonly address: string };

const STRUCTURAL: ReadonlySet<Edit['kind']> = new Set(['create', 'remove', 'connect', 'disconnect', 'gain']);

/** Whether something else is to be played after the edit, not only noted. */
export const isStructural = ({ kind }: Edit): boolean => STRUCTURAL.has(kind);

/** Carries edits out on a draft, one after the other. @throws PatchError that says which of several is wrong; the draft is then of no use */
export function applyEdits(draft: Patch, registry: Registry, edits: readonly Edit[]): void {
  edits.forEach((edit, i) => {
    try {
      apply(draft, registry, edit);
    } catch (error) {
      if (edits.length === 1 || !(error instanceof PatchError)) throw error;
      const problems = error.problems.map((problem) => ({ ...problem, path: `${joinPath('edits', i)} ${problem.path}` }));
      throw new PatchError(problems, { source: 'edits' });
    }
  });
}

function apply(draft: Patch, registry: Registry, edit: Edit): void {
  switch (edit.kind) {
    case 'create': {
      const { kind: _, id, ...module } = edit;
      return void addModule(draft, registry, id, given(module));
    }
    case 'remove':
      return removeModule(draft, edit.id);
    case 'connect': {
      const { kind: _, ...cable } = edit;
      return void addCable(draft, registry, given(cable));
    }
    case 'disconnect':
      return void removeCable(draft, edit.from, edit.to);
    case 'gain':
      return void setCableGain(draft, edit.from, edit.to, edit.gain);
    case 'title':
      return setTitle(draft, edit.title);
    case 'tempo':
      return setTempo(draft, registry, edit.bpm);
    case 'snapshot':
      return setSnapshot(draft, registry, edit.name, edit.values ?? snapshotNow(draft, registry));
    case 'removeSnapshot':
      return removeSnapshot(draft, edit.name);
    case 'alias':
      return setAlias(draft, registry, edit.address, edit);
    case 'removeAlias':
      return removeAlias(draft, edit.address);
    default:
      throw new KrellError('option', `there is no edit '${String((edit as { kind: unknown }).kind)}'`, { hint: 'see the type Edit' });
  }
}

/** Without what is undefined: JSON has no such thing. */
const given = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
