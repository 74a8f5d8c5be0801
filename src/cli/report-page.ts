// A bench report as one HTML page without scripts and without anything from elsewhere.
import { histogramOf, type Distribution } from './histogram.js';

interface Report {
  readonly title: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly notes: readonly string[];
  readonly distributions?: readonly Distribution[];
}

const WIDTH = 720;
const HEIGHT = 120;
const BINS = 120;
const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}svg{display:block;margin:.3rem 0 1.4rem}rect{fill:#38a}line{stroke:#c33}text{font-size:11px;fill:#555}`;

const escaped = (text: unknown): string => String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const digits = (value: number): string => String(Number(value.toPrecision(3)));

/** Bars, with lines at the median and at p99. */
function plot({ name, unit, samples }: Distribution): string {
  const { low, high, counts } = histogramOf(samples, BINS);
  const most = Math.max(1, ...counts);
  const step = WIDTH / BINS;
  const bars = counts.map((count, i) => {
    const height = (count / most) * HEIGHT;
    return count
      ? `<rect x="${digits(i * step)}" y="${digits(HEIGHT - height)}" width="${digits(step * 0.9)}" height="${digits(height)}"/>`
      : '';
  });
  const sorted = [...samples].sort((a, b) => a - b);
  const marks = [0.5, 0.99].map((share) => {
    const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
    const x = high > low ? Math.min(WIDTH, ((value - low) / (high - low)) * WIDTH) : 0;
    return `<line x1="${digits(x)}" x2="${digits(x)}" y1="0" y2="${HEIGHT}"/><text x="${digits(x + 3)}" y="10">p${share * 100} ${digits(value)}</text>`;
  });
  const axis = `<text x="0" y="${HEIGHT + 14}">${digits(low)} ${escaped(unit)}</text><text x="${WIDTH}" y="${HEIGHT + 14}" text-anchor="end">${digits(high)} ${escaped(unit)}</text>`;
  const label = `${escaped(name)}, ${samples.length} times`;
  return `<h2>${label}</h2><svg role="img" aria-label="${label}" viewBox="0 -2 ${WIDTH} ${HEIGHT + 20}" width="${WIDTH}">${bars.join('')}${marks.join('')}${axis}</svg>`;
}

function table(rows: Report['rows']): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cell: 'td' | 'th', values: readonly unknown[]): string =>
    `<tr>${values.map((value) => `<${cell}>${escaped(value ?? '')}</${cell}>`).join('')}</tr>`;
  return `<table>${line('th', keys)}${rows
    .map((row) =>
      line(
        'td',
        keys.map((key) => row[key]),
      ),
    )
    .join('')}</table>`;
}

/** The page of one report, or of several under a heading each. */
export function reportPage(reports: readonly Report[]): string {
  const sections = reports.map(
    ({ title, rows, notes, distributions = [] }) =>
      `<h1>${escaped(title)}</h1>${table(rows)}${distributions.map(plot).join('')}${notes.map((note) => `<p>${escaped(note)}</p>`).join('')}`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Krell: ${escaped(reports[0]?.title ?? 'bench')}</title><style>${STYLE}</style><body>${sections.join('')}</body></html>\n`;
}

/** A report as a Markdown table with its notes. */
export function reportMarkdown({ title, rows, notes }: Report): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (values: readonly unknown[]): string =>
    `| ${values.map((value) => String(value ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [line(keys), line(keys.map(() => '---')), ...rows.map((row) => line(keys.map((key) => row[key])))];
  return [`## ${title}`, '', ...table, '', ...notes.map((note) => `${note}  `), ''].join('\n');
}
