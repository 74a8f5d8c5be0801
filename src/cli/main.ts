#!/usr/bin/env node
// The `krell` program: finds the command, reads its arguments, runs it, turns what goes wrong into one line and an exit code.
import '../v8-flags.js';
import { readFileSync } from 'node:fs';
import { didYouMean } from '../control/names.js';
import { KrellError, UsageError } from '../errors.js';
import { helpOf, parseCommandLine, type Command } from './args.js';
import { columns } from './terminal.js';

const FAILED = 1;
const WRONG_USAGE = 2;

/** Loaded when needed: `krell modules` should not wait for the engine. */
const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  play: () => import('./commands/play.js'),
  render: () => import('./commands/render.js'),
  check: () => import('./commands/check.js'),
  modules: () => import('./commands/modules.js'),
  devices: () => import('./commands/devices.js'),
  send: () => import('./commands/send.js'),
  monitor: () => import('./commands/monitor.js'),
  'osc-page': () => import('./commands/osc-page.js'),
  bench: () => import('./commands/bench.js'),
  stress: () => import('./commands/stress.js'),
  stats: () => import('./commands/stats.js'),
  'new-module': () => import('./commands/new-module.js'),
};

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const rows = commands.map(({ command }) => [`  ${command.name}`, command.summary]);
  return [
    'Krell, a modular synthesizer for Node.js.',
    '',
    'Usage: krell <command> [options]',
    '',
    columns(rows),
    '',
    "'krell <command> --help' tells more; 'krell --version' tells the version.",
  ].join('\n');
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) throw new UsageError('needs a command', { hint: didYouMean('', Object.keys(COMMANDS)) });
  if (name === '--help' || name === '-h') return print(await overview());
  if (name === '--version') return print(version());
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) throw new UsageError(`unknown command '${name}'`, { hint: didYouMean(name, Object.keys(COMMANDS)) });
  where = `krell ${name}`;
  const { command } = await load();
  const parsed = parseCommandLine(command, args);
  return parsed ? command.run(parsed.operands, parsed.options) : print(helpOf(command));
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** What the user typed so far, for messages. */
let where = 'krell';

/** Says what went wrong. An error that is not Krell's own is a bug: it gets the hint for reporting it. */
function report(error: unknown): number {
  const isExpected = error instanceof KrellError;
  const message = error instanceof Error ? error.message : String(error);
  let text = `${where}: ${isExpected ? message : `unexpected error: ${message.split('\n')[0]}`}\n`;
  if (error instanceof UsageError) text += `'${where} --help' shows what is possible\n`;
  if (process.env['KRELL_DEBUG'] && error instanceof Error) text += `${error.stack}\n`;
  else if (!isExpected) text += 'this is a bug in krell; set KRELL_DEBUG=1 to see where it happened\n';
  process.stderr.write(text);
  return error instanceof UsageError ? WRONG_USAGE : FAILED;
}

process.on('uncaughtException', (error) => process.exit(report(error)));

// A reader that leaves (`krell modules | head -3`) and a terminal that is closed are no errors: the rest is for nobody.
const isNobody = (error: NodeJS.ErrnoException): boolean => error.code === 'EPIPE' || error.code === 'EIO';
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    if (!isNobody(error)) process.exit(report(unwritable(error)));
  });
const unwritable = ({ code, message }: NodeJS.ErrnoException): KrellError =>
  new KrellError('unwritable', `cannot write what there is to say: ${code === 'ENOSPC' ? 'the disk is full' : message}`);

const code = await run(process.argv.slice(2)).catch(report);
// Whatever a sound driver keeps open must not keep the process: flush, then go.
process.stdout.write('', (error) => process.exit(error && !isNobody(error) ? report(unwritable(error)) : code));
