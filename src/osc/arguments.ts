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
    // Only a whole number that ends the message is the token; anything else was meant for this argument.
    else if (arg.optional && isToken(given.slice(args.length))) break;
    else throw misuse(command, next === undefined ? `${arg.name} is missing` : `${arg.name} is ${nameOf(next)}, not ${wanted(arg)}`);
  }
  const rest = given.slice(args.length);
  if (!isToken(rest)) throw misuse(command, `${nameOf(rest[0]!)} is one argument too many`);
  return { args, token: rest.length === 0 ? [] : tokenOf(rest[0] as number) };
}

/** Whether what is left of the arguments is a token, or none. */
const isToken = (rest: readonly Scalar[]): boolean => rest.length === 0 || (rest.length === 1 && Number.isSafeInteger(rest[0]));

const WANTED: Readonly<Record<CommandArg['kind'], string>> = {
  text: 'text',
  number: 'a number',
  integer: 'a whole number',
  toggle: 'true or false',
  value: 'a value',
};

/** `a number of seconds` */
const wanted = ({ kind, unit }: CommandArg): string => (unit === undefined ? WANTED[kind] : `${WANTED[kind]} of ${unit}`);

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
