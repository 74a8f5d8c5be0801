// `krell monitor`: what arrives at a playing engine by OSC, and what it does.
import { printable } from '../../control/patch/problems.js';
import type { DecodedMessage } from '../../osc/decode.js';
import { defineCommand, OSC_OPTIONS } from '../args.js';
import { encodePacket, OscClient, type Message } from '../osc/client.js';
import { plainArg, showMessage } from '../osc/values.js';
import { abortOnInterrupt, pause } from '../signals.js';

/** Seconds between two signs of life: the engine forgets those it has not heard from for a minute. */
const RENEW_S = 5;
/** In this order: strangers may watch only when they have registered. */
const SUBSCRIPTIONS = ['/engine/notify', '/engine/monitor'];
const WIDTHS = { client: 24, message: 40 };

export const command = defineCommand({
  name: 'monitor',
  summary: 'Prints what arrives by OSC at the engine that plays, and what it does, until Ctrl-C.',
  options: {
    ...OSC_OPTIONS,
    seconds: { type: 'number', value: 'N', min: 0.1, max: 604_800, otherwise: 'until Ctrl-C', help: 'how long' },
    json: { type: 'flag', help: 'print one JSON object per line' },
  },

  async run(_operands, { host, port, seconds = Infinity, json }) {
    const interrupt = abortOnInterrupt();
    const gone = new AbortController();
    const client = await OscClient.open(host, port);
    client.onFailed = (error) => gone.abort(error);
    client.onMessage = (message) => {
      if (isAboutUs(message)) return;
      const time = new Date();
      process.stdout.write(`${json ? JSON.stringify({ time, ...plain(message) }) : lineOf(time, message)}\n`);
    };
    const end = performance.now() + seconds * 1000;
    const signal = AbortSignal.any([interrupt, gone.signal]);
    try {
      process.stderr.write(`watching ${host}:${port}\n`);
      for (let left = seconds; left > 0 && !signal.aborted; left = (end - performance.now()) / 1000) {
        for (const address of SUBSCRIPTIONS) client.send(encodePacket(switchOf(address, true)));
        await pause(Math.min(left, RENEW_S), signal);
      }
      gone.signal.throwIfAborted();
      for (const address of SUBSCRIPTIONS) client.send(encodePacket(switchOf(address, false)));
      return 0;
    } finally {
      await client.close();
    }
  },
});

const switchOf = (address: string, on: boolean): Message => ({ address, args: [{ type: 'i', value: on ? 1 : 0 }] });

/** Answers to our own signs of life. */
function isAboutUs({ address, args }: DecodedMessage): boolean {
  const about = address === '/done' ? args[0] : address === '/monitor' ? args[1] : undefined;
  return about !== undefined && SUBSCRIPTIONS.includes(String(about.value));
}

interface Arrival {
  readonly client: string;
  readonly address: string;
  readonly args: string;
  readonly did: string;
}

/** What a `/monitor` tells: texts all four. */
function arrivalOf({ address, args }: DecodedMessage): Arrival | undefined {
  if (address !== '/monitor' || args.length < 4) return undefined;
  const [client, to, values, did] = args.map(({ value }) => String(value));
  return { client: client!, address: to!, args: values!, did: did! };
}

const plain = (message: DecodedMessage): object => arrivalOf(message) ?? { address: message.address, args: message.args.map(plainArg) };

function lineOf(time: Date, message: DecodedMessage): string {
  const clock = `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, '0')}`;
  const arrival = arrivalOf(message);
  if (!arrival) return `${clock}  ${''.padEnd(WIDTHS.client)}  ${showMessage(message)}`;
  const { client, address, args, did } = arrival;
  const text = printable(`${address} ${args}`.trim());
  return `${clock}  ${printable(client).padEnd(WIDTHS.client)}  ${text.padEnd(WIDTHS.message)}  ${printable(did)}`.trimEnd();
}
