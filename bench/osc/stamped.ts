// A thread that notes when a UDP packet reaches it and when it has been dealt with: the OSC thread itself, or one that does nothing else.
import { createSocket, Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

/** Nanoseconds of the clock that all threads share: of the last packet's arrival and end, and how many there were. */
export const [RECEIVED, DONE, COUNT, STAMPS] = [0, 1, 2, 3];

export interface Stamped {
  readonly stamps: BigInt64Array<SharedArrayBuffer>;
}

if (parentPort) {
  const { stamps } = workerData as Stamped;
  const emit = Socket.prototype.emit as (this: Socket, name: string, ...args: unknown[]) => boolean;
  Socket.prototype.emit = function (this: Socket, name: string, ...args: unknown[]): boolean {
    if (name !== 'message') return emit.call(this, name, ...args);
    stamps[RECEIVED] = process.hrtime.bigint();
    const result = emit.call(this, name, ...args);
    stamps[DONE] = process.hrtime.bigint();
    Atomics.add(stamps, COUNT, 1n);
    return result;
  };
  if ('memory' in (workerData as object)) await import('../../src/osc/thread.js');
  else {
    const socket = createSocket('udp4', () => {});
    socket.bind(0, '127.0.0.1', () => parentPort!.postMessage(socket.address().port));
    parentPort.on('message', () => process.exit());
  }
}
