// One message to the engine, and what it says to that.
import { commandAt } from '../../osc/commands.js';
import type { DecodedMessage } from '../../osc/decode.js';
import { encodePacket, type Message, type OscClient } from './client.js';

/** Seconds without a further message after which nothing more is expected; a command that control carries out may take its time. */
const SILENCE_S = 0.3;
const COMMAND_SILENCE_S = 2;
const NOTIFY = '/engine/notify';

export interface Answer {
  readonly replies: readonly DecodedMessage[];
  /** `silent`: there should have been an answer. */
  readonly outcome: 'ok' | 'failed' | 'silent';
}

/** Sends a message, `inS` seconds from now if that is given. @throws KrellError `refused` when nobody listens */
export async function ask(client: OscClient, message: Message, options: { waitS?: number; inS?: number } = {}): Promise<Answer> {
  if (client.isLocal || message.address === NOTIFY) return exchange(client, message, options);
  // Strangers are not told more than they have sent.
  client.send(notify(1));
  const answer = await exchange(client, message, options);
  client.send(notify(0));
  return { ...answer, replies: answer.replies.filter((reply) => !isVerdict(reply, NOTIFY)) };
}

const notify = (on: number): Uint8Array => encodePacket({ address: NOTIFY, args: [{ type: 'i', value: on }] });

async function exchange(client: OscClient, message: Message, { waitS, inS }: { waitS?: number; inS?: number }): Promise<Answer> {
  const { address } = message;
  const isCommand = commandAt.has(address);
  const isAnswered = isCommand || message.args.length === 0;
  const silenceMs = (waitS ?? (isCommand ? COMMAND_SILENCE_S : SILENCE_S)) * 1000 + (isAnswered ? (inS ?? 0) * 1000 : 0);
  const replies = await new Promise<DecodedMessage[]>((resolve, reject) => {
    const received: DecodedMessage[] = [];
    const timer = setTimeout(() => resolve(received), silenceMs);
    client.onRefused = () => {
      clearTimeout(timer);
      reject(client.refusal());
    };
    client.onMessage = (reply) => {
      received.push(reply);
      timer.refresh();
      if (!isVerdict(reply, address) && (isCommand || !isAnswered || reply.address !== address)) return;
      clearTimeout(timer);
      resolve(received);
    };
    client.send(encodePacket(message, inS === undefined ? undefined : Date.now() + inS * 1000));
  });
  const isFailure = replies.some((reply) => reply.address === '/fail');
  const isSilent = isAnswered && !replies.some((reply) => !isCommand || isVerdict(reply, address));
  return { replies, outcome: isFailure ? 'failed' : isSilent ? 'silent' : 'ok' };
}

const isVerdict = ({ address, args }: DecodedMessage, about: string): boolean =>
  (address === '/done' || address === '/fail') && args[0]?.value === about;
