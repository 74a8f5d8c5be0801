// Carries out the commands of COMMANDS that are control's: checks their arguments against the table, runs them, and puts what they say into messages.
import type { Edit } from '../control/edits.js';
import type { Engine } from '../control/engine.js';
import { didYouMean } from '../control/names.js';
import { quote } from '../control/patch/problems.js';
import { KrellError, PatchError } from '../errors.js';
import { readArgs, type Scalar, type Token } from './arguments.js';
import { paddedText } from './bytes.js';
import { COMMANDS, commandAt } from './commands.js';
import { encodeMessage, type Value } from './encode.js';
import type { Folders } from './execute-files.js';
import { modules } from './execute-modules.js';
import { patches } from './execute-patches.js';
import { shortened } from './plain.js';
import type { OutgoingMessage } from './protocol.js';

/** What commands work on. */
export interface Context {
  readonly engine: Engine;
  readonly folders: Folders;
  /** The name by which the patch was loaded or saved last. */
  patchName: string | undefined;
  /** Brings what OSC has set into the patch. */
  flush(): Promise<void>;
  /** Ends the program; undefined when OSC may not. */
  readonly quit: (() => void) | undefined;
}

/** What belongs to one sender. */
export interface Sender {
  /** Edits that wait for `tx/commit`. */
  transaction?: Edit[] | undefined;
}

/** What a command has to say. */
export interface Outcome {
  /** Goes to the command's own address, in pages; no row is parted. */
  readonly data?: readonly (readonly Value[])[];
  /** Goes with `/done`. */
  readonly done?: readonly Value[];
  /** To be done when all that has been sent. */
  readonly afterwards?: () => void;
}

/** Gets the command's arguments in the order of the table, of the kinds it says; undefined for those left out at the end. */
export type Handler = (context: Context, sender: Sender, ...args: never[]) => Outcome | Promise<Outcome>;

const handlers: Readonly<Record<string, Handler>> = { ...modules, ...patches };

/** Carries out one command. Never rejects: what fails is said with `/fail`. */
export async function execute(
  context: Context,
  sender: Sender,
  address: string,
  args: readonly Scalar[],
): Promise<{ messages: OutgoingMessage[]; afterwards?: () => void }> {
  const command = commandAt.get(address);
  let token: Token = [];
  try {
    if (command?.by !== 'control') throw unknown(address);
    const read = readArgs(command, args);
    token = read.token;
    const handler = handlers[address] as (context: Context, sender: Sender, ...args: unknown[]) => Outcome | Promise<Outcome>;
    const { data, done = [], afterwards } = await handler(context, sender, ...read.args);
    const messages = [...(data ? pages(address, data, token) : []), { address: '/done', args: [address, ...done.map(sendable), ...token] }];
    return { messages, ...(afterwards ? { afterwards } : {}) };
  } catch (error) {
    return { messages: [{ address: '/fail', args: [address, sendable(context.folders.censor(failText(error))), ...token] }] };
  }
}

function unknown(address: string): KrellError {
  const known = COMMANDS.flatMap((command) => (command.by === 'control' ? [command.address] : []));
  return new KrellError('unknown-command', `there is no command ${quote(address)}`, { hint: didYouMean(address, known) });
}

// ── replies ──

/** Bytes of a reply: with all headers it must fit into one Ethernet frame. */
const PAGE_BYTES = 1300;

/** Rows in as few messages as possible, each with its number and how many there are; at least one. */
function pages(address: string, rows: readonly (readonly Value[])[], token: Token): OutgoingMessage[] {
  const head = paddedText(Buffer.byteLength(address)) + argBytes([0, 0, ...token]);
  const full: Value[][] = [[]];
  let bytes = head;
  for (const row of rows) {
    const items = row.map(sendable);
    const page = full.at(-1)!;
    const more = argBytes(items);
    const tags = ',ii'.length + page.length + items.length + token.length;
    if (page.length > 0 && bytes + more + paddedText(tags) >= PAGE_BYTES) {
      full.push(items);
      bytes = head + more;
    } else {
      page.push(...items);
      bytes += more;
    }
  }
  return full.map((items, i) => ({ address, args: [i + 1, full.length, ...items, ...token] }));
}

/** Bytes of arguments in a message, without their tags. */
const argBytes = (args: readonly Value[]): number =>
  encodeMessage('/', args).length - paddedText('/'.length) - paddedText(','.length + args.length);

/** An OSC string ends at its first zero byte. */
const sendable = (value: Value): Value => (typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value);

/** What went wrong, a line for each problem of a patch. */
function failText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error instanceof PatchError ? error.message.split('\n').slice(1) : [error.message];
  return shortened(lines.map((line) => line.replace(/^ {2}/, '')).join('\n'));
}
