// The OSC thread's end of what it and control say to each other.
import type { Token } from './arguments.js';
import type { Client } from './client.js';
import type { LiveInput } from './input.js';
import type { Plain } from './plain.js';
import { MAX_REQUESTS, type FromOsc, type OutgoingMessage } from './protocol.js';
import type { Replies } from './replies.js';

/** Milliseconds between two reports of what has changed. */
const CHANGES_MS = 50;

/** What waits for control, or for those before it. */
interface Waiting {
  /** Undefined when it has gone. */
  client: Client | undefined;
  readonly finish: (client: Client, messages: readonly OutgoingMessage[]) => void;
  readonly isSync: boolean;
}

export class ControlLink {
  readonly #post: (message: FromOsc) => void;
  readonly #replies: Replies;
  readonly #input: LiveInput;
  /** By request number, which is the order they came in. */
  readonly #waiting = new Map<number, Waiting>();
  /** Clients that control knows of. */
  readonly #known = new WeakSet<Client>();
  readonly #gone = new WeakSet<Client>();
  #request = 0;
  /** Reports of changes that control has not taken in. */
  #reports = 0;
  #reportedAt = -Infinity;
  #registered = '[]';

  constructor(post: (message: FromOsc) => void, replies: Replies, input: LiveInput) {
    this.#post = post;
    this.#replies = replies;
    this.#input = input;
  }

  /**
   * Hands a command on. `finish` gets the answer; unless given, the client does.
   * @returns false when too many wait
   */
  command(client: Client, address: string, args: readonly Plain[], finish: Waiting['finish'] = this.#relay): boolean {
    if (this.#waiting.size >= MAX_REQUESTS) return false;
    const request = ++this.#request;
    this.#waiting.set(request, { client, finish, isSync: false });
    this.#known.add(client);
    this.#post({ kind: 'command', request, address, args, client: client.id });
    // What waited for its time may come after its sender has gone: then control is to forget that once more, after all that was due with it.
    if (this.#gone.has(client)) queueMicrotask(() => this.#forget(client));
    return true;
  }

  readonly #relay: Waiting['finish'] = (client, messages) => this.#replies.relay(client, messages);

  /** Answers when all that came before has been answered. @returns false when too many wait */
  sync(client: Client, token: Token): boolean {
    if (this.#waiting.size >= MAX_REQUESTS) return false;
    const finish = (asker: Client): void => this.#replies.done(asker, '/engine/sync', [], token);
    this.#waiting.set(++this.#request, { client, finish, isSync: true });
    this.#answerSyncs();
    return true;
  }

  #answerSyncs(): void {
    for (const [request, { client, finish, isSync }] of this.#waiting) {
      if (!isSync) return;
      this.#waiting.delete(request);
      if (client) finish(client, []);
    }
  }

  /** Control's answer. */
  reply(request: number, messages: readonly OutgoingMessage[]): void {
    const waiting = this.#waiting.get(request);
    if (!waiting) return;
    this.#waiting.delete(request);
    try {
      if (waiting.client) waiting.finish(waiting.client, messages);
    } finally {
      this.#answerSyncs();
    }
  }

  /** A client has gone. */
  gone(client: Client): void {
    for (const waiting of this.#waiting.values()) if (waiting.client === client) waiting.client = undefined;
    this.#gone.add(client);
    this.#forget(client);
  }

  #forget(client: Client): void {
    if (this.#known.delete(client)) this.#post({ kind: 'gone', client: client.id });
  }

  // ── what has changed ──

  /** Reports changes, unless it has just done so or control is still busy with the last; `now` in milliseconds. */
  report(now: number): void {
    if (this.#reports === 0 && now - this.#reportedAt >= CHANGES_MS) this.#report(now);
  }

  #report(now: number): void {
    const changes = this.#input.takeChanges();
    if (changes.length === 0) return;
    this.#reports++;
    this.#reportedAt = now;
    this.#post({ kind: 'changes', changes });
  }

  /** Control has taken in a report. */
  changed(): void {
    this.#reports = Math.max(0, this.#reports - 1);
  }

  /** Control wants to know everything. */
  flush(request: number, now: number): void {
    this.#report(now);
    this.#post({ kind: 'flushed', request });
  }

  // ── who is registered ──

  /** Tells control who is registered, if others are than it knows of: the next thread is told, should this one die. */
  tellRegistered(): void {
    const registered = this.#replies.registered();
    const text = JSON.stringify(registered);
    if (text === this.#registered) return;
    this.#registered = text;
    this.#post({ kind: 'registered', registered });
  }
}
