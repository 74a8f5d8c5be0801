// What is said to clients, and to whom one may say how much.
//
// An unregistered datagram sender may not be who it says it is, and must not make us send more than it sent (so that nobody is flooded through us):
// what is said to it between two of its packets has to fit into the first. Streams, senders on this machine and those registered by `/engine/notify` have no such limit.
import { encodeMessage, type Value } from './encode.js';
import type { Token } from './arguments.js';
import type { Client } from './client.js';
import type { Message } from './message.js';
import { ADDRESS_BYTES, shortened } from './plain.js';
import { Rate } from './rate.js';
import type { OutgoingMessage, Registration } from './protocol.js';

export const REPLY_LIMITS = {
  /** Clients that are told of everything, and those that watch what arrives. */
  registered: 64,
  /** Complaints a second, to one client and to all together; to one client, of what came late. */
  complaints: 50,
  allComplaints: 500,
  /** Values a second that one client is told: a pattern may ask for a thousand. */
  answers: 20_000,
  late: 20,
  monitored: 1000,
} as const;

/** Bytes of what came with a message, for those who watch. */
const ARGS_BYTES = 600;

const addressOf = (message: Message): string => shortened(message.address(), ADDRESS_BYTES);

interface Session {
  /** Bytes that may still be said to a stranger. */
  credit: number;
  readonly complaints: Rate;
  readonly answers: Rate;
  readonly late: Rate;
}

export class Replies {
  readonly #now: () => number;
  readonly #trustLoopback: boolean;
  readonly #sessions = new WeakMap<Client, Session>();
  /** Who is registered, and where it wants to be told. */
  readonly #notified = new Map<Client, Client>();
  readonly #monitors = new Set<Client>();
  readonly #complaints = new Rate(REPLY_LIMITS.allComplaints);
  readonly #drops = new Rate(1);
  readonly #monitored = new Rate(REPLY_LIMITS.monitored);

  /** `now`: milliseconds. */
  constructor(trustLoopback: boolean, now: () => number = () => performance.now()) {
    this.#trustLoopback = trustLoopback;
    this.#now = now;
  }

  #session(client: Client): Session {
    let session = this.#sessions.get(client);
    if (!session) {
      const { complaints, answers, late } = REPLY_LIMITS;
      session = { credit: 0, complaints: new Rate(complaints), answers: new Rate(answers), late: new Rate(late) };
      this.#sessions.set(client, session);
    }
    return session;
  }

  isTrusted(client: Client): boolean {
    return client.isStream || (this.#trustLoopback && client.isLocal === true) || this.isRegistered(client);
  }

  /** `bytes` came from a client. */
  heard(client: Client, bytes: number): void {
    if (!this.isTrusted(client)) this.#session(client).credit = bytes;
  }

  // ── answers ──

  /** @returns false when it could not or must not be sent. */
  send(client: Client, address: string, args: readonly Value[]): boolean {
    return this.#deliver(client, encodeMessage(address, args));
  }

  #deliver(client: Client, packet: Uint8Array): boolean {
    if (!this.isTrusted(client)) {
      const session = this.#session(client);
      if (session.credit < packet.length) return false;
      session.credit -= packet.length;
    }
    return client.send(packet);
  }

  /** Whether a client may be told of one more value now. */
  mayAnswer(client: Client): boolean {
    return this.#session(client).answers.allows(this.#now());
  }

  done(client: Client, command: string, args: readonly Value[], token: Token): void {
    this.send(client, '/done', [command, ...args, ...token]);
  }

  fail(client: Client, command: string, message: string, token: Token = []): void {
    this.send(client, '/fail', [shortened(command, ADDRESS_BYTES), message, ...token]);
  }

  /** Control's answer. What is too large for a datagram is not sent, but for that. */
  relay(client: Client, messages: readonly OutgoingMessage[]): void {
    for (const { address, args } of messages) {
      const packet = encodeMessage(address, args);
      if (this.#deliver(client, packet) || client.isStream) continue;
      this.fail(client, address, `the answer (${packet.length} bytes) could not be sent`);
    }
  }

  /** Whether a client may be told of one more mistake now: a fader that means nothing must not be answered a thousand times a second. */
  mayComplain(client: Client): boolean {
    const now = this.#now();
    return this.#session(client).complaints.allows(now) && this.#complaints.allows(now);
  }

  /** Tells of a mistake, after `mayComplain`. */
  complain(client: Client, address: string, message: string): void {
    const skipped = this.#session(client).complaints.takeSkipped();
    this.fail(client, address, skipped > 0 ? `${message} (and ${skipped} other failures)` : message);
  }

  // ── news ──

  /** A message's time had passed. */
  late(client: Client, message: Message, milliseconds: number): void {
    const rate = this.#session(client).late;
    if (!rate.allows(this.#now())) return;
    const skipped = rate.takeSkipped();
    this.#news(client, '/late', [addressOf(message), { type: 'f', value: milliseconds }, ...(skipped > 0 ? [skipped] : [])]);
  }

  /** Notes or triggers found no room. */
  dropped(client: Client, message: Message): void {
    if (this.#drops.allows(this.#now()))
      this.#news(client, '/fail', [addressOf(message), `no room: dropped ${1 + this.#drops.takeSkipped()}`]);
  }

  /** A value was out of range. */
  clamped(client: Client, address: string, given: number, value: number): void {
    this.send(client, '/clamped', [address, { type: 'f', value: given }, { type: 'f', value }]);
  }

  /** To a client and to all who want to be told. */
  #news(client: Client, address: string, args: readonly Value[]): void {
    const packet = encodeMessage(address, args);
    const told = this.#notified.get(client);
    if (told !== client) this.#deliver(client, packet);
    for (const other of this.#notified.values()) other.send(packet);
  }

  /** To all who want to be told. */
  push(messages: readonly OutgoingMessage[]): void {
    if (this.#notified.size === 0) return;
    for (const { address, args } of messages) {
      const packet = encodeMessage(address, args);
      for (const client of this.#notified.values()) client.send(packet);
    }
  }

  // ── who wants to be told ──

  /** `at`: where. @returns false when there are too many. */
  register(client: Client, at: Client): boolean {
    // Who asks from a new port each time, as programs of the command line do, is still told once.
    this.#forget(at, client);
    if (!this.#notified.has(client) && this.#notified.size >= REPLY_LIMITS.registered) return false;
    this.#notified.set(client, at);
    return true;
  }

  /** Ends what the client, or anybody else, has asked to be told there. */
  unregister(client: Client, at: Client): void {
    this.#notified.delete(client);
    this.#forget(at);
    if (!this.isTrusted(client)) this.#monitors.delete(client);
  }

  /** Ends what others than `client` have asked to be told there. */
  #forget(at: Client, client?: Client): void {
    for (const [other, place] of this.#notified) if (place.label === at.label && other !== client) this.#notified.delete(other);
  }

  /** Who is registered over UDP. */
  registered(): Registration[] {
    return [...this.#notified].flatMap(([{ place }, at]) => (place && at.place ? [{ ...place, at: at.place.port }] : []));
  }

  isRegistered(client: Client): boolean {
    return this.#notified.has(client);
  }

  /** @returns false when there are too many. */
  watch(client: Client, on: boolean): boolean {
    if (!on) this.#monitors.delete(client);
    else if (this.#monitors.size >= REPLY_LIMITS.registered && !this.#monitors.has(client)) return false;
    else this.#monitors.add(client);
    return true;
  }

  /** A client has gone. */
  gone(client: Client): void {
    this.#notified.delete(client);
    this.#monitors.delete(client);
  }

  /** Whether somebody watches what arrives and may be told of one more. */
  mayMonitor(): boolean {
    return this.#monitors.size > 0 && this.#monitored.allows(this.#now());
  }

  /** Tells those who watch that a message came and what it did. */
  monitor(client: Client, address: string, args: string, did: string): void {
    const skipped = this.#monitored.takeSkipped();
    const texts = [shortened(address, ADDRESS_BYTES), shortened(args, ARGS_BYTES), shortened(did, ADDRESS_BYTES)];
    const packets = [encodeMessage('/monitor', [client.label, ...texts])];
    if (skipped > 0) packets.unshift(encodeMessage('/monitor', ['', '', '', `${skipped} not shown`]));
    for (const watcher of this.#monitors) for (const packet of packets) watcher.send(packet);
  }
}
