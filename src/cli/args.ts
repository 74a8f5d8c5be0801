// Options of commands, declared as data: parsing, checking and `--help` all read the same table.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { DEFAULT_MEMORY_BYTES } from '../control/arena.js';
import { didYouMean } from '../control/names.js';
import type { EngineOptions } from '../control/options.js';
import { LIMITS } from '../control/patch/limits.js';
import { UsageError } from '../errors.js';

interface Described {
  readonly help: string;
  /** One letter: `-o`. */
  readonly short?: string;
}
/** On when given. */
interface FlagOption extends Described {
  readonly type: 'flag';
}
interface TextOption extends Described {
  readonly type: 'text';
  /** What stands for the value in the help text. */
  readonly value: string;
  readonly required?: true;
  readonly default?: string;
}
interface NumberOption extends Described {
  readonly type: 'number';
  readonly value: string;
  readonly min: number;
  readonly max: number;
  readonly only?: 'integers' | 'powers of two';
  readonly default?: number;
  /** What is taken when there is no default. */
  readonly otherwise?: string;
}
interface ChoiceOption extends Described {
  readonly type: 'choice';
  readonly values: readonly string[];
  readonly default: string;
}
export type Option = FlagOption | TextOption | NumberOption | ChoiceOption;
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends FlagOption
  ? boolean
  : O extends ChoiceOption
    ? O['values'][number]
    : O extends NumberOption
      ? number | (O extends { default: number } ? never : undefined)
      : string | (O extends { required: true } | { default: string } ? never : undefined);
export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> };

export interface Operands {
  readonly name: string;
  /** What those after the first are called, when that is something else. */
  readonly others?: string;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  readonly operands?: Operands;
  readonly options: O;
  /** Does it; what it returns is the exit code. */
  run(operands: readonly string[], options: Values<O>): Promise<number>;
}
export const defineCommand = <const O extends Options>(command: Command<O>): Command<O> => command;

/** Options that several commands have. */
export const JSON_OPTION = { type: 'flag', help: 'print one JSON object' } as const satisfies Option;
const MIB = 1024 ** 2;
export const ENGINE_OPTIONS = {
  rate: { type: 'number', value: 'Hz', min: 8000, max: 192_000, only: 'integers', default: 48_000, help: 'sample rate' },
  block: {
    type: 'number',
    value: 'frames',
    min: 16,
    max: 1024,
    only: 'powers of two',
    otherwise: 'what suits; it sounds the same',
    help: 'frames computed at a time',
  },
  workers: { type: 'number', value: 'N', min: 1, max: 16, only: 'integers', otherwise: 'what the cores suggest', help: 'DSP threads' },
  'max-modules': {
    type: 'number',
    value: 'N',
    min: 1,
    max: LIMITS.modules,
    only: 'integers',
    default: LIMITS.modules,
    help: 'how many modules a patch may have',
  },
  memory: {
    type: 'number',
    value: 'MiB',
    min: 1,
    max: 4000,
    only: 'integers',
    default: DEFAULT_MEMORY_BYTES / MIB,
    help: 'for module state, plans and delay lines',
  },
} as const satisfies Options;

/** The same as the engine wants to be told of it. */
export const engineOptions = (options: Values<typeof ENGINE_OPTIONS>): EngineOptions => ({
  sampleRate: options.rate,
  maxModules: options['max-modules'],
  memoryBytes: options.memory * MIB,
  ...given({ blockFrames: options.block, workers: options.workers }),
});

/** Where the engine is that a command talks to. */
export const OSC_OPTIONS = {
  host: { type: 'text', value: 'name', default: '127.0.0.1', help: 'where krell plays' },
  port: { type: 'number', value: 'N', min: 1, max: 65_535, only: 'integers', default: 9000, help: 'its OSC port' },
} as const satisfies Options;

/** `values` without those that were not given: what is optional may be absent, not undefined. */
export const given = <T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * Reads the arguments after the command's name.
 * @returns `undefined` when help was asked for.
 * @throws UsageError for unknown options, values that an option cannot take, and a wrong number of operands.
 */
export function parseCommandLine<O extends Options>(
  command: Command<O>,
  args: readonly string[],
): { operands: string[]; options: Values<O> } | undefined {
  const { tokens } = parseArgs({ args: [...args], options: parseConfig(command.options), strict: false, tokens: true });
  const operands: string[] = [];
  const texts: Record<string, string | boolean> = {};
  let negative = -1;
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    // `-12` is a number, not the options -1 and -2.
    if (NEGATIVE.test(args[token.index]!)) {
      if (token.index > negative) operands.push(args[token.index]!);
      negative = token.index;
      continue;
    }
    if (token.name === 'help') return undefined;
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (!option)
      throw new UsageError(`unknown option '${token.rawName}'`, {
        hint: didYouMean(token.rawName, optionNames(command.options)),
      });
    if (option.type === 'flag') {
      if (token.inlineValue) throw new UsageError(`${token.rawName} takes no value`);
      texts[token.name] = true;
    } else {
      const isMissing = token.value === undefined || (!token.inlineValue && token.value.startsWith('--'));
      if (isMissing) throw new UsageError(`${token.rawName} needs a value`, { hint: `write ${token.rawName} ${placeholder(option)}` });
      texts[token.name] = token.value!;
    }
  }
  checkOperands(command.operands, operands);
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [name, readValue(`--${name}`, option, texts[name])]),
  );
  return { operands, options: options as Values<O> };
}

const NEGATIVE = /^-\.?\d/;

const parseConfig = (options: Options): ParseArgsConfig['options'] => {
  const config: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, option] of Object.entries(options))
    config[name] = { type: option.type === 'flag' ? 'boolean' : 'string', ...(option.short ? { short: option.short } : {}) };
  return config;
};

const optionNames = (options: Options): string[] => [...Object.keys(options), 'help'].map((name) => `--${name}`);

function checkOperands(wanted: Operands | undefined, operands: readonly string[]): void {
  const { name, min, max } = wanted ?? { name: '', min: 0, max: 0 };
  if (operands.length < min) throw new UsageError(`needs a ${name}`);
  if (operands.length > max)
    throw new UsageError(`unexpected argument '${operands[max]}'`, { hint: max > 0 ? `takes one ${name} only` : undefined });
}

function readValue(name: string, option: Option, given: string | boolean | undefined): string | number | boolean | undefined {
  if (option.type === 'flag') return given === true;
  if (typeof given !== 'string') {
    if (option.type === 'text' && option.required) throw new UsageError(`needs ${name} ${placeholder(option)}`);
    return 'default' in option ? option.default : undefined;
  }
  const invalid = (hint?: string): UsageError => new UsageError(`'${given}' is not possible`, { path: name, hint });
  if (option.type === 'text') {
    if (given === '') throw invalid(`give a ${option.value}`);
    return given;
  }
  if (option.type === 'choice') {
    if (!option.values.includes(given)) throw invalid(didYouMean(given, option.values));
    return given;
  }
  const number = given.trim() === '' ? NaN : Number(given);
  const isWanted = option.only === 'powers of two' ? Number.isInteger(Math.log2(number)) : !option.only || Number.isInteger(number);
  if (!(number >= option.min && number <= option.max && isWanted)) throw invalid(`give ${rangeOf(option)}`);
  return number;
}

const rangeOf = ({ min, max, only }: NumberOption): string => {
  const kind = only === 'powers of two' ? 'a power of two' : only === 'integers' ? 'a whole number' : 'a number';
  return `${kind} from ${min} to ${max}`;
};

// ── help ──

const placeholder = (option: TextOption | NumberOption | ChoiceOption): string =>
  option.type === 'choice' ? option.values.join('|') : `<${option.value}>`;

const usageOf = ({ name, operands, options }: Command): string => {
  const { name: operand = '', min = 0, max = 0 } = operands ?? {};
  const first = min > 0 ? ` <${operand}>` : ` [${operand}]`;
  const rest = operands?.others ? ` [${operands.others}]…` : max > 1 ? '…' : '';
  const operandPart = max === 0 ? '' : first + rest;
  const required = Object.values(options).filter((option) => option.type === 'text' && option.required);
  return `krell ${name}${operandPart}${required.map((o) => ` -${o.short} ${placeholder(o as TextOption)}`).join('')} [options]`;
};

const optionHelp = (option: Option): string => {
  const notes: string[] = [];
  if (option.type === 'number') notes.push(rangeOf(option));
  if (option.type === 'text' && option.required) notes.push('required');
  if ('default' in option) notes.push(`default ${option.default}`);
  if ('otherwise' in option) notes.push(`default ${option.otherwise}`);
  return notes.length > 0 ? `${option.help} (${notes.join(', ')})` : option.help;
};

/** The text of `krell <command> --help`. */
export function helpOf(command: Command): string {
  const { operands, options, summary } = command;
  const rows: [string, string][] = Object.entries({ ...options, help: { type: 'flag', help: 'show this text', short: 'h' } as Option }).map(
    ([name, option]) => [
      `${option.short ? `-${option.short},` : '   '} --${name}${option.type === 'flag' ? '' : ` ${placeholder(option)}`}`,
      optionHelp(option),
    ],
  );
  if (operands) rows.unshift([`<${operands.name}>`, operands.help]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [`Usage: ${usageOf(command)}`, '', summary, '', ...lines].join('\n');
}
