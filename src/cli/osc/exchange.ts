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
export async function ask(client: OscClient, message: Message, { waitS, inS }: { waitS?: number; inS?: number } = {}): Promise<Answer> {
  const { address } = message;
  const isCommand = commandAt.has(address);
  const isAnswered = isCommand || message.args.length === 0;
  // Strangers are not told more than they have sent.
  if (!client.isLocal && address !== NOTIFY) client.send(encodePacket({ address: NOTIFY, args: [{ type: 'i', value: 1 }] }));
  const silenceMs = (waitS ?? (isCommand ? COMMAND_SILENCE_S : SILENCE_S)) * 1000 + (isAnswered ? (inS ?? 0) * 1000 : 0);
  const replies = await new Promise<DecodedMessage[]>((resolve, reject) => {
    const received: DecodedMessage[] = [];
    const timer = setTimeout(() => resolve(received), silenceMs);
    client.onRefused = () => {
      clearTimeout(timer);
      reject(client.refusal());
    };
    client.onMessage = (reply) => {
      if (reply.address === '/done' && about(reply) === NOTIFY && address !== NOTIFY) return;
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

/** What a `/done` or `/fail` is about. */
const about = ({ args }: DecodedMessage): unknown => args[0]?.value;
const isVerdict = (reply: DecodedMessage, address: string): boolean =>
  (reply.address === '/done' || reply.address === '/fail') && about(reply) === address;
