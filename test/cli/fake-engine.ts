// Something that answers OSC like an engine would, as the test says.
import { createSocket, type RemoteInfo } from 'node:dgram';
import { decode, encodeMessage, type Decoded, type Value } from '#src/osc/codec.js';

export type Reply = readonly [address: string, ...args: Value[]];

/** Answers each packet with what `answer` returns; `received` is all that came. Closes itself after the test by `stop`. */
export async function fakeEngine(answer: (packet: Decoded) => readonly Reply[]) {
  const socket = createSocket('udp4');
  const received: Decoded[] = [];
  socket.on('message', (packet, { port, address }: RemoteInfo) => {
    const decoded = decode(packet);
    if (decoded.kind === 'fault') throw new Error(`refused: ${decoded.reason}`);
    received.push(decoded);
    for (const [reply, ...args] of answer(decoded)) socket.send(encodeMessage(reply, args), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, received, stop: () => socket.close() };
}

/** A UDP port that nobody listens at. */
export async function freePort(): Promise<number> {
  const { port, stop } = await fakeEngine(() => []);
  stop();
  return port;
}
