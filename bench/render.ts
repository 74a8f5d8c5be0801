// How much faster than it sounds is a patch rendered?
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KrellError } from '../src/errors.js';
import { readPatchFile, render } from '../src/index.js';
import { PACKAGE_ROOT } from '../src/kernel/source.js';
import { deviation, machine, median, rounded, type BenchOptions, type Report } from './report.js';

const WORKERS = [1, 2];
const FOLDER = join(PACKAGE_ROOT, 'patches');

/** Every patch that comes along, with one worker and two, one after the other, several times. */
export async function run({ quick }: BenchOptions): Promise<Report> {
  const [seconds, repetitions] = quick ? [2, 1] : [30, 5];
  const rows: Report['rows'] = [];
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.json'))) {
    const source = join(FOLDER, name);
    const patch = await readPatchFile(source);
    const factors = new Map<number, number[]>(WORKERS.map((workers) => [workers, []]));
    const sums = new Set<string>();
    for (let i = 0; i < repetitions; i++)
      for (const workers of WORKERS) {
        const { realtimeFactor, sha256 } = await render(patch, { seconds, workers, source });
        factors.get(workers)!.push(realtimeFactor);
        sums.add(sha256);
      }
    if (sums.size > 1) throw new KrellError('bench', `${name} is not the same bits every time`);
    const [one, two] = WORKERS.map((workers) => median(factors.get(workers)!)) as [number, number];
    rows.push({
      patch: name.replace(/\.json$/, ''),
      '× real time, 1 worker': rounded(one),
      '± MAD': rounded(deviation(factors.get(1)!), 2),
      '2 workers': rounded(two),
      'speed-up': rounded(two / one),
    });
  }
  return {
    title: `The patches, ${seconds} s at 48 kHz, median of ${repetitions}`,
    rows,
    notes: ['From the opened output to the last frame, sound hashed and not written. Every run of a patch gave the same bits.', machine()],
  };
}
