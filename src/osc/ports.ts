// The ports that the OSC thread listens at: UDP and TCP with one number, HTTP and WebSocket with another.
import { KrellError } from '../errors.js';
import type { Client } from './client.js';
import type { OscThreadOptions } from './protocol.js';
import { QueryServer } from './query/index.js';
import type { Space, SpaceChange } from './space.js';
import { TcpServer } from './tcp.js';
import { UdpServer } from './udp.js';

export interface PortHandlers {
  readonly space: Space;
  receive(packet: Uint8Array, client: Client): void;
  gone(client: Client): void;
  isRegistered(client: Client): boolean;
  nextClientId(): number;
}

export interface Ports {
  readonly oscPort: number;
  readonly httpPort: number | undefined;
  spaceChanged(change: SpaceChange): void;
  /** A datagram sender, as if it had just sent something. */
  sender(host: string, port: number): Client;
  /** Forgets datagram senders that have not been heard of for long. */
  expire(): void;
  close(): Promise<void>;
}

/** How often a free UDP port is looked for whose number is free for TCP too. */
const TRIES = 8;

/** @throws KrellError `port` */
export async function openPorts(options: OscThreadOptions, handlers: PortHandlers): Promise<Ports> {
  const { bind, httpPort, version } = options;
  const { udp, tcp } = await openOsc(options, handlers);
  let query: QueryServer | undefined;
  try {
    const info = { name: 'Krell', version, oscPort: udp.port };
    if (httpPort !== undefined) query = await QueryServer.open({ ...handlers, bind, port: httpPort, info });
  } catch (error) {
    await Promise.all([udp.close(), tcp.close()]);
    throw error;
  }
  return {
    oscPort: udp.port,
    httpPort: query?.port,
    spaceChanged: (change) => query?.spaceChanged(change),
    sender: (host, port) => udp.clients.heard(host, port),
    expire: () => udp.clients.expire(),
    close: async () => void (await Promise.all([udp.close(), tcp.close(), query?.close()])),
  };
}

async function openOsc({ bind, oscPort }: OscThreadOptions, handlers: PortHandlers): Promise<{ udp: UdpServer; tcp: TcpServer }> {
  for (let left = TRIES; ; left--) {
    const udp = await UdpServer.open({ ...handlers, bind, port: oscPort }).catch((error) => refuse(bind, oscPort, error));
    try {
      return { udp, tcp: await TcpServer.open({ ...handlers, bind, port: udp.port }) };
    } catch (error) {
      const { port } = udp;
      await udp.close();
      if (oscPort !== 0 || left === 1) refuse(bind, port, error as NodeJS.ErrnoException);
    }
  }
}

function refuse(bind: string, port: number, error: NodeJS.ErrnoException): never {
  const isTaken = error.code === 'EADDRINUSE';
  const hint = isTaken || error.code === 'EACCES' ? 'give another with --osc-port' : 'give an address of this machine with --bind';
  throw new KrellError('port', `OSC port ${port} at ${bind}: ${isTaken ? 'it is in use' : error.message}`, { hint });
}
