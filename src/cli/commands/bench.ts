// `krell bench`: measurements, each named by its question, in bench/.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { didYouMean } from '../../control/names.js';
import { KrellError, UsageError } from '../../errors.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { histogramOf, histogramText, type Distribution } from '../histogram.js';
import { checkFolder, checkOutput } from '../outputs.js';
import { reportMarkdown, reportPage } from '../report-page.js';
import { columns } from '../terminal.js';

/** What `run` of a file in bench/ returns. */
interface Report {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly notes: readonly string[];
  readonly distributions?: readonly Distribution[];
}
interface Bench {
  run(options: { quick: boolean }): Promise<Report>;
  /** Not part of `all`: takes minutes. */
  readonly isLong?: boolean;
}

const FOLDER = new URL('../../../bench/', import.meta.url);
const ALL = 'all';
const RESULTS = 'bench/results';
/** Bins of the histograms in --json. */
const BINS = 50;

export const command = defineCommand({
  name: 'bench',
  summary: 'Measures speed; without a name, lists what can be measured.',
  operands: { name: 'name', min: 0, max: 1, help: `what to measure; '${ALL}': everything that takes less than minutes` },
  options: {
    quick: { type: 'flag', help: 'a few seconds, rough numbers' },
    json: JSON_OPTION,
    html: { type: 'text', value: 'report.html', help: 'also write a page with plots' },
    out: { type: 'text', value: 'folder', help: `where '${ALL}' writes its results; default ${RESULTS}` },
  },

  async run([name], { quick, json, html, out }) {
    const benches = await loadBenches();
    const names = [...benches.keys(), ALL];
    if (name === undefined) {
      process.stdout.write(`${json ? JSON.stringify({ benches: names }) : names.join('\n')}\n`);
      return 0;
    }
    if (name !== ALL && !benches.has(name)) throw new UsageError(`there is no bench '${name}'`, { hint: didYouMean(name, names) });
    const chosen = [...benches].filter(([other, { isLong }]) => (name === ALL ? !isLong : other === name));
    // Before minutes of measuring, not after them.
    if (html !== undefined) {
      checkOutput('--html', html, 'HTML page');
      write(html, '');
    }
    if (name === ALL) checkFolder('--out', out ?? RESULTS);
    const reports: Record<string, Report> = {};
    for (const [each, bench] of chosen) {
      if (name === ALL) process.stderr.write(`${each} …\n`);
      const report = (reports[each] = await bench.run({ quick }));
      if (!json) process.stdout.write(`${textOf(report)}\n${name === ALL ? '\n' : ''}`);
    }
    const plain = Object.fromEntries(Object.entries(reports).map(([each, report]) => [each, summed(report)]));
    if (json) process.stdout.write(`${JSON.stringify(name === ALL ? plain : plain[name])}\n`);
    if (html !== undefined) write(html, reportPage(Object.values(reports)));
    if (name === ALL) process.stderr.write(`results in ${keep(out ?? RESULTS, plain, Object.values(reports))}\n`);
    return 0;
  },
});

/** A report for programs: histograms instead of every sample. */
const summed = ({ distributions, ...report }: Report): object => ({
  ...report,
  ...(distributions
    ? {
        distributions: distributions.map(({ name, unit, samples }) => ({
          name,
          unit,
          count: samples.length,
          ...histogramOf(samples, BINS),
        })),
      }
    : {}),
});

/** Writes the results of this day and processor as JSON and as tables. @returns the JSON file */
function keep(folder: string, plain: object, reports: readonly Report[]): string {
  const cpu = (cpus()[0]?.model ?? 'unknown')
    .replace(/\(.*?\)/g, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const path = join(folder, `${new Date().toISOString().slice(0, 10)}-${cpu.toLowerCase()}`);
  write(`${path}.json`, `${JSON.stringify(plain, null, 2)}\n`);
  write(`${path}.md`, `# Measured with 'krell bench ${ALL}'\n\n${reports.map(reportMarkdown).join('\n')}`);
  return `${path}.json`;
}

/** @throws KrellError `unwritable` */
function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'its folder does not exist' : message;
    throw new KrellError('unwritable', `cannot be written: ${why}`, { path, hint: 'name another place' });
  }
}

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

function textOf({ title, rows, notes, distributions = [] }: Report): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const isNumeric = (key: string): boolean => rows.every((row) => row[key] === undefined || typeof row[key] === 'number');
  const right = new Set(keys.flatMap((key, i) => (isNumeric(key) ? [i] : [])));
  const cells = rows.map((row) => keys.map((key) => String(row[key] ?? '')));
  return [
    title,
    '',
    columns([keys, ...cells], right),
    ...(distributions.length > 0 ? ['', histogramText(distributions)] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].join('\n');
}
