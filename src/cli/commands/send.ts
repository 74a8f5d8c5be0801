// `krell send`: one OSC message to a playing engine, and its answer.
import { didYouMean } from '../../control/names.js';
import { quote } from '../../control/patch/problems.js';
import { UsageError } from '../../errors.js';
import { COMMANDS, commandAt, usageOf, type EngineCommand } from '../../osc/commands.js';
import { isPattern } from '../../osc/match.js';
import { defineCommand, given, JSON_OPTION, OSC_OPTIONS } from '../args.js';
import { OscClient } from '../osc/client.js';
import { ask } from '../osc/exchange.js';
import { plainArg, readArg, showMessage } from '../osc/values.js';
import { columns } from '../terminal.js';

export const command = defineCommand({
  name: 'send',
  summary: 'Sends an OSC message to the engine that plays, and prints what it answers.',
  operands: {
    name: 'address',
    others: 'value',
    min: 0,
    max: Infinity,
    help: "an OSC address, such as /vcf1/cutoff, and what to send there: 3, 0.5, 'text', true, nil; i: f: d: h: s: before it force a type",
  },
  options: {
    ...OSC_OPTIONS,
    wait: { type: 'number', value: 's', min: 0, max: 600, default: 2, help: 'seconds to wait for an answer' },
    at: { type: 'number', value: '+s', min: 0, max: 3600, otherwise: 'at once', help: 'when it is to happen, in seconds from now' },
    list: { type: 'flag', help: "list the engine's own commands" },
    json: JSON_OPTION,
  },

  async run([address, ...texts], { host, port, wait, at, list, json }) {
    if (list) return print(json ? JSON.stringify({ commands: COMMANDS }) : listOf(COMMANDS));
    if (address === undefined) throw new UsageError('needs an address', { hint: 'there is /engine/status; --list shows all commands' });
    checkAddress(address);
    const args = texts.map(readArg);
    const client = await OscClient.open(host, port);
    try {
      const { replies, outcome } = await ask(client, { address, args }, given({ waitS: wait, inS: at }));
      const plain = replies.map((reply) => ({ address: reply.address, args: reply.args.map(plainArg) }));
      if (json) print(JSON.stringify({ address, args: args.map(plainArg), outcome, replies: plain }));
      else if (replies.length > 0) print(replies.map(showMessage).join('\n'));
      if (outcome === 'silent') process.stderr.write(`krell send: no answer from ${host}:${port}\n`);
      return outcome === 'ok' ? 0 : 1;
    } finally {
      await client.close();
    }
  },
});

/** @throws UsageError for what is no address; only warns of a command that this version does not know, since the other end may. */
function checkAddress(address: string): void {
  if (!address.startsWith('/')) throw new UsageError(`${quote(address)} is not an OSC address`, { hint: 'begin it with a slash' });
  if (!address.startsWith('/engine/') || commandAt.has(address) || isPattern(address)) return;
  const hint = didYouMean(address, commandAt.keys());
  process.stderr.write(`krell send: there is no command ${quote(address)}${hint ? `; ${hint}` : ''}\n`);
}

const listOf = (commands: readonly EngineCommand[]): string => columns(commands.map((entry) => [usageOf(entry), entry.summary]));

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
