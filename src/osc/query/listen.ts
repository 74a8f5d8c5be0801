// LISTEN: clients that are told when a value changes.
//
// The values that anybody listens to are read from the arena 50 times a second, wherever the change came from: OSC, a script, a snapshot.
// Each has a version; a client is sent what it has not the newest version of. So a client that was too slow for one gets the next.
import { encodeMessage } from '../codec.js';
import type { Client } from '../client.js';
import { didYouMean } from '../../control/names.js';
import { partsOf, type Node, type Readable } from './tree.js';

export const LISTEN_PERIOD_MS = 20;
/** Paths that one client may listen to. */
export const MAX_LISTENED = 1024;

interface Watched {
  readonly path: string;
  readable: Readable;
  values: readonly number[];
  packet: Uint8Array;
  version: number;
  listeners: number;
}

/** As the tree has it. */
const canonical = (address: string): string => `/${partsOf(address).join('/')}`;

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

export class Listening {
  readonly #watched = new Map<string, Watched>();
  /** The version that each client was sent last, 0 before the first. */
  readonly #sent = new Map<Client, Map<Watched, number>>();
  readonly #root: () => Node;
  #timer: NodeJS.Timeout | undefined;

  constructor(root: () => Node) {
    this.#root = root;
  }

  /** The value is sent at once, then whenever it has changed. @returns what is wrong, if anything */
  add(client: Client, address: string): string | undefined {
    const path = canonical(address);
    const sent = this.#sent.get(client) ?? new Map<Watched, number>();
    const known = this.#watched.get(path);
    if (known && sent.has(known)) return undefined;
    if (sent.size >= MAX_LISTENED) return `you listen to ${MAX_LISTENED} addresses already; IGNORE some`;
    const watched = known ?? this.#watch(path);
    if (typeof watched === 'string') return watched;
    watched.listeners++;
    this.#watched.set(path, watched);
    this.#sent.set(client, sent.set(watched, 0));
    this.#timer ??= setInterval(() => this.#poll(), LISTEN_PERIOD_MS).unref();
    return undefined;
  }

  remove(client: Client, address: string): void {
    const watched = this.#watched.get(canonical(address));
    if (watched && this.#sent.get(client)?.delete(watched)) this.#release(watched);
  }

  /** The client is no more. */
  forget(client: Client): void {
    for (const watched of this.#sent.get(client)?.keys() ?? []) this.#release(watched);
    this.#sent.delete(client);
  }

  /** The tree is another: what no longer exists is forgotten. */
  treeChanged(): void {
    for (const watched of this.#watched.values()) {
      const readable = this.#find(watched.path);
      if (typeof readable !== 'string') watched.readable = readable;
      else for (const client of this.#sent.keys()) this.remove(client, watched.path);
    }
  }

  close(): void {
    for (const client of this.#sent.keys()) this.forget(client);
  }

  #watch(path: string): Watched | string {
    const readable = this.#find(path);
    if (typeof readable === 'string') return readable;
    return { path, readable, values: [], packet: new Uint8Array(), version: 0, listeners: 0 };
  }

  #find(path: string): Readable | string {
    const found = this.#root().find(partsOf(path));
    if ('missing' in found) {
      const hint = didYouMean(found.missing, found.at.children.keys());
      return hint ? `there is nothing there; ${hint}` : 'there is nothing there';
    }
    return found.method.readable ?? 'it has no value';
  }

  #release(watched: Watched): void {
    if (--watched.listeners > 0) return;
    this.#watched.delete(watched.path);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    for (const watched of this.#watched.values()) {
      const values = watched.readable.read();
      if (watched.version > 0 && same(values, watched.values)) continue;
      watched.values = values;
      watched.packet = encodeMessage(watched.path, watched.readable.args(values));
      watched.version++;
    }
    for (const [client, sent] of this.#sent)
      for (const [watched, version] of sent)
        if (version !== watched.version && client.send(watched.packet)) sent.set(watched, watched.version);
  }
}
