// Arguments of commands, checked against the table.
import { quote } from '../control/patch/problems.js';
import { KrellError } from '../errors.js';
import { usageOf, type CommandArg, type EngineCommand } from './commands.js';
import type { Arg } from './decode.js';

export type Scalar = number | string | boolean | null;

/** The whole number that a sender wants to see again at the end of each reply; empty when it gave none. */
export type Token = readonly Arg[];

const tokenOf = (number: number): Token =>
  (number | 0) === number ? [{ type: 'i', value: number }] : [{ type: 'h', value: BigInt(number) }];

/** Arguments by the table; a whole number after all of them is the sender's token. @throws KrellError that says how the command is used */
export function readArgs(command: EngineCommand, given: readonly Scalar[]): { args: Scalar[]; token: Token } {
  const args: Scalar[] = [];
  for (const arg of command.args) {
    const next = given[args.length];
    const value = next === undefined ? undefined : valueFor(arg, next);
    if (value !== undefined) args.push(value);
    else if (arg.optional) break;
    else throw misuse(command, next === undefined ? `${arg.name} is missing` : `${arg.name} is ${nameOf(next)}, not ${WANTED[arg.kind]}`);
  }
  const [token, ...more] = given.slice(args.length);
  if (token === undefined) return { args, token: [] };
  if (more.length > 0 || !Number.isSafeInteger(token)) throw misuse(command, `${nameOf(token)} is one argument too many`);
  return { args, token: tokenOf(token as number) };
}

const WANTED: Readonly<Record<CommandArg['kind'], string>> = {
  text: 'text',
  number: 'a number',
  integer: 'a whole number',
  toggle: 'true or false',
  value: 'a value',
};

function valueFor({ kind }: CommandArg, value: Scalar): Scalar | undefined {
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : undefined;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'integer':
      return Number.isInteger(value) ? value : undefined;
    case 'toggle':
      return value === true || value === 1 ? true : value === false || value === 0 ? false : undefined;
    case 'value':
      return value === null || Number.isNaN(value) ? undefined : value;
  }
}

const nameOf = (value: Scalar): string => (typeof value === 'string' ? quote(value) : String(value));

function misuse(command: EngineCommand, message: string): KrellError {
  const example = command.example === '' ? '' : `, as in ${command.address} ${command.example}`;
  return new KrellError('usage', message, { hint: `use ${usageOf(command)}${example}` });
}
