// A patch in memory: what the engine builds its plan from.
import type { JsonObject } from './parse.js';

export interface Patch {
  title: string;
  /** BPM. */
  tempo: number;
  seed: number;
  readonly modules: Map<string, PatchModule>;
  /** In the order of `document.cables`. */
  readonly cables: PatchCable[];
  readonly snapshots: Map<string, SnapshotValue[]>;
  /** OSC addresses of the user's own choice. */
  readonly osc: Map<string, OscAlias>;
  /** The file as it was written, in the newest format; edits keep it in step. */
  readonly document: JsonObject;
}

export interface PatchModule {
  readonly id: string;
  readonly type: string;
  /** 1..16 */
  readonly voices: number;
  /**
   * Only the parameters the file gives, as the engine's numbers in the parameter's own unit (an enum's index, a toggle's
   * 0 or 1): one number for all voices, or one per voice.
   */
  readonly params: Map<string, number[]>;
  /** Of a module of role `script`: the file, as the patch names it; once an engine has loaded that, its full path. */
  readonly script?: string;
}

export interface PatchCable {
  readonly from: Port;
  readonly to: Port;
  readonly gain: number;
}
export interface Port {
  readonly id: string;
  readonly port: string;
}

/** A parameter's values in a snapshot: one for all voices, or one per voice. */
export interface SnapshotValue {
  readonly id: string;
  readonly param: string;
  readonly values: number[];
}

export interface OscAlias {
  readonly id: string;
  readonly param: string;
  /** What 0 and 1 at the address mean, in the parameter's own unit; the whole range unless the file says otherwise. */
  readonly range: readonly [number, number];
}

export const DEFAULT_TEMPO = 120;
export const DEFAULT_SEED = 1;
