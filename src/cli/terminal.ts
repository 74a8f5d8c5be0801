// One line at the bottom of a terminal that is drawn over and over. Elsewhere (a pipe, a file, a dumb terminal) nothing is drawn.

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** To the first column, and empty from there. */
const CLEAR_LINE = '\r\x1b[K';

export class LiveLine {
  readonly isLive: boolean;
  readonly hasColour: boolean;
  #drawn = false;

  constructor(readonly stream: NodeJS.WriteStream = process.stderr) {
    this.isLive = stream.isTTY === true && process.env['TERM'] !== 'dumb';
    this.hasColour = this.isLive && stream.hasColors();
  }

  /** Columns that a line may fill without wrapping. */
  get width(): number {
    return (this.stream.columns || 80) - 1;
  }

  /** Draws `line` in place of the last one. `line` must fit `width`. */
  draw(line: string): void {
    if (!this.isLive) return;
    if (!this.#drawn) process.on('exit', this.clear);
    this.stream.write(`${this.#drawn ? '' : HIDE_CURSOR}${CLEAR_LINE}${line}`);
    this.#drawn = true;
  }

  /** Takes the line away and gives the cursor back. Happens by itself when the process exits. */
  readonly clear = (): void => {
    if (!this.#drawn) return;
    this.#drawn = false;
    process.off('exit', this.clear);
    this.stream.write(CLEAR_LINE + SHOW_CURSOR);
  };
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A horizontal bar, `fraction` of `cells` characters full, to an eighth of a character. */
export function bar(fraction: number, cells: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * cells * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(cells);
}

/** Draws how far a task is and how long the rest will take. */
export function progressLine(line: LiveLine, label: string): (fraction: number) => void {
  const start = performance.now();
  let last = -Infinity;
  return (fraction) => {
    const now = performance.now();
    if (now - last < 50 && fraction < 1) return;
    last = now;
    const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
    const rest = fraction > 0.02 ? `${duration(((now - start) / 1000) * (1 / fraction - 1))} left` : '';
    const cells = Math.min(40, line.width - label.length - percent.length - 14);
    line.draw(cells > 4 ? `${label} ▕${bar(fraction, cells)}▏${percent}  ${rest}` : percent);
  };
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (x: number): string => String(x).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Half of the smallest step of a 24-bit file: what is no louder is silence, whatever rest of a filter it may be. */
const SILENCE = 2 ** -24;

/** A level in dBFS; null for silence. */
export const dbOf = (level: number): number | null => (level > SILENCE ? 20 * Math.log10(level) : null);
/** The same in a sentence: `-6.0 dB`. */
export const decibels = (level: number): string => `${dbOf(level)?.toFixed(1) ?? '-∞'} dB`;

/** `1 worker`, `2 workers`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Lines of text with the columns aligned. Columns named in `right` (by number) are flush right. */
export function columns(rows: readonly (readonly string[])[], right: ReadonlySet<number> = new Set()): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}
