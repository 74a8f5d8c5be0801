// A module as events find it, and what OSC has said of its parameters that others do not know yet.
import type { ModuleDefinition, ParamSpec } from '../module.js';
import type { OscModule } from './protocol.js';

/** What is to be said of a cell; bits of `Target.marks`. */
export const MARK = {
  /** `newest` waits for room in the command ring. */
  waiting: 1,
  /** Control has not been told of `newest`. */
  changed: 2,
  /** `newest` holds from now on, though the engine may not have come to it. */
  current: 4,
  /** Values are to come, at `first` to `last`; control is told of them then. */
  ahead: 8,
} as const;

/**
 * Each parameter has a cell for all voices at once, and if the module is polyphonic one per voice after it. A value for all is newer than those of
 * the voices, whose marks it erases; so the cells in their order always say what holds.
 */
export class Target {
  module: OscModule;
  readonly specs: readonly ParamSpec[];
  readonly names: readonly string[];
  readonly cells: number;
  readonly newest: Float32Array;
  readonly marks: Uint8Array;
  /** Words of the frame at which `newest` is to hold. */
  readonly frameLow: Int32Array;
  readonly frameHigh: Int32Array;
  /** Blocks computed when `newest` came. */
  readonly blocks: Int32Array;
  /** The frames of the values that lie ahead. */
  readonly first: Float64Array;
  readonly last: Float64Array;
  /** Frames that changes of each parameter take. */
  readonly ramps: Int32Array;
  /** Whether a cell may be marked `waiting`, `changed` or `ahead`. */
  hasWaiting = false;
  hasChanged = false;

  constructor(module: OscModule, definition: ModuleDefinition, sampleRate: number) {
    this.module = module;
    this.names = Object.keys(definition.params);
    this.specs = Object.values(definition.params);
    this.cells = module.voices === 1 ? 1 : module.voices + 1;
    const count = this.specs.length * this.cells;
    this.newest = new Float32Array(count);
    this.marks = new Uint8Array(count);
    this.frameLow = new Int32Array(count);
    this.frameHigh = new Int32Array(count);
    this.blocks = new Int32Array(count);
    this.first = new Float64Array(count);
    this.last = new Float64Array(count);
    this.ramps = Int32Array.from(this.specs, (spec) => (spec.kind === 'number' ? Math.round(spec.ramp * sampleRate) : 0));
  }

  /** The cell of a parameter of one voice, or of all (−1). */
  cell(param: number, voice: number): number {
    return param * this.cells + (this.cells === 1 ? 0 : voice + 1);
  }

  /** The voice that a cell is of, −1 = all. */
  voiceOf(cell: number): number {
    return (cell % this.cells) - 1;
  }

  paramOf(cell: number): number {
    return Math.floor(cell / this.cells);
  }
}
