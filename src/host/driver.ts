// What the host thread knows of a way to get rid of sound.
import { RING_FRAMES } from '../shared/layout.js';
import type { FileResult } from './file.js';
import type { Player } from './player.js';

export const DRIVERS = ['jack', 'portaudio', 'naudiodon', 'null', 'file'] as const;
export type DriverName = (typeof DRIVERS)[number];
/** What `auto` tries, in this order, before it settles for `null`. */
export const AUTOMATIC = ['jack', 'portaudio', 'naudiodon'] as const satisfies readonly DriverName[];

/** What waits for a JACK server that hangs: PortAudio asks for one when it is loaded. */
export const JACK_CLIENTS = ['jack', 'portaudio'] as const satisfies readonly DriverName[];

/** The longest period: the output ring holds two. */
export const MAX_PERIOD_FRAMES = RING_FRAMES / 2;

/** An open device. Opening and closing may allocate, throw and take their time; `run` delivers sound. */
export interface AudioDriver {
  readonly name: DriverName;
  /** The device, for people. */
  readonly device: string;
  /** Frames it takes at a time. */
  readonly periodFrames: number;
  /** From a frame's leaving the output ring to its being heard, as far as the driver knows. */
  readonly latencyMs: number;
  /**
   * Plays what `player` gives until it says `stopped`. May block its thread, but looks at `stopped` several times a second.
   * @throws KrellError 'device-lost' when the device goes away.
   */
  run(player: Player): FileResult | void | Promise<void>;
  /** Gives the device back. Never throws. */
  close(): void;
  /** Instead of `close`, after a loss: leaves the device to another thread, for the library may not return from closing it. */
  abandon?(): Abandoned;
}

/** A device that has gone, and how it is to be opened again. */
export interface Abandoned {
  readonly driver: DriverName;
  /** Its name, where another driver than the one that lost it is to look for it. */
  readonly device?: string;
  /** What `release` in open.ts takes for it. */
  readonly handle?: bigint;
}

/** What control asks of the host: the worker's data. */
export interface HostOptions {
  /** The arena. */
  readonly memory: WebAssembly.Memory;
  /** `auto`: the first of AUTOMATIC that opens. */
  readonly driver: DriverName | 'auto';
  /** The number of this host. The one whose turn it is fails when it cannot open its device; another takes over from it, when it can. */
  readonly turn?: number;
  /** What `auto` is not to try: drivers whose library does not answer. */
  readonly hanging?: readonly DriverName[];
  /** What is to be released first. */
  readonly handle?: bigint | undefined;
  /** Number or part of the name of the device; its driver's default device otherwise. */
  readonly device?: string | undefined;
  /** Channels to take in, up to two; none unless given. */
  readonly inputs?: number | undefined;
  /** Frames per period, if the device can; the null and file drivers always can. */
  readonly periodFrames: number;
  /** For quiet.ts: one word for all hosts of the process. */
  readonly quiet?: Int32Array<SharedArrayBuffer>;
  /** For the file driver. */
  readonly file?: FileTarget | undefined;
}

/** What to write, where. */
export interface FileTarget {
  /** Without one, nothing is written, only counted and summed up. */
  readonly path?: string | undefined;
  /** Exact length. */
  readonly frames: number;
  readonly bits: WavBits;
  /** Also give the samples back, one array per channel. */
  readonly keep?: boolean;
  /** Of the dither. */
  readonly seed?: number;
}
export type WavBits = 16 | 24 | '32f';

/** What the host tells control. */
export type HostMessage =
  /** The library of a driver is about to be called by `auto`. */
  | { readonly kind: 'trying'; readonly driver: DriverName }
  | {
      readonly kind: 'open';
      readonly driver: DriverName;
      readonly device: string;
      readonly periodFrames: number;
      readonly latencyMs: number;
      /** Why it is this driver, if `auto` had to settle for it. */
      readonly reason?: string;
    }
  /** The device has gone; the host plays on without it. */
  | { readonly kind: 'lost'; readonly driver: DriverName; readonly message: string; readonly abandoned: Abandoned | undefined }
  /** Why a lost device cannot be opened again yet. */
  | { readonly kind: 'waiting'; readonly message: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'ended'; readonly file?: FileResult };
