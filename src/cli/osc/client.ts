// The other end of the engine's UDP port: what `krell send` and `krell monitor` talk through. Packets are written by osc-js, the library
// that browsers and scripts use too; what comes back is read by the engine's own decoder, which knows more types.
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import OSC from 'osc-js';
import { KrellError } from '../../errors.js';
import { decode, type Decoded, type DecodedMessage } from '../../osc/decode.js';
import { isLoopback } from '../../osc/query/announce.js';
import type { Sendable } from './values.js';

export interface Message {
  readonly address: string;
  readonly args: readonly Sendable[];
}

/** osc-js writes one byte per character: given those of the UTF-8 text, it writes that. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** A message as a packet; at a Unix time in milliseconds if one is given. */
export function encodePacket({ address, args }: Message, atMs?: number): Uint8Array {
  const message = new OSC.Message(utf8(address));
  message.types = args.map(({ type }) => type).join('');
  message.args = args.map(({ value }) => (typeof value === 'string' ? utf8(value) : value));
  return (atMs === undefined ? message : new OSC.Bundle([message], Math.round(atMs))).pack();
}

export class OscClient {
  /** What arrives; packets that are not OSC do not. */
  onMessage: (message: DecodedMessage) => void = () => {};
  /** Nothing gets there: mostly, nobody listens at the port. */
  onFailed: (error: KrellError) => void = () => {};
  readonly #socket: Socket;

  private constructor(
    socket: Socket,
    readonly host: string,
    readonly port: number,
    /** Whether the other end is this machine; it answers others in full only when they have registered. */
    readonly isLocal: boolean,
  ) {
    this.#socket = socket;
    socket.on('message', (packet) => this.#receive(packet));
    socket.on('error', (error) => this.#failed(error));
  }

  /** Where a name has addresses of both kinds, the old kind is taken: engines listen there. @throws KrellError `host`, `unreachable` */
  static async open(host: string, port: number): Promise<OscClient> {
    const { address, family } = await lookup(host, { verbatim: false }).catch((cause: unknown) => {
      throw new KrellError('host', `there is no host '${host}'`, { path: '--host', hint: 'give a name or an IP address', cause });
    });
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(explain(error, host, port)));
      // A connected socket is told when nobody listens.
      socket.connect(port, address, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    return new OscClient(socket, host, port, isLoopback(address));
  }

  send(packet: Uint8Array): void {
    this.#socket.send(packet, (error) => error && this.#failed(error));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  /** That nobody listened to the last packet may be told with the next one, or in between. */
  #failed(error: NodeJS.ErrnoException): void {
    this.onFailed(explain(error, this.host, this.port));
  }

  #receive(packet: Uint8Array): void {
    const decoded = decode(packet);
    if (decoded.kind !== 'fault') this.#deliver(decoded);
  }

  #deliver(decoded: Decoded): void {
    if (decoded.kind === 'message') this.onMessage(decoded);
    else for (const element of decoded.elements) this.#deliver(element);
  }
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): KrellError {
  const { code = error.message } = error;
  if (code !== 'ECONNREFUSED') return new KrellError('unreachable', `cannot send to ${host}:${port} (${code})`, { cause: error });
  return new KrellError('refused', `nothing listens at ${host}:${port}`, { hint: "start 'krell play', or give its port with --port" });
}
