// A process that floods an OSC port: what another program on the machine would do.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encodeBundle, encodeMessage } from '../../src/osc/codec.js';

export interface Flood {
  readonly port: number;
  readonly addresses: readonly string[];
  /** Messages in a packet: 1 = no bundle. */
  readonly perPacket: number;
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** What every address is set to in the end, plus its number. */
  readonly last: number;
}
export interface Flooded {
  readonly packets: number;
  readonly messages: number;
  readonly seconds: number;
}

const IMMEDIATELY = 1n;
/** Packets are sent in small volleys, as many as are due. */
const VOLLEY_MS = 1;
/** Packets in flight to the kernel. */
const IN_FLIGHT = 256;

async function flood({ port, addresses, perPacket, packetsPerSecond, seconds, last }: Flood): Promise<Flooded> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setSendBufferSize(4 << 20);
  const packetOf = (values: readonly [string, number][]): Uint8Array => {
    const messages = values.map(([address, value]) => encodeMessage(address, [{ type: 'f', value }]));
    return messages.length === 1 ? messages[0]! : encodeBundle(IMMEDIATELY, messages);
  };
  const turns = Array.from({ length: addresses.length }, (_, turn) =>
    packetOf(
      Array.from({ length: perPacket }, (_, i) => [addresses[(turn * perPacket + i) % addresses.length]!, 100 + ((turn + i) % 900)]),
    ),
  );
  let packets = 0;
  let flying = 0;
  const sent = (): void => void flying--;
  const begin = performance.now();
  for (let now = begin; now - begin < seconds * 1000; now = performance.now()) {
    const due = Math.floor(((now - begin) / 1000) * packetsPerSecond);
    while (packets < due && flying < IN_FLIGHT) {
      flying++;
      socket.send(turns[packets++ % turns.length]!, sent);
    }
    await new Promise((resolve) => (flying < IN_FLIGHT ? setTimeout(resolve, VOLLEY_MS) : setImmediate(resolve)));
  }
  const elapsed = (performance.now() - begin) / 1000;
  for (const [i, address] of addresses.entries()) {
    await new Promise((resolve) => socket.send(packetOf([[address, last + i]]), resolve));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  socket.close();
  return { packets, messages: packets * perPacket, seconds: elapsed };
}

process.once('message', (task: Flood) => {
  void flood(task).then((flooded) => process.send!(flooded, () => process.disconnect()));
});
