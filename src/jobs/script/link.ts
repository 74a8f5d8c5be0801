// What control and the script thread tell each other, as JSON in the messages of two shared rings.
import type { BeatMap } from '../../shared/beat.js';
import { MESSAGE_RING_WORDS } from '../../shared/messages.js';

/** Requests; each is answered. */
export type ScriptRequest =
  /** Load the file, so that `bind` finds it; again when it was edited. */
  | { readonly kind: 'load'; readonly file: string }
  /** From now on the module is driven by its file's script; or it is at another place, or the tempo has changed. */
  | { readonly kind: 'bind'; readonly module: BoundModule }
  | { readonly kind: 'unbind'; readonly id: string };

export interface BoundModule {
  readonly id: string;
  readonly file: string;
  readonly seed: number;
  readonly beats: BeatMap;
  /** COMMAND.SLOT and COMMAND.VOICE of its parameter changes. */
  readonly address: number;
  readonly voice: number;
  /** Number of each parameter, and the word of the arena that holds what it is set to. */
  readonly params: Readonly<Record<string, { readonly index: number; readonly word: number }>>;
}

/** Answers, and what the thread says by itself (with number 0). */
export type ScriptReport =
  | { readonly kind: 'done' }
  /** Before `done`, one after the other: the files that were loaded. */
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'failed'; readonly message: string }
  /** A script threw at a tick. `isUndone`: at its first after an edit, so that the one before plays on. */
  | { readonly kind: 'fault'; readonly id: string; readonly message: string; readonly isUndone: boolean };

/** Word index of each ring in the link's memory, and its size. */
export const TO_SCRIPTS_W = 0;
export const FROM_SCRIPTS_W = MESSAGE_RING_WORDS;
export const LINK_BYTES = 2 * MESSAGE_RING_WORDS * 4;
