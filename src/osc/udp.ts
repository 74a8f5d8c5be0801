// OSC over UDP.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Client, Place } from './client.js';
import { EXPIRES_S } from './desk.js';

/** What a datagram may carry without being cut into pieces on its way. */
export const DATAGRAM_MAX = 1400;
/** Bytes that may wait for the network. */
const QUEUE_MAX = 1 << 20;
/** Bytes that may wait for us; the system may give less. */
const RECEIVE_BYTES = 4 << 20;
/** Senders we remember. */
const CLIENTS_MAX = 1024;

const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '::1' || host.startsWith('::ffff:127.');

class UdpClient implements Client {
  readonly isStream = false;
  readonly label: string;
  readonly isLocal: boolean;
  heardAt = 0;
  readonly id: number;
  readonly #clients: UdpClients;

  constructor(
    clients: UdpClients,
    id: number,
    readonly place: Place,
  ) {
    const { host, port } = place;
    this.#clients = clients;
    this.id = id;
    this.label = `udp ${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.isLocal = isLoopback(host);
  }

  atPort(port: number): Client | undefined {
    return port >= 1 && port <= 65_535 ? this.#clients.make(this.place.host, port) : undefined;
  }

  send(packet: Uint8Array): boolean {
    return packet.length <= DATAGRAM_MAX && this.#clients.post(packet, this.place);
  }
}

export interface UdpClientsOptions {
  /** Sends a datagram. @returns false when too much waits */
  post(packet: Uint8Array, place: Place): boolean;
  gone(client: Client): void;
  /** Whether it wants to be told, and so is to be forgotten after all who do not. */
  isRegistered(client: Client): boolean;
  nextClientId(): number;
  /** Milliseconds. */
  now(): number;
}

/** Who has sent datagrams lately. */
export class UdpClients {
  readonly post: UdpClientsOptions['post'];
  readonly #options: UdpClientsOptions;
  readonly #byHost = new Map<string, Map<number, UdpClient>>();
  #count = 0;
  /** Most packets come from who sent the last one. */
  #last: UdpClient | undefined;

  constructor(options: UdpClientsOptions) {
    this.#options = options;
    this.post = options.post;
  }

  make(host: string, port: number): UdpClient {
    return new UdpClient(this, this.#options.nextClientId(), { host, port });
  }

  /** A packet came from there. */
  heard(host: string, port: number): Client {
    const last = this.#last;
    const client = last && last.place.port === port && last.place.host === host ? last : this.#find(host, port);
    client.heardAt = this.#options.now();
    this.#last = client;
    return client;
  }

  #find(host: string, port: number): UdpClient {
    const known = this.#byHost.get(host)?.get(port);
    if (known) return known;
    if (this.#count >= CLIENTS_MAX) this.#forget(this.#quietest());
    const client = this.make(host, port);
    const ports = this.#byHost.get(host) ?? new Map<number, UdpClient>();
    this.#byHost.set(host, ports.set(port, client));
    this.#count++;
    return client;
  }

  *#all(): Generator<UdpClient> {
    for (const ports of this.#byHost.values()) yield* ports.values();
  }

  #quietest(): UdpClient {
    const { isRegistered } = this.#options;
    const others = [...this.#all()].filter((client) => !isRegistered(client));
    return others.reduce((quietest, client) => (client.heardAt < quietest.heardAt ? client : quietest));
  }

  #forget(client: UdpClient): void {
    const { host, port } = client.place;
    const ports = this.#byHost.get(host)!;
    ports.delete(port);
    if (ports.size === 0) this.#byHost.delete(host);
    this.#count--;
    if (this.#last === client) this.#last = undefined;
    this.#options.gone(client);
  }

  /** Forgets those who have not been heard of for long. */
  expire(): void {
    const since = this.#options.now() - EXPIRES_S * 1000;
    for (const client of [...this.#all()]) if (client.heardAt < since) this.#forget(client);
  }
}

export interface UdpOptions {
  readonly bind: string;
  readonly port: number;
  receive(packet: Uint8Array, client: Client): void;
  gone(client: Client): void;
  isRegistered(client: Client): boolean;
  nextClientId(): number;
}

export class UdpServer {
  readonly clients: UdpClients;
  readonly #socket: Socket;

  private constructor(socket: Socket, options: UdpOptions) {
    const post = (packet: Uint8Array, { host, port }: Place): boolean => {
      if (socket.getSendQueueSize() > QUEUE_MAX) return false;
      // Whether it arrives is for nobody to know.
      socket.send(packet, port, host, () => {});
      return true;
    };
    this.#socket = socket;
    this.clients = new UdpClients({ ...options, post, now: () => performance.now() });
    socket.on('message', (packet: Uint8Array, { address, port }: RemoteInfo) => options.receive(packet, this.clients.heard(address, port)));
  }

  /** @throws the system's error when that is not possible there */
  static async open(options: UdpOptions): Promise<UdpServer> {
    const socket = createSocket({ type: isIPv6(options.bind) ? 'udp6' : 'udp4' });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind(options.port, options.bind, () => resolve());
    });
    socket.removeAllListeners('error').on('error', () => {});
    try {
      socket.setRecvBufferSize(RECEIVE_BYTES);
    } catch {
      // The system's own size has to do.
    }
    return new UdpServer(socket, options);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
