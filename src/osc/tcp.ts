// OSC over TCP, in either framing; answers come in the sender's.
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Client } from './client.js';
import { frame, Unframer } from './framing.js';
import type { UdpOptions } from './udp.js';

/** Of TCP, and of HTTP and WebSocket. */
export const CONNECTIONS_MAX = 64;
/** Bytes that may wait for a reader; one that is slower is cut off. */
const QUEUE_MAX = 1 << 20;
/** Milliseconds after which the system asks a silent peer whether it is still there. */
const KEEP_ALIVE_MS = 30_000;

export type TcpOptions = Omit<UdpOptions, 'isRegistered'>;

class TcpClient implements Client {
  readonly isStream = true;
  readonly id: number;
  readonly label: string;
  readonly unframer: Unframer;
  readonly #socket: Socket;

  constructor(socket: Socket, id: number, receive: TcpOptions['receive']) {
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.id = id;
    this.label = `tcp ${isIPv6(remoteAddress) ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
    // One that has been cut off has nothing more to say.
    this.unframer = new Unframer((packet) => void (socket.destroyed || receive(packet, this)));
    this.#socket = socket;
  }

  isFull(): boolean {
    return this.#socket.destroyed;
  }

  send(packet: Uint8Array): boolean {
    if (this.isFull()) return false;
    this.#socket.write(frame(packet, this.unframer.framing ?? 'length'));
    if (this.#socket.writableLength <= QUEUE_MAX) return true;
    this.#socket.destroy();
    return false;
  }
}

export class TcpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: TcpOptions) {
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
      this.#welcome(socket, options),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** @throws the system's error when that is not possible there */
  static async open(options: TcpOptions): Promise<TcpServer> {
    const server = new TcpServer(options);
    const listener = server.#server;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject).listen(options.port, options.bind, () => resolve());
    });
    listener.removeAllListeners('error').on('error', () => {});
    return server;
  }

  #welcome(socket: Socket, { receive, gone, nextClientId }: TcpOptions): void {
    const client = new TcpClient(socket, nextClientId(), receive);
    this.#sockets.add(socket);
    socket.on('data', (chunk: Uint8Array) => {
      if (!client.unframer.take(chunk)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone(client);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
