// Options as data: values, defaults, mistakes and the help text.
import { defineCommand, helpOf, parseCommandLine } from '#src/cli/args.js';
import { UsageError } from '#src/errors.js';
import { describe, expect, it } from 'vitest';

const command = defineCommand({
  name: 'bake',
  summary: 'Bakes bread.',
  operands: { name: 'dough', min: 1, max: 2, help: 'what to bake' },
  options: {
    out: { type: 'text', short: 'o', value: 'plate', required: true, help: 'where it goes' },
    heat: { type: 'number', value: 'C', min: 50, max: 250, default: 200, help: 'temperature' },
    loaves: { type: 'number', value: 'N', min: 1, max: 8, only: 'integers', otherwise: 'what fits', help: 'how many' },
    shelf: { type: 'number', value: 'N', min: 1, max: 8, only: 'powers of two', default: 2, help: 'which' },
    crust: { type: 'choice', values: ['soft', 'crisp'], default: 'crisp', help: 'outside' },
    note: { type: 'text', value: 'text', help: 'to print' },
    json: { type: 'flag', help: 'print one JSON object' },
  },
  run: () => Promise.resolve(0),
});
const parse = (line: string) => parseCommandLine(command, line.split(' '));

/** The error that a command line gives, as its kind and message. */
function errorOf(line: string): string {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof UsageError) return `${error.code}: ${error.message}`;
  }
  return 'none';
}

describe('parseCommandLine', () => {
  it('gives defaults for what is not given', () => {
    expect(parse('rye -o plate')).toEqual({
      operands: ['rye'],
      options: { out: 'plate', heat: 200, loaves: undefined, shelf: 2, crust: 'crisp', note: undefined, json: false },
    });
  });

  it('reads options anywhere, with a blank or =, and after -- none', () => {
    expect(parse('--heat 99.5 rye --loaves=3 -oplate --crust soft --json --shelf 8 -- --wheat')).toEqual({
      operands: ['rye', '--wheat'],
      options: { out: 'plate', heat: 99.5, loaves: 3, shelf: 8, crust: 'soft', note: undefined, json: true },
    });
  });

  it('takes a value that begins with a minus for a value', () => {
    expect(parse('rye -o plate --note -5')!.options.note).toBe('-5');
  });

  it('takes a negative number for an operand', () => {
    expect(parse('-12.5 -.5 -o plate')!.operands).toEqual(['-12.5', '-.5']);
  });

  it.each(['--help', 'rye -h', '-o plate --help'])('returns nothing for %s', (line) => {
    expect(parse(line)).toBeUndefined();
  });

  it.each([
    ['rye -o plate --heet 3', "usage: unknown option '--heet'; did you mean '--heat'?"],
    ['rye -o plate -x', "usage: unknown option '-x'"],
    ['rye -o plate --constructor', "usage: unknown option '--constructor'"],
    ['rye -o plate --json=yes', 'usage: --json takes no value'],
    ['rye -o plate --heat', 'usage: --heat needs a value; write --heat <C>'],
    ['rye -o --json', 'usage: -o needs a value; write -o <plate>'],
    ['rye', 'usage: needs --out <plate>'],
    ['-o plate', 'usage: needs a dough'],
    ['rye wheat oat -o plate', "usage: unexpected argument 'oat'"],
  ])('calls a wrong use what it is: %s', (line, message) => {
    expect(errorOf(line)).toContain(message);
  });

  it.each([
    ['--heat 49.9', "usage: --heat: '49.9' is not possible; give a number from 50 to 250"],
    ['--heat 251', 'give a number from 50 to 250'],
    ['--heat NaN', 'give a number from 50 to 250'],
    ['--heat Infinity', 'give a number from 50 to 250'],
    ['--heat=', 'give a number from 50 to 250'],
    ['--heat warm', 'give a number from 50 to 250'],
    ['--loaves 2.5', 'give a whole number from 1 to 8'],
    ['--loaves -1', 'give a whole number from 1 to 8'],
    ['--shelf 0', 'give a power of two from 1 to 8'],
    ['--shelf 3', 'give a power of two from 1 to 8'],
    ['--crust cripsy', "usage: --crust: 'cripsy' is not possible; did you mean 'crisp'?"],
    ['--note=', 'give a text'],
  ])('calls a wrong value what it is: %s', (options, message) => {
    const error = errorOf(`rye -o plate ${options}`);
    expect(error).toMatch(/^usage: /);
    expect(error).toContain(message);
  });
});

describe('helpOf', () => {
  it('is the table in words', () => {
    expect(helpOf(command)).toBe(`Usage: krell bake <dough>… -o <plate> [options]

Bakes bread.

  <dough>                 what to bake
  -o, --out <plate>       where it goes (required)
      --heat <C>          temperature (a number from 50 to 250, default 200)
      --loaves <N>        how many (a whole number from 1 to 8, default what fits)
      --shelf <N>         which (a power of two from 1 to 8, default 2)
      --crust soft|crisp  outside (default crisp)
      --note <text>       to print
      --json              print one JSON object
  -h, --help              show this text`);
  });

  it('names what follows the first operand', () => {
    const operands = { name: 'dough', others: 'topping', min: 1, max: Infinity, help: 'what to bake' };
    expect(helpOf({ ...command, operands } as never)).toMatch(/^Usage: krell bake <dough> \[topping\]… -o/);
  });
});
