// `krell stats`: how the engine that plays is doing.
import { setTimeout as sleep } from 'node:timers/promises';
import { KrellError } from '../../errors.js';
import { defineCommand, JSON_OPTION, OSC_OPTIONS } from '../args.js';
import { OscClient } from '../osc/client.js';
import { ask } from '../osc/exchange.js';
import { plainArg } from '../osc/values.js';
import { abortOnInterrupt } from '../signals.js';
import { columns } from '../terminal.js';

const STATUS = '/engine/status';

export const command = defineCommand({
  name: 'stats',
  summary: 'Shows how the engine that plays is doing.',
  options: {
    ...OSC_OPTIONS,
    watch: { type: 'number', value: 's', min: 0.1, max: 3600, otherwise: 'once', help: 'again every so many seconds, until Ctrl-C' },
    json: JSON_OPTION,
  },

  async run(_, { host, port, watch, json }) {
    const interrupt = abortOnInterrupt();
    const client = await OscClient.open(host, port);
    try {
      for (;;) {
        const status = await statusOf(client);
        process.stdout.write(
          json ? `${JSON.stringify(status)}\n` : `${columns(Object.entries(status).map(([name, value]) => [name, String(value)]))}\n`,
        );
        if (watch === undefined || interrupt.aborted) return 0;
        await sleep(watch * 1000, undefined, { signal: interrupt }).catch(() => {});
        if (interrupt.aborted) return 0;
        if (!json) process.stdout.write('\n');
      }
    } finally {
      await client.close();
    }
  },
});

/** Names and values, as `/engine/status` answers them in turn, on as many pages as it takes. @throws KrellError when it does not */
async function statusOf(client: OscClient): Promise<Record<string, unknown>> {
  const { replies, outcome } = await ask(client, { address: STATUS, args: [] });
  if (outcome !== 'ok')
    throw new KrellError('no-answer', `${client.host}:${client.port} does not tell its status`, { hint: 'is that krell?' });
  const pages = replies.filter(({ address }) => address === STATUS).map(({ args }) => args.map(plainArg).slice(2));
  const items = pages.flat();
  return Object.fromEntries(Array.from({ length: items.length >> 1 }, (_, i) => [String(items[2 * i]), items[2 * i + 1]]));
}
