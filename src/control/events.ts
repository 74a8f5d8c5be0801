// What the engine tells those who listen.
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { CONTROL } from '../shared/layout.js';
import type { Arena } from './arena.js';
import type { OutputState } from './output.js';

/** The patch was edited, and the edit plays. Ids of modules that are new, gone, or now another one (type or voices) of the same id. */
export interface EditEvent {
  readonly kind: 'edit';
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}
/** Another patch plays. Its `edit` went before. */
export interface LoadEvent {
  readonly kind: 'load';
  readonly title: string;
}
/** Something failed, and what became of it. */
export interface FaultEvent {
  readonly kind: 'fault';
  /** A word for programs: `nan`, `trap`, `budget`, `worker` … */
  readonly what: string;
  /** The module at fault. */
  readonly id?: string;
  /** The DSP thread. */
  readonly worker?: number;
  readonly frame: number;
  /** The same for people. */
  readonly message: string;
  /** The module no longer takes part. */
  readonly bypassed?: boolean;
}
/** The device got silence because the engine was late. */
export interface UnderrunEvent {
  readonly kind: 'underrun';
  /** Since the last such event. */
  readonly count: number;
  /** Since the start. */
  readonly total: number;
}
/** The output opened, was lost, or came back. */
export interface DeviceEvent {
  readonly kind: 'device';
  readonly state: 'open' | 'lost' | 'back';
  readonly output: OutputState;
}
/** The engine has stopped for good. */
export interface StoppedEvent {
  readonly kind: 'stopped';
}

export type EngineEvent = EditEvent | LoadEvent | FaultEvent | UnderrunEvent | DeviceEvent | StoppedEvent;
export type EngineEventKind = EngineEvent['kind'];
export type EngineListener<K extends EngineEventKind> = (event: Extract<EngineEvent, { kind: K }>) => unknown;

/** An emitter whose listeners cannot hurt who emits: what they throw, or reject with, becomes a warning of the process. */
export class Events {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  on<K extends EngineEventKind>(kind: K, listener: EngineListener<K>): void {
    this.#emitter.on(kind, listener);
  }

  off<K extends EngineEventKind>(kind: K, listener: EngineListener<K>): void {
    this.#emitter.off(kind, listener);
  }

  emit(event: EngineEvent): void {
    for (const listener of this.#emitter.listeners(event.kind)) tell(listener as (event: EngineEvent) => unknown, event);
  }
}

/** Calls a listener, whatever it does. */
export function tell<E>(listener: ((event: E) => unknown) | undefined, event: E): void {
  try {
    Promise.resolve(listener?.(event)).catch(warn);
  } catch (error) {
    warn(error);
  }
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : inspect(error));

/** Milliseconds between looks at the count of underruns. */
const UNDERRUN_MS = 100;

/** Reports underruns as they are counted, until the timer is cleared. */
export function watchUnderruns({ words }: Arena, report: (event: UnderrunEvent) => void): NodeJS.Timeout {
  let seen = 0;
  return setInterval(() => {
    const total = Atomics.load(words, CONTROL.UNDERRUNS);
    if (total !== seen) report({ kind: 'underrun', count: total - seen, total });
    seen = total;
  }, UNDERRUN_MS).unref();
}
