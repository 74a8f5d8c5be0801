// Who sends to us, and may be answered.

/** A UDP port of some host. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Client {
  /** The same as long as it is there; no other client ever has it. */
  readonly id: number;
  /** For people: `udp 127.0.0.1:5000`. */
  readonly label: string;
  /** A connection of its own (TCP, WebSocket): what it says of itself is true, so it counts as registered. */
  readonly isStream: boolean;
  /** A datagram sender on this machine. */
  readonly isLocal?: boolean;
  /** Datagram senders: where they are. */
  readonly place?: Place;
  /** Datagram senders: another port of the same host, undefined when it cannot be one. */
  atPort?(port: number): Client | undefined;
  /** Whether nothing more can be sent to it now. */
  isFull?(): boolean;
  /** @returns false when it could not be sent: what may wait for a slow reader is bounded. */
  send(packet: Uint8Array): boolean;
}
