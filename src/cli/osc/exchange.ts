// One message to the engine, and what it says to that.
import { commandAt } from '../../osc/commands.js';
import type { DecodedMessage } from '../../osc/decode.js';
import { isPattern } from '../../osc/match.js';
import { encodePacket, type Message, type OscClient } from './client.js';

/** Seconds without a further message after which nothing more is expected. */
const SILENCE_S = 2;
const NOTIFY = '/engine/notify';
const SYNC = '/engine/sync';

export interface Answer {
  readonly replies: readonly DecodedMessage[];
  /** `silent`: there should have been an answer. */
  readonly outcome: 'ok' | 'failed' | 'silent';
}

/** Sends a message, `inS` seconds from now if that is given. @throws KrellError `refused` when nobody listens, `unreachable` */
export async function ask(client: OscClient, message: Message, options: { waitS?: number; inS?: number } = {}): Promise<Answer> {
  if (client.isLocal || message.address === NOTIFY) return exchange(client, message, options);
  // Strangers are not told more than they have sent.
  client.send(switchNotify(1));
  const answer = await exchange(client, message, options);
  client.send(switchNotify(0));
  return { ...answer, replies: answer.replies.filter((reply) => !isVerdict(reply, NOTIFY)) };
}

const switchNotify = (on: number): Uint8Array => encodePacket({ address: NOTIFY, args: [{ type: 'i', value: on }] });

async function exchange(
  client: OscClient,
  message: Message,
  { waitS = SILENCE_S, inS }: { waitS?: number; inS?: number },
): Promise<Answer> {
  // A command says that it is done. For all else, which may not be answered when it goes well, the engine is asked afterwards.
  const isCommand = commandAt.has(message.address);
  const last = isCommand ? message.address : SYNC;
  const silenceMs = (waitS + (isCommand ? (inS ?? 0) : 0)) * 1000;
  const replies: DecodedMessage[] = [];
  const isAnswered = await new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), silenceMs);
    client.onFailed = (error) => {
      clearTimeout(timer);
      reject(error);
    };
    client.onMessage = (reply) => {
      timer.refresh();
      const isLast = isVerdict(reply, last);
      if (isCommand || !(isLast || isAside(reply, message.address))) replies.push(reply);
      if (!isLast) return;
      clearTimeout(timer);
      resolve(true);
    };
    client.send(encodePacket(message, inS === undefined ? undefined : Date.now() + inS * 1000));
    if (!isCommand) client.send(encodePacket({ address: SYNC, args: [] }));
  });
  const isFailure = replies.some(({ address }) => address === '/fail');
  return { replies, outcome: isFailure ? 'failed' : isAnswered ? 'ok' : 'silent' };
}

/** What the engine says of its own addresses to a pattern that was meant for modules. */
const isAside = ({ address, args }: DecodedMessage, asked: string): boolean =>
  address === '/done' && isPattern(asked) && !asked.startsWith('/engine') && commandAt.has(String(args[0]?.value));

const isVerdict = ({ address, args }: DecodedMessage, about: string): boolean =>
  (address === '/done' || address === '/fail') && args[0]?.value === about;
