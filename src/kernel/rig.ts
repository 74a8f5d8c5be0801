// One module alone, outside the engine: for tests, benches and module authors.
import type { ModuleDefinition } from '../module.js';
import { PARAM, STATE, STEP } from '../shared/layout.js';
import { encodeKernel } from './wasm/backend.js';
import { perLane } from './shape.js';
import { kernelShape, makeJsKernel, portOrder, stateBytes, tableLayout, type InputKind, type KernelShape } from './index.js';
import { defaultValue, writeState } from './state.js';

export type BackEnd = 'wasm' | 'js';

export interface RigOptions {
  readonly voices?: number;
  /** Runs the module in these lanes of a shared state, as monophonic modules of their own, in place of voices. */
  readonly packed?: readonly number[];
  readonly sampleRate?: number;
  /** Plugged inputs and how each is fed; the rest are unplugged. `m` when only names are given. */
  readonly inputs?: Readonly<Record<string, InputKind>> | readonly string[];
  /** Used outputs; all unless given. */
  readonly outputs?: readonly string[];
  /** Parameter values, an enum's index, or an array with one per voice. */
  readonly params?: Readonly<Record<string, number | readonly number[]>>;
  readonly seed?: number;
  readonly backEnd?: BackEnd;
  /** Source file, when it is not modules/<type>.ts. */
  readonly path?: string;
  readonly maxFrames?: number;
}

const ARENA_START = 1024;

export class Rig {
  readonly shape: KernelShape;
  readonly voices: number;
  readonly memory: WebAssembly.Memory;
  readonly floats: Float32Array;
  readonly ints: Int32Array;
  readonly #step = ARENA_START;
  readonly #state: number;
  readonly #maxFrames: number;
  /** Byte address and bytes between groups of each port. */
  readonly #ports = new Map<string, { address: number; stride: number }>();
  /** The kernel itself: `run(step, offset, frames)`. */
  readonly kernel: (step: number, offset: number, frames: number) => void;

  constructor(
    readonly definition: ModuleDefinition,
    options: RigOptions = {},
  ) {
    const { packed, voices = packed ? 4 : 1, sampleRate = 48_000, maxFrames = 48_000, params = {}, seed = 1, backEnd = 'wasm' } = options;
    this.voices = voices;
    this.#maxFrames = maxFrames;
    const given = options.inputs ?? {};
    const kinds: Record<string, InputKind> = Array.isArray(given)
      ? Object.fromEntries(given.map((name) => [name, 'm']))
      : { ...(given as Record<string, InputKind>) };
    this.shape = kernelShape(
      definition,
      {
        sampleRate,
        voices,
        packed,
        inputs: Object.keys(definition.inputs).map((name) => kinds[name] ?? '-'),
        outputs: Object.keys(definition.outputs).map((name) => options.outputs?.includes(name) ?? true),
      },
      options.path,
    );
    const { layout } = this.shape;
    const order = portOrder(this.shape);
    const tables = tableLayout(definition);
    // Addresses first, then a memory that holds them.
    let top = ARENA_START + (STEP.PORTS + order.count * 2) * 4;
    const take = (bytes: number): number => {
      const at = Math.ceil(top / 64) * 64;
      top = at + bytes;
      return at;
    };
    this.#state = take(stateBytes(layout, voices));
    const tablesAt = take(tables.bytes);
    Object.keys(definition.inputs).forEach(
      (name, i) => order.inputs[i]! >= 0 && this.#ports.set(`in ${name}`, { address: take(maxFrames * 16 * 4), stride: maxFrames * 16 }),
    );
    Object.keys(definition.outputs).forEach(
      (name, i) =>
        order.outputs[i]! >= 0 &&
        this.#ports.set(`out ${name}`, { address: take(maxFrames * 16 * 4), stride: maxFrames * 4 * layout.lanes }),
    );
    const pages = Math.ceil(top / 65536);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.floats = new Float32Array(this.memory.buffer);
    this.ints = new Int32Array(this.memory.buffer);
    const step = this.#step / 4;
    this.ints[step + STEP.STATE] = this.#state;
    this.ints[step + STEP.TABLES] = tablesAt;
    Object.values(definition.tables).forEach((table, i) => this.floats.set(table, tablesAt / 4 + tables.tables[i]!.offset / 4));
    let word = step + STEP.PORTS;
    for (const [name, { address, stride }] of this.#ports) {
      const kind = this.#kind(name);
      // Each lane of a `g` or `h` input has its own pointer.
      const lanes = packed && perLane(kind) ? packed : [0];
      for (const lane of lanes) {
        this.ints[word++] = address + (kind === 'g' ? lane * stride : kind === 'h' ? lane * 4 : 0);
        this.ints[word++] = stride;
      }
    }
    const values = Object.entries(definition.params).map(([name, spec]) => {
      const value = params[name] ?? defaultValue(spec);
      return typeof value === 'number' ? [value] : value;
    });
    if (!packed) writeState(this.memory.buffer, this.#state, definition, layout, { voices, seed, params: values });
    for (const lane of packed ?? [])
      writeState(this.memory.buffer, this.#state, definition, layout, {
        voices: 1,
        lane,
        seed,
        params: values.map((all) => [all[Math.min(lane, all.length - 1)]!]),
      });
    if (backEnd === 'js') this.kernel = makeJsKernel(this.shape, this.memory.buffer);
    else
      this.kernel = new WebAssembly.Instance(new WebAssembly.Module(encodeKernel(this.shape)), {
        krell: { memory: this.memory },
      }).exports.kernel!;
  }

  /** How a port, `in <name>` or `out <name>`, is fed; outputs are as wide as the module. */
  #kind(port: string): InputKind {
    if (port.startsWith('out ')) return this.shape.layout.lanes === 1 ? 'm' : 'p';
    return this.shape.inputs[Object.keys(this.definition.inputs).indexOf(port.slice(3))]!;
  }

  /** Word index of a frame of a port. */
  #word(port: string, voice: number, frame: number): number {
    const at = this.#ports.get(port);
    if (!at) throw new RangeError(`the rig has no ${port}`);
    const kind = this.#kind(port);
    if (kind === 'm') return at.address / 4 + frame;
    if (kind === 'g') return (at.address + voice * at.stride) / 4 + frame;
    return (at.address + Math.floor(voice / 4) * at.stride) / 4 + frame * 4 + (voice % 4);
  }

  /** Fills an input from frame `at` on; a number fills to the end. `voice` matters for polyphonic kinds. */
  input(
    name: string,
    signal: number | ArrayLike<number> | ((frame: number) => number),
    options: { voice?: number; at?: number } = {},
  ): this {
    const { voice = 0, at = 0 } = options;
    const end = typeof signal === 'object' ? Math.min(this.#maxFrames, at + signal.length) : this.#maxFrames;
    for (let frame = at; frame < end; frame++)
      this.floats[this.#word(`in ${name}`, voice, frame)] =
        typeof signal === 'number' ? signal : typeof signal === 'function' ? signal(frame) : signal[frame - at]!;
    return this;
  }

  /** Sets a parameter now; `ramp` in frames. */
  set(name: string, value: number, ramp = 0): this {
    const { layout } = this.shape;
    const vector = layout.params[Object.keys(this.definition.params).indexOf(name)];
    if (vector === undefined) throw new RangeError(`${this.definition.type} has no param ${name}`);
    for (let lane = 0; lane < Math.ceil(this.voices / layout.lanes) * layout.lanes; lane++) {
      const at = (part: number): number =>
        (this.#state + STATE.HEADER_BYTES + Math.floor(lane / layout.lanes) * layout.groupBytes) / 4 +
        (vector + part) * layout.lanes +
        (lane % layout.lanes);
      this.floats[at(PARAM.TARGET)] = value;
      this.floats[at(PARAM.STEP)] = Math.fround((this.floats[at(PARAM.TARGET)]! - this.floats[at(PARAM.VALUE)]!) / Math.max(1, ramp));
      this.ints[at(PARAM.REMAINING)] = ramp;
      if (ramp === 0) this.floats[at(PARAM.VALUE)] = value;
    }
    for (const lane of this.shape.packed ? this.shape.active : [0]) {
      const header = this.#state / 4 + STATE.RAMP_FRAMES + lane;
      this.ints[header] = Math.max(this.ints[header]!, ramp);
    }
    return this;
  }

  /** Computes frames [from, to) in blocks of `block`. */
  run(to: number, block = to, from = 0): this {
    for (let frame = from; frame < to; frame += block) this.kernel(this.#step, frame, Math.min(block, to - frame));
    return this;
  }

  /** What an output holds: one voice, frames [from, to). */
  output(name: string, options: { voice?: number; from?: number; to?: number } = {}): Float32Array {
    const { voice = 0, from = 0, to = this.#maxFrames } = options;
    const out = new Float32Array(to - from);
    for (let frame = from; frame < to; frame++) out[frame - from] = this.floats[this.#word(`out ${name}`, voice, frame)]!;
    return out;
  }

  /** The module's whole state, for comparing. */
  state(): Uint8Array {
    const bytes = stateBytes(this.shape.layout, this.voices);
    return new Uint8Array(this.memory.buffer).slice(this.#state, this.#state + bytes);
  }

  /** Byte address of the STEP record, for calling `kernel`. */
  get step(): number {
    return this.#step;
  }
}
