// OSCQuery: what there is to play, over HTTP and WebSocket on one port. Nothing that a client does gets out of here but OSC packets.
//
// The protocol: OSCQuery proposal, Vidvox (github.com/Vidvox/OSCQueryProposal).
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { KrellError } from '../../errors.js';
import type { Client } from '../client.js';
import type { SpaceChange } from '../space.js';
import { CONNECTIONS_MAX } from '../tcp.js';
import { LIMITS } from '../validate.js';
import { announce, isLoopback } from './announce.js';
import { ATTRIBUTES, serve } from './http.js';
import { Listening } from './listen.js';
import { refusal } from './origin.js';
import { Paths } from './paths.js';
import { ALL_CHANGED, pathText, Peer } from './peer.js';
import { treeOf, type Node, type QuerySpace } from './tree.js';
import type { Json } from './values.js';

export interface QueryOptions {
  /** Address to listen at. */
  readonly bind: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly space: QuerySpace;
  readonly info: { readonly name: string; readonly version: string; readonly oscPort: number };
  /** An OSC packet came. */
  receive(packet: Uint8Array, client: Client): void;
  gone(client: Client): void;
  nextClientId(): number;
  /** Something does not work that one can do without. */
  warn?(message: string): void;
  /** How long a second is in milliseconds, where it is about waiting for clients: tests are in a hurry. */
  readonly secondMs?: number;
}

/** Of a command in a text frame. */
const MAX_TEXT = 4096;
/** With more paths than that to tell of at once, reading all again is less work. */
const MAX_PATHS = 256;
const EXTENSIONS = [...ATTRIBUTES, 'LISTEN', 'PATH_ADDED', 'PATH_REMOVED', 'PATH_CHANGED'];

export class QueryServer {
  /** Where it listens. */
  port = 0;
  readonly #options: QueryOptions;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIMITS.bytes,
    maxFragments: 1024,
  });
  readonly #peers = new Set<Peer>();
  readonly #listening = new Listening(() => this.#root());
  readonly #paths: Paths;
  #tree: Node | undefined;
  #check: NodeJS.Timeout | undefined;
  #silence = async (): Promise<void> => {};

  /** @throws KrellError `port` */
  static async open(options: QueryOptions): Promise<QueryServer> {
    const server = new QueryServer(options);
    await server.#listen();
    return server;
  }

  private constructor(options: QueryOptions) {
    this.#options = options;
    this.#paths = new Paths(options.space);
    const content = { root: () => this.#root(), hostInfo: () => this.#hostInfo() };
    const { secondMs = 1000 } = options;
    const times = { headersTimeout: 5 * secondMs, requestTimeout: 10 * secondMs, keepAliveTimeout: 5 * secondMs };
    this.#http = createServer(
      { maxHeaderSize: 8192, connectionsCheckingInterval: secondMs, ...times },
      (request, response) => void serve(request, response, content),
    );
    this.#http.maxConnections = CONNECTIONS_MAX;
    this.#http.timeout = 10 * secondMs;
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
  }

  /** The space has changed: everybody is told what is new, gone or other. */
  spaceChanged(change: SpaceChange): void {
    this.#tree = undefined;
    this.#listening.treeChanged();
    const seen = this.#paths.seen(change);
    const texts = (seen.length > MAX_PATHS ? [ALL_CHANGED] : seen).map(pathText);
    for (const peer of this.#peers) peer.tell(texts);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    clearInterval(this.#check);
    this.#listening.close();
    for (const peer of this.#peers) peer.close();
    const closed = new Promise((resolve) => this.#http.close(resolve));
    this.#http.closeAllConnections();
    await Promise.all([closed, this.#silence()]);
  }

  async #listen(): Promise<void> {
    const { bind, port, info, warn = () => {}, secondMs = 1000 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(bind, port, error)));
      this.#http.listen(port, bind, () => {
        this.#http.removeAllListeners('error').on('error', (error) => warn(`HTTP: ${error.message}`));
        this.port = (this.#http.address() as AddressInfo).port;
        resolve();
      });
    });
    this.#check = setInterval(() => {
      for (const peer of this.#peers) peer.check();
    }, secondMs);
    if (!isLoopback(bind)) this.#silence = await announce({ name: info.name, bind, httpPort: this.port, oscPort: info.oscPort }, warn);
  }

  #root(): Node {
    return (this.#tree ??= treeOf(this.#options.space, this.#options.info.version));
  }

  #hostInfo(): Json {
    const { name, oscPort } = this.#options.info;
    return {
      NAME: name,
      OSC_PORT: oscPort,
      OSC_TRANSPORT: 'UDP',
      WS_PORT: this.port,
      EXTENSIONS: Object.fromEntries(EXTENSIONS.map((extension) => [extension, true])),
    };
  }

  // ── WebSocket ──

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refused = refusal(request);
    if (refused) {
      socket.once('finish', () => socket.destroy());
      socket.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(refused)}\r\n\r\n${refused}`);
    } else this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#welcome(webSocket, request));
  }

  #welcome(socket: WebSocket, { socket: { remoteAddress = '', remotePort = 0 } }: IncomingMessage): void {
    const host = isIPv6(remoteAddress) ? `[${remoteAddress}]` : remoteAddress;
    const peer = new Peer(socket, this.#options.nextClientId(), `ws ${host}:${remotePort}`);
    this.#peers.add(peer);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      peer.heard = true;
      if (isBinary) this.#options.receive(data, peer);
      else this.#command(peer, data);
      peer.pauseIfBehind();
    });
    // What it did wrong has been told to it by the code it is closed with.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#peers.delete(peer);
      this.#listening.forget(peer);
      this.#options.gone(peer);
    });
  }

  #command(peer: Peer, text: Buffer): void {
    const command = text.length > MAX_TEXT ? undefined : readCommand(text.toString());
    if (!command) return peer.fail('command', 'not a command; send {"COMMAND": "LISTEN" or "IGNORE", "DATA": an address}');
    const { COMMAND, DATA } = command;
    if (COMMAND === 'IGNORE') return this.#listening.remove(peer, DATA);
    const wrong = this.#listening.add(peer, DATA);
    if (wrong) peer.fail('LISTEN', `${DATA}: ${wrong}`);
  }
}

interface Command {
  readonly COMMAND: 'LISTEN' | 'IGNORE';
  readonly DATA: string;
}

function readCommand(text: string): Command | undefined {
  try {
    const command = JSON.parse(text) as Partial<Command> | null;
    const isKnown = command?.COMMAND === 'LISTEN' || command?.COMMAND === 'IGNORE';
    return isKnown && typeof command.DATA === 'string' ? (command as Command) : undefined;
  } catch {
    return undefined;
  }
}

function cannotListen(bind: string, port: number, error: NodeJS.ErrnoException): KrellError {
  const isTaken = error.code === 'EADDRINUSE';
  const hint = isTaken || error.code === 'EACCES' ? 'give another with --http-port' : 'give an address of this machine with --bind';
  return new KrellError('port', `HTTP port ${port} at ${bind}: ${isTaken ? 'it is in use' : error.message}`, { hint, cause: error });
}
