// A WebSocket client: OSC packets as binary frames both ways, OSCQuery's commands as JSON in text frames.
import type { WebSocket } from 'ws';
import { encodeMessage } from '../codec.js';
import type { Client } from '../client.js';
import type { PathChange } from './paths.js';

/** Bytes that may wait for a slow reader. */
const MAX_WAITING = 1024 * 1024;
/** Seconds that so much may wait. */
const MAX_STUCK_S = 5;
/** Seconds between pings. Who says nothing from one to the next is gone. */
const PING_S = 10;

export class Peer implements Client {
  readonly isStream = true;
  /** Something came since the last ping. */
  heard = true;
  #stuckS = 0;
  #age = 0;
  #missed = false;

  constructor(
    readonly socket: WebSocket,
    readonly id: number,
    readonly label: string,
  ) {
    socket.on('pong', () => (this.heard = true));
  }

  send(packet: Uint8Array): boolean {
    if (this.isFull()) return false;
    // A copy: the sender may write its next packet where this one is.
    this.socket.send(Uint8Array.from(packet));
    return true;
  }

  /** What is wrong with a command, as `/fail` says it of others. */
  fail(command: string, message: string): void {
    this.send(encodeMessage('/fail', [command, message.replaceAll('\0', '')]));
  }

  /** Tells of changes in the tree. If that does not fit now, it is told to read all again when it does. */
  tell(texts: readonly string[]): void {
    for (const text of texts) {
      if (!this.isFull()) this.socket.send(text);
      else this.#missed = true;
    }
  }

  isFull(): boolean {
    return this.socket.readyState !== this.socket.OPEN || this.#isBehind();
  }

  #isBehind(): boolean {
    return this.socket.bufferedAmount > MAX_WAITING;
  }

  /** Who does not read is not read either. */
  pauseIfBehind(): void {
    if (this.#isBehind()) this.socket.pause();
  }

  /** Once a second. */
  check(): void {
    this.#stuckS = this.#isBehind() ? this.#stuckS + 1 : 0;
    const pings = ++this.#age % PING_S === 0;
    if (this.#stuckS >= MAX_STUCK_S || (pings && !this.heard)) {
      this.socket.terminate();
      return;
    }
    if (!this.isFull()) {
      this.socket.resume();
      if (this.#missed) this.tell([pathText(ALL_CHANGED)]);
      this.#missed = false;
    }
    if (!pings) return;
    this.heard = false;
    this.socket.ping();
  }

  close(): void {
    this.socket.close(1001);
    this.socket.terminate();
  }
}

/** A change as OSCQuery tells of it. */
export const pathText = ({ what, path }: PathChange): string => JSON.stringify({ COMMAND: `PATH_${what}`, DATA: path });

/** All is to be read again. */
export const ALL_CHANGED: PathChange = { what: 'CHANGED', path: '/' };
