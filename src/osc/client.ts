// Who sends to us, and may be answered.

export interface Client {
  /** The same as long as it is there; no other client ever has it. */
  readonly id: number;
  /** For people: `udp 127.0.0.1:5000`. */
  readonly label: string;
  /** A connection of its own (TCP, WebSocket): what it says of itself is true, so it counts as registered. */
  readonly isStream: boolean;
  /** A datagram sender on this machine. */
  readonly isLocal?: boolean;
  /** Datagram senders: another port of the same host. */
  atPort?(port: number): Client;
  /** @returns false when it could not be sent: what may wait for a slow reader is bounded. */
  send(packet: Uint8Array): boolean;
}
