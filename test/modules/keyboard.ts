// A keyboard for tests: notes, parameters and levels for one `keys` module, played by its kernel in blocks as the engine would.
import { keys } from '#modules/keys.js';
import { playNote } from '#src/realtime/notes.js';
import { NOTE, STEP } from '#src/shared/layout.js';
import { noteAt } from '#src/realtime/params.js';
import { Rig, type RigOptions } from '../rig.js';

const bits = new DataView(new ArrayBuffer(4));
export const bitsOf = (x: number): number => (bits.setFloat32(0, x), bits.getInt32(0));

/** What happens at a frame: a note (velocity 0 ends it, key −1 all), or parameters. */
export interface Happening {
  readonly frame: number;
  readonly key?: number;
  /** Volts; the key's semitones from middle C unless given. */
  readonly pitch?: number;
  /** 0..1; 1 unless given. */
  readonly velocity?: number;
  /** Frames, 0 = until ended. */
  readonly lasts?: number;
  /** Parameters set: an enum by its index. */
  readonly set?: Readonly<Record<string, number>>;
}

export const on = (frame: number, key: number, lasts = 0, velocity = 1): Happening => ({ frame, key, lasts, velocity });
export const off = (frame: number, key: number): Happening => ({ frame, key, velocity: 0 });
export const pitchOfKey = (key: number): number => Math.fround((key - 60) / 12);

export interface Performance {
  readonly frames: number;
  readonly block?: number;
  /** Volts at input `level`, by voice and frame. */
  readonly level?: (voice: number, frame: number) => number;
  readonly outputs?: RigOptions['outputs'];
}
type Setting = Performance & Pick<RigOptions, 'voices' | 'backEnd' | 'params'>;

export class Keyboard {
  readonly rig: Rig;
  /** Word index of the module's state. */
  readonly state: number;
  readonly frames: number;

  constructor({ frames, voices = 1, params, backEnd, level, outputs }: Setting) {
    const poly = voices > 1 ? 'p' : 'm';
    this.frames = frames;
    this.rig = new Rig(keys, {
      voices,
      maxFrames: frames,
      inputs: level ? { level: poly } : {},
      ...(params ? { params } : {}),
      ...(backEnd ? { backEnd } : {}),
      ...(outputs ? { outputs } : {}),
    });
    if (level) for (let voice = 0; voice < voices; voice++) this.rig.input('level', (frame) => level(voice, frame), { voice });
    this.state = this.rig.ints[this.rig.step / 4 + STEP.STATE]! / 4;
  }

  /** Plays happenings, in order of their frames, in blocks that they split. */
  play(happenings: readonly Happening[], block = 64): this {
    let frame = 0;
    const goTo = (end: number): void => {
      while (frame < end) {
        const next = Math.min(end, (Math.floor(frame / block) + 1) * block);
        this.rig.run(next, next - frame, frame);
        frame = next;
      }
    };
    for (const happening of happenings) {
      goTo(happening.frame);
      this.happen(happening);
    }
    goTo(this.frames);
    return this;
  }

  happen({ key, pitch = pitchOfKey(key ?? 0), velocity = 1, lasts = 0, set = {} }: Happening): void {
    const { ints, floats } = this.rig;
    for (const [name, value] of Object.entries(set)) this.rig.set(name, value);
    if (key !== undefined) playNote(ints, floats, this.state, key, bitsOf(pitch), bitsOf(velocity), lasts);
  }

  output(name: string, voice = 0): Float32Array {
    return this.rig.output(name, { voice });
  }

  /** The key that each voice plays or has played last; −1 = none. */
  keysOf(): number[] {
    return Array.from({ length: this.rig.voices }, (_, voice) => this.rig.ints[noteAt(this.rig.ints, this.state, NOTE.KEY, voice)]!);
  }
}

/** Plays happenings on a new keyboard. */
export const perform = (happenings: readonly Happening[], setting: Setting): Keyboard =>
  new Keyboard(setting).play(happenings, setting.block);

/** Frames at which a gate rises, and falls. */
export const rises = (gate: Float32Array): number[] => [...gate.keys()].filter((i) => gate[i]! > 1 && !(gate[i - 1]! > 1));
export const falls = (gate: Float32Array): number[] => [...gate.keys()].filter((i) => gate[i]! <= 1 && gate[i - 1]! > 1);
