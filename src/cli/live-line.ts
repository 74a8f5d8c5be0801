// What `krell play` shows while it plays: time, level meters, load, voices, underruns; as much of it as fits the terminal.
import type { EngineStats } from '../control/stats.js';
import { bar, counted, duration } from './terminal.js';

const FLOOR_DB = -60;
/** Seconds a peak stays marked, and how fast the bar falls after one. */
const HOLD_S = 1.5;
const FALL_DB_PER_S = 30;

const toDb = (peak: number): number => Math.max(FLOOR_DB, 20 * Math.log10(peak));

/** One channel's level in dBFS: the bar jumps up and falls slowly, the mark stays a while at the highest. */
export class Meter {
  level = FLOOR_DB;
  hold = FLOOR_DB;
  #heldUntil = 0;

  /** `peak`: the largest sample since the last update, 1 = full scale. `now`: seconds. */
  update(peak: number, now: number, elapsed: number): void {
    const db = toDb(peak);
    this.level = Math.max(db, this.level - FALL_DB_PER_S * elapsed);
    if (db >= this.hold || now > this.#heldUntil) {
      this.hold = this.level;
      this.#heldUntil = now + HOLD_S;
    }
  }

  /** The meter as text, `cells` characters wide. */
  draw(cells: number): string {
    const place = (db: number): number => 1 - Math.min(0, db) / FLOOR_DB;
    const filled = bar(place(this.level), cells);
    const mark = Math.min(cells - 1, Math.floor(place(this.hold) * cells));
    const isMarked = this.hold > FLOOR_DB && filled[mark] === ' ';
    return isMarked ? `${filled.slice(0, mark)}│${filled.slice(mark + 1)}` : filled;
  }
}

const COLOURS = { green: 32, yellow: 33, red: 31 } as const;
const CELLS = { min: 6, max: 24 };

interface Part {
  readonly text: string;
  readonly colour?: keyof typeof COLOURS;
}
const GAP = '  ';
const widthOf = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + part.text.length + GAP.length, -GAP.length);

/** The live line for `stats`, no wider than `width` characters. */
export function liveLine(stats: EngineStats, meters: readonly Meter[], width: number, isColoured: boolean, oscPort?: number): string {
  /** In order of importance: what does not fit is left out. */
  const parts = (cells: number): Part[] => [
    { text: duration(stats.seconds).padStart(5) },
    ...levels(meters, cells),
    { text: counted(stats.underruns, 'underrun'), ...(stats.underruns > 0 ? { colour: 'red' } : {}) },
    loads(stats),
    { text: counted(stats.voices, 'voice') },
    ...(oscPort === undefined ? [] : [{ text: `osc ${oscPort}` }]),
  ];
  const spare = Math.floor((width - widthOf(parts(0))) / Math.max(1, meters.length));
  const shown = parts(Math.min(CELLS.max, Math.max(CELLS.min, spare)));
  while (widthOf(shown) > width) shown.pop();
  return shown.map(({ text, colour }) => (colour && isColoured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text)).join(GAP);
}

/** The meters, each `cells` wide, and the highest peak in dBFS. */
function levels(meters: readonly Meter[], cells: number): Part[] {
  const loudest = Math.max(FLOOR_DB, ...meters.map((meter) => meter.hold));
  const colour = loudest >= 0 ? 'red' : loudest > -6 ? 'yellow' : 'green';
  const number = loudest > FLOOR_DB ? loudest.toFixed(1) : '-∞';
  return [
    ...meters.map((meter, i) => ({ text: `${'LR'[i] ?? i + 1}▕${meter.draw(cells)}▏`, colour }) as const),
    { text: `${number.padStart(5)} dB` },
  ];
}

/** How busy each DSP thread is. */
function loads({ workers }: EngineStats): Part {
  const percents = workers.map(({ load }) => `${Math.round(load * 100)}%`.padStart(3));
  return { text: `dsp ${percents.join(' ')}`, ...(workers.some(({ load }) => load > 0.7) ? { colour: 'yellow' } : {}) };
}
