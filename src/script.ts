// What a script is: a file that a module of type `script` runs, off the audio threads, at ticks of the sample clock.
// Its `defineScript` comes from the package's entry `krell/script`.
//
//   export default defineScript({
//     tick(ctx) {
//       if (ctx.every(0.25)) {
//         ctx.cv(1, Math.floor(ctx.random() * 12) / 12);
//         ctx.pulse(1, 0.1);
//       }
//     },
//   });

/** What a script sees and does at a tick. What it sets is heard two ticks later, on that tick's sample. */
export interface ScriptContext {
  /** The tick's frame; ticks are `rate` per second, from frame 0. */
  readonly frame: number;
  /** The same in seconds and in beats of the patch's tempo, which count on when that changes. */
  readonly seconds: number;
  readonly beat: number;
  readonly sampleRate: number;
  /** Ticks a second. */
  readonly rate: number;
  /** Yours, and kept when the script is edited. */
  state: Record<string, any>;
  /** Sets output `cv1`..`cv8`, in volts (−10..10). */
  cv(output: number, volts: number): void;
  /** Opens or closes output `gate1`..`gate8`. */
  gate(output: number, isOpen: boolean): void;
  /** Opens output `gate1`..`gate8` for a time, exact to the sample. One that is open closes for a millisecond first. */
  pulse(output: number, seconds: number): void;
  /** Where `knob1`..`knob4` stands, 0..1. */
  knob(number: number): number;
  /** 0 ≤ number < 1, the same sequence for the same seed of the patch. */
  random(): number;
  /** Whether a multiple of so many beats lies between this tick and the next: at the tick before the beat, at once when on it. */
  every(beats: number): boolean;
}

export interface Script {
  /** Once, before the first tick, and again after each edit. What it sets is heard with the first tick. */
  setup?(ctx: ScriptContext): void;
  tick(ctx: ScriptContext): void;
  /** What becomes of values that come too late, because the machine was busy; `apply` unless given. */
  readonly late?: 'apply' | 'drop';
}

/** Declares a script; the default export of its file. */
export const defineScript = (script: Script): Script => script;
