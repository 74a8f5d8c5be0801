// The OSC thread: sockets, and all that comes through them. It never waits for control, and the audio never waits for it.
import { parentPort, workerData } from 'node:worker_threads';
import { favour } from '../realtime/priority.js';
import { CONTROL, RUN_PLAYING } from '../shared/layout.js';
import { AddressTable } from './addresses.js';
import type { Client } from './client.js';
import { EngineClock } from './clock.js';
import { Desk } from './desk.js';
import { Dispatcher } from './dispatcher.js';
import { Held } from './held.js';
import { LiveInput } from './input.js';
import { ControlLink } from './link.js';
import { openPorts } from './ports.js';
import type { FromOsc, OscThreadOptions, ToOsc } from './protocol.js';
import { Replies } from './replies.js';
import { Space } from './space.js';

/** Milliseconds between two looks at the clock, and between two flushes while something waits for room. */
const TICK_MS = 20;
const FLUSH_MS = 1;
/** Milliseconds that control has to wait for room, at most. */
const FLUSH_WITHIN_MS = 500;
/** After as many milliseconds without a look this thread has stood still, and what has come meanwhile is old. */
const STOOD_STILL_MS = 1000;
/** Milliseconds that it may then take to read what has come. */
const CATCH_UP_MS = 200;

favour();
const options = workerData as OscThreadOptions;
const memory = options.memory.buffer as unknown as SharedArrayBuffer;
const words = new Int32Array(memory);
const post = (message: FromOsc): void => parentPort!.postMessage(message);

const space = new Space(memory);
const clock = new EngineClock(words);
const table = new AddressTable(space, clock.sampleRate);
const input = new LiveInput(memory, space);
const replies = new Replies(options.trustLoopback);
const link = new ControlLink(post, replies, input);
const held = new Held();
const desk = new Desk({ replies, link, table, clock, space, held, version: options.version });
const dispatcher = new Dispatcher({ words, table, input, clock, replies, desk });

let clients = 0;
let tickedAt = performance.now();
let behindUntil = 0;
let flushing: NodeJS.Timeout | undefined;

/** A fault here is one packet's or one message's, not the thread's. */
const survive = (): void => void Atomics.add(words, CONTROL.OSC_FAULTS, 1);
process.on('uncaughtException', survive);
process.on('unhandledRejection', survive);

function receive(packet: Uint8Array, client: Client): void {
  const now = performance.now();
  if (now - tickedAt > STOOD_STILL_MS) fallBehind(now);
  dispatcher.receive(packet, client);
  if (input.hasWaiting) flushing ??= setTimeout(flush, FLUSH_MS);
}

function fallBehind(now: number): void {
  tickedAt = now;
  behindUntil = now + CATCH_UP_MS;
  input.isBehind = true;
}

function flush(): void {
  flushing = undefined;
  if (!input.flush()) flushing = setTimeout(flush, FLUSH_MS);
}

/** Control is about to say something that is to come after what OSC has said: what waits for room goes first. */
function answerFlush(request: number, end: number): void {
  const now = performance.now();
  const mayWait = now < end && Atomics.load(words, CONTROL.RUN) === RUN_PLAYING;
  if (input.flush() || !mayWait) link.flush(request, now);
  else setTimeout(answerFlush, FLUSH_MS, request, end);
}

function tick(): void {
  const now = performance.now();
  if (now - tickedAt > STOOD_STILL_MS) fallBehind(now);
  tickedAt = now;
  if (input.isBehind && now > behindUntil) input.isBehind = false;
  clock.poll();
  link.report(now);
  link.tellRegistered();
  ports?.expire();
}

function gone(client: Client): void {
  replies.gone(client);
  desk.gone(client);
  link.gone(client);
}

const isRegistered = (client: Client): boolean => replies.isRegistered(client);

function take(message: ToOsc): void {
  switch (message.kind) {
    case 'table': {
      const change = space.update(message);
      for (const target of table.update(change)) input.forget(target);
      return ports?.spaceChanged(change);
    }
    case 'reply':
      return link.reply(message.request, message.messages);
    case 'push':
      return replies.push(message.messages);
    case 'changed':
      return link.changed();
    case 'flush':
      return answerFlush(message.request, performance.now() + FLUSH_WITHIN_MS);
    case 'stop':
      return void stop();
  }
}

async function stop(): Promise<void> {
  clearInterval(ticking);
  clearTimeout(flushing);
  held.close();
  await ports?.close();
  parentPort!.close();
}

const ports = await openPorts(options, { space, receive, gone, isRegistered, nextClientId: () => ++clients }).catch((error: unknown) => {
  const { code = 'osc', message, hint } = error as { code?: string; message: string; hint?: string };
  // The text of an error ends with its hint, which goes beside it here.
  if (hint === undefined) post({ kind: 'failed', code, message });
  else post({ kind: 'failed', code, message: message.replace(`; ${hint}`, ''), hint });
});
const ticking = setInterval(tick, TICK_MS);
if (ports) {
  for (const { host, port, at } of options.registered) {
    const client = ports.sender(host, port);
    replies.register(client, (at === port ? undefined : client.atPort?.(at)) ?? client);
  }
  parentPort!.on('message', take);
  post({ kind: 'listening', oscPort: ports.oscPort, httpPort: ports.httpPort });
} else await stop();
