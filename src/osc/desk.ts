// Where messages go that are not for the engine's ring: commands, and addresses that mean nothing yet.
import { didYouMean } from '../control/names.js';
import { ADDRESS, LIMITS as PATCH_LIMITS, RESERVED } from '../control/patch/limits.js';
import { KrellError } from '../errors.js';
import { beatAt } from '../shared/beat.js';
import type { AddressTable } from './addresses.js';
import { readArgs, type Token } from './arguments.js';
import type { Client } from './client.js';
import type { EngineClock } from './clock.js';
import type { EngineCommand } from './commands.js';
import type { Value } from './encode.js';
import { HELD_MAX, type Held } from './held.js';
import type { ControlLink } from './link.js';
import type { Message } from './message.js';
import { plainArgs, type Plain } from './plain.js';
import { MAX_REQUESTS, type OutgoingMessage } from './protocol.js';
import { REPLY_LIMITS, type Replies } from './replies.js';
import type { Space } from './space.js';

/** Seconds without a packet after which a datagram sender is forgotten. */
export const EXPIRES_S = 60;

export interface DeskParts {
  readonly replies: Replies;
  readonly link: ControlLink;
  readonly table: AddressTable;
  readonly clock: EngineClock;
  readonly space: Space;
  readonly held: Held;
  readonly version: string;
}

interface Learning {
  readonly client: Client;
  readonly id: string;
  readonly param: string;
  readonly token: Token;
  /** The address, once it has been moved and control has been asked. */
  address?: string;
}

export class Desk {
  readonly #parts: DeskParts;
  #learning: Learning | undefined;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** Carries out a command, or has it carried out; `at`: Unix time in milliseconds, if not now. @returns what that did, for people */
  command(command: EngineCommand, message: Message, client: Client, at?: number): string {
    const args = plainArgs(message);
    if (!args) return this.#fail(client, command.address, 'takes no blobs, colours, MIDI messages and arrays');
    if (command.by === 'osc') return this.#carryOut(command, args, client);
    if (at === undefined) return this.#handOn(client, command.address, args);
    const isHeld = this.#parts.held.add(at, () => this.#handOn(client, command.address, args));
    return isHeld ? 'waits for its time' : this.#fail(client, command.address, `busy: ${HELD_MAX} commands wait for their time`);
  }

  #handOn(client: Client, address: string, args: readonly Plain[]): string {
    return this.#parts.link.command(client, address, args) ? 'handed on' : this.#busy(client, address);
  }

  #busy(client: Client, address: string, token?: Token): string {
    return this.#fail(client, address, `busy: ${MAX_REQUESTS} commands wait`, token);
  }

  #fail(client: Client, address: string, message: string, token?: Token): string {
    this.#parts.replies.fail(client, address, message, token);
    return `refused: ${message}`;
  }

  #done(client: Client, address: string, args: readonly Value[], token: Token): string {
    this.#parts.replies.done(client, address, args, token);
    return 'done';
  }

  #carryOut(command: EngineCommand, given: readonly Plain[], client: Client): string {
    const { address } = command;
    try {
      const { args, token } = readArgs(command, given);
      return this.#carryOutRight(address, args, client, token);
    } catch (error) {
      if (error instanceof KrellError) return this.#fail(client, address, error.message);
      throw error;
    }
  }

  #carryOutRight(address: string, values: readonly Plain[], client: Client, token: Token): string {
    const { replies, link, version } = this.#parts;
    switch (address) {
      case '/engine/version':
        return this.#done(client, address, ['krell', version], token);
      case '/engine/sync':
        return link.sync(client, token) ? 'done' : this.#busy(client, address, token);
      case '/engine/notify':
        return this.#notify(client, Boolean(values[0]), values[1] as number | undefined, token);
      case '/engine/monitor':
        if (!replies.isTrusted(client)) return this.#fail(client, address, 'register by /engine/notify first', token);
        if (!replies.watch(client, Boolean(values[0])))
          return this.#fail(client, address, `${REPLY_LIMITS.registered} clients watch already`, token);
        return this.#done(client, address, [], token);
      case '/engine/time':
        return this.#time(client, token);
      case '/engine/learn':
        return this.#learn(client, values[0] as string, values[1] as string, token);
      default:
        this.#endLearning('cancelled');
        return this.#done(client, address, [], token);
    }
  }

  #notify(client: Client, on: boolean, port: number | undefined, token: Token): string {
    const { replies } = this.#parts;
    const address = '/engine/notify';
    const at = port === undefined ? client : client.atPort?.(port);
    if (!on) {
      replies.unregister(client, at ?? client);
      return this.#done(client, address, [0], token);
    }
    if (!at) return this.#fail(client, address, `cannot tell port ${port}`, token);
    if (!replies.register(client, at))
      return this.#fail(client, address, `${REPLY_LIMITS.registered} clients are registered already`, token);
    return this.#done(client, address, [client.isStream ? 0 : EXPIRES_S], token);
  }

  #time(client: Client, token: Token): string {
    const { clock, space } = this.#parts;
    const { frame, timetag, rate } = clock.now();
    const { beats } = space;
    const map = [
      { type: 'h', value: BigInt(frame) },
      { type: 't', value: timetag },
      { type: 'd', value: rate },
      clock.sampleRate,
      { type: 'd', value: beatAt(beats, frame, clock.sampleRate) },
      { type: 'd', value: beats.tempo },
    ] as const;
    this.#parts.replies.send(client, '/engine/time', map);
    return this.#done(client, '/engine/time', map, token);
  }

  // ── learning ──

  #learn(client: Client, id: string, param: string, token: Token): string {
    const { table } = this.#parts;
    const target = table.target(id);
    const address = '/engine/learn';
    if (!target) return this.#fail(client, address, sentence(`there is no module '${id}'`, didYouMean(id, table.ids())), token);
    if (!target.names.includes(param))
      return this.#fail(client, address, sentence(`${id} has no parameter '${param}'`, didYouMean(param, target.names)), token);
    this.#endLearning('another address is to be learned');
    this.#learning = { client, id, param, token };
    return 'waits for an address';
  }

  #endLearning(why: string): void {
    const learning = this.#learning;
    this.#learning = undefined;
    // Of one that control has been asked for it will say what became of it.
    if (learning && learning.address === undefined) this.#parts.replies.fail(learning.client, '/engine/learn', why, learning.token);
  }

  /** An address that means nothing. @returns whether it is the one to learn */
  unknown(message: Message): boolean {
    const learning = this.#learning;
    if (!learning || message.argCount !== 1 || !Number.isFinite(message.number(0))) return false;
    const address = message.address();
    if (learning.address !== undefined) return learning.address === address;
    if (address.length > PATCH_LIMITS.addressLength || !ADDRESS.test(address)) return false;
    const first = address.split('/')[1]!;
    if (first === RESERVED || this.#parts.table.target(first)) return false;
    const finish = (client: Client, messages: readonly OutgoingMessage[]): void => this.#learned(client, learning, messages);
    if (!this.#parts.link.command(learning.client, '/engine/alias/set', [address, learning.id, learning.param], finish)) return false;
    learning.address = address;
    return true;
  }

  #learned(client: Client, learning: Learning, messages: readonly OutgoingMessage[]): void {
    const { id, param, address, token } = learning;
    if (this.#learning === learning) this.#learning = undefined;
    const last = messages.at(-1);
    if (last?.address !== '/done')
      return void this.#fail(client, '/engine/learn', String(last?.args[1] ?? 'control did not answer'), token);
    this.#done(client, '/engine/learn', [id, param, address!], token);
    this.#parts.replies.push([{ address: '/engine/learned', args: [id, param, address!] }]);
  }

  /** A client has gone. */
  gone(client: Client): void {
    if (this.#learning?.client === client) this.#learning = undefined;
  }
}

const sentence = (message: string, hint: string | undefined): string => (hint ? `${message}; ${hint}` : message);
