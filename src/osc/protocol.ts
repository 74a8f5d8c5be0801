// What the OSC thread and control say to each other. Parameter changes, notes and triggers do not go this way: the OSC thread writes
// them straight into the arena's command ring. This is for what may take its time.
import type { ModuleDefinition } from '../module.js';
import type { BeatMap } from '../shared/beat.js';
import type { Place } from './client.js';
import type { Value } from './encode.js';

/** The OSC thread's data. */
export interface OscThreadOptions {
  readonly memory: WebAssembly.Memory;
  /** Address to listen at. */
  readonly bind: string;
  /** UDP and TCP; 0 = any free one. */
  readonly oscPort: number;
  /** HTTP (OSCQuery) and WebSocket; undefined = none, 0 = any free one. */
  readonly httpPort: number | undefined;
  /** Krell's version. */
  readonly version: string;
  /** Whether senders on this machine count as registered; tests of the rules for strangers say no. */
  readonly trustLoopback: boolean;
  /** Who was registered over UDP when the thread before this one died. */
  readonly registered: readonly Registration[];
}

/** A UDP sender that wants to be told, and at which of its ports. */
export interface Registration extends Place {
  readonly at: number;
}

/** A living module, as much of it as OSC needs: where its parameters are and where changes of them go. */
export interface OscModule {
  readonly id: string;
  readonly type: string;
  readonly voices: number;
  /** COMMAND.SLOT of its events. */
  readonly address: number;
  /** Its lane in a shared state: then COMMAND.VOICE of all its events. */
  readonly lane: number | undefined;
  /** Byte address of its state; valid while the slot has this generation. */
  readonly state: number;
  readonly lanes: number;
  readonly groupBytes: number;
  /** Vector number of each parameter's first vector (PARAM.VALUE …). */
  readonly params: readonly number[];
}

export interface OscAliasEntry {
  readonly address: string;
  readonly id: string;
  readonly param: string;
  /** What 0 and 1 at the address mean. */
  readonly range: readonly [number, number];
}

export interface OutgoingMessage {
  readonly address: string;
  readonly args: readonly Value[];
}

/** A parameter's newest value; voice −1 = all. */
export interface ParamChange {
  readonly id: string;
  /** `OscModule.address`: of this module, not of another that has its id now. */
  readonly address: number;
  readonly param: string;
  readonly voice: number;
  readonly value: number;
}

export type ToOsc =
  /** What there is now; sent after every edit, only what differs. `types`: module types not sent before. `aliases`: all of them. */
  | {
      readonly kind: 'table';
      readonly types: readonly ModuleDefinition[];
      readonly modules: readonly OscModule[];
      readonly removed: readonly string[];
      readonly aliases?: readonly OscAliasEntry[];
      readonly beats?: BeatMap;
    }
  /** Ends a `command`: what to send to whoever sent it. */
  | { readonly kind: 'reply'; readonly request: number; readonly messages: readonly OutgoingMessage[] }
  /** For all who asked to be notified. */
  | { readonly kind: 'push'; readonly messages: readonly OutgoingMessage[] }
  /** `changes` have been taken in; more may be sent. */
  | { readonly kind: 'changed' }
  /** Asks for all changes known so far: `changes`, then `flushed`. */
  | { readonly kind: 'flush'; readonly request: number }
  | { readonly kind: 'stop' };

export type FromOsc =
  | { readonly kind: 'listening'; readonly oscPort: number; readonly httpPort: number | undefined }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint?: string }
  /** A command of COMMANDS that control carries out. At most MAX_REQUESTS wait at a time. */
  | {
      readonly kind: 'command';
      readonly request: number;
      readonly address: string;
      readonly args: readonly (number | string | boolean | null)[];
      /** The same for everything one sender sends; transactions belong to it. */
      readonly client: number;
    }
  | { readonly kind: 'gone'; readonly client: number }
  /** What OSC has set since the last time, newest value per parameter and voice; waits for `changed` before the next. */
  | { readonly kind: 'changes'; readonly changes: readonly ParamChange[] }
  | { readonly kind: 'flushed'; readonly request: number }
  /** All who are registered over UDP, when that has changed. */
  | { readonly kind: 'registered'; readonly registered: readonly Registration[] };

/** Commands that may wait for control; more are refused with `/fail … busy`. */
export const MAX_REQUESTS = 256;
