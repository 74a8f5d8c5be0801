// A player at the other end of a wire: what must arrive goes over TCP and is answered, what may be lost over UDP.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encodeMessage, type DecodedMessage, type Value } from '#src/osc/codec.js';
import { frame, Unframer } from '#src/osc/framing.js';

const ANSWER_MS = 5000;

export class Remote {
  readonly #udp = createSocket('udp4').unref();
  #tcp: Socket | undefined;
  #token = 0;
  readonly #answers = new Map<number, (args: readonly unknown[]) => void>();

  constructor(private readonly port: () => number) {}

  /** Over UDP: may be lost. */
  throw(packet: Uint8Array): void {
    this.#udp.send(packet, this.port(), '127.0.0.1');
  }

  async #connection(): Promise<Socket> {
    if (this.#tcp && !this.#tcp.destroyed) return this.#tcp;
    const socket = connect(this.port(), '127.0.0.1');
    const unframer = new Unframer((packet) => this.#hear(packet));
    socket.on('data', (chunk) => void unframer.take(chunk));
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    return (this.#tcp = socket);
  }

  #hear(packet: Uint8Array): void {
    const { address, args } = decode(packet) as DecodedMessage;
    const token = Number(args.at(-1)?.value);
    if (address === '/done' || address === '/fail') this.#answers.get(token)?.([address, ...args.map(({ value }) => value)]);
  }

  /**
   * Sends messages and then a command that answers when they have been carried out; when the other side dies meanwhile, all again.
   * @returns `/done` or `/fail`, and its arguments
   */
  async tell(
    messages: readonly (readonly [string, ...Value[]])[],
    command = '/engine/sync',
    ...args: Value[]
  ): Promise<readonly unknown[]> {
    for (const end = performance.now() + 4 * ANSWER_MS; performance.now() < end; await sleep(50)) {
      const token = ++this.#token;
      try {
        const socket = await this.#connection();
        const answer = new Promise<readonly unknown[] | undefined>((resolve) => {
          const fail = (): void => resolve(undefined);
          const timer = setTimeout(fail, ANSWER_MS).unref();
          socket.once('close', fail);
          this.#answers.set(token, (heard) => {
            clearTimeout(timer);
            socket.off('close', fail);
            resolve(heard);
          });
        });
        for (const [address, ...values] of messages) socket.write(frame(encodeMessage(address, values), 'length'));
        socket.write(frame(encodeMessage(command, [...args, { type: 'i', value: token }]), 'length'));
        const heard = await answer;
        if (heard) return heard;
        socket.destroy();
      } catch {
        // Nobody there yet.
      } finally {
        this.#answers.delete(token);
      }
    }
    throw new Error(`no answer to ${command}`);
  }

  close(): void {
    this.#tcp?.destroy();
    this.#udp.close();
  }
}
