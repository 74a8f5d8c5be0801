// `krell bench`: measurements, each named by its question, in bench/.
import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { didYouMean } from '../../control/names.js';
import { KrellError } from '../../errors.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { columns } from '../terminal.js';

/** What `run` of a file in bench/ returns. */
interface Report {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly notes: readonly string[];
}
interface Bench {
  run(options: { quick: boolean }): Promise<Report>;
}

const FOLDER = new URL('../../../bench/', import.meta.url);

export const command = defineCommand({
  name: 'bench',
  summary: 'Measures speed; without a name, lists what can be measured.',
  operands: { name: 'name', min: 0, max: 1, help: 'what to measure' },
  options: { quick: { type: 'flag', help: 'a few seconds, rough numbers' }, json: JSON_OPTION },

  async run([name], { quick, json }) {
    const benches = await loadBenches();
    const names = [...benches.keys()];
    if (name === undefined) {
      process.stdout.write(`${json ? JSON.stringify({ benches: names }) : names.join('\n')}\n`);
      return 0;
    }
    const bench = benches.get(name);
    if (!bench) throw new KrellError('unknown-bench', `there is no bench '${name}'`, { hint: didYouMean(name, names) });
    const report = await bench.run({ quick });
    process.stdout.write(`${json ? JSON.stringify(report) : textOf(report)}\n`);
    return 0;
  },
});

/** What can be run in bench/, by name; other files there only help. */
async function loadBenches(): Promise<Map<string, Bench>> {
  const benches = new Map<string, Bench>();
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith('.js')) : [];
  for (const file of files.sort()) {
    const module = (await import(new URL(file, FOLDER).href)) as Partial<Bench>;
    if (typeof module.run === 'function') benches.set(basename(file, '.js'), module as Bench);
  }
  return benches;
}

function textOf({ title, rows, notes }: Report): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const isNumeric = (key: string): boolean => rows.every((row) => row[key] === undefined || typeof row[key] === 'number');
  const right = new Set(keys.flatMap((key, i) => (isNumeric(key) ? [i] : [])));
  const cells = rows.map((row) => keys.map((key) => String(row[key] ?? '')));
  return [title, '', columns([keys, ...cells], right), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}
