// `krell stress`: does it keep its promises under more than one would ask of it?
import { resolve } from 'node:path';
import { readPatchFile } from '../../control/patch/index.js';
import { PACKAGE_ROOT } from '../../kernel/source.js';
import { defineCommand, JSON_OPTION } from '../args.js';
import { stress, type StressReport } from '../stress/run.js';
import { columns } from '../terminal.js';

const PATCH = 'patches/krell.json';

export const command = defineCommand({
  name: 'stress',
  summary: 'Floods the job pool and makes modules while a patch plays, and grades the outcome from A to F.',
  options: {
    seconds: { type: 'number', value: 'N', min: 0.5, max: 3600, default: 5, help: 'how long' },
    json: JSON_OPTION,
  },

  async run(_, { seconds, json }) {
    const text = await readPatchFile(resolve(PACKAGE_ROOT, PATCH));
    if (!json) process.stderr.write(`stressing for ${seconds} s while ${PATCH} plays silently …\n`);
    const { marks, ...report } = await stress(text, PATCH, seconds);
    process.stdout.write(`${json ? JSON.stringify(report) : textOf({ ...report, marks })}\n`);
    return report.grade === 'F' ? 1 : 0;
  },
});

const digits = (value: number): string => String(Number(value.toPrecision(3)));

function textOf({ grade, marks, workers, jobs, latencyMs, createMs, stalls, startMs }: StressReport): string {
  const rows = marks.map(({ what, unit, value, grade: mark, limits, more }) => [
    what,
    `${digits(value)}${unit && ` ${unit}`}`,
    mark,
    `${more ? '≥' : '≤'} ${limits[0]}`,
  ]);
  return [
    columns([['', 'measured', 'mark', 'goal'], ...rows]),
    '',
    `${workers.alive} of ${workers.total} threads alive, warm after ${digits(startMs)} ms`,
    `jobs: ${jobs.submitted} submitted, ${jobs.received} received, ${jobs.succeeded} succeeded, ${jobs.failed} failed, ${jobs.lost} lost, ${jobs.rejected} refused`,
    `job latency: ${digits(latencyMs.avg)} ms average, ${digits(latencyMs.p50)} p50, ${digits(latencyMs.p99)} p99`,
    `modules: ${createMs.count} created, ${digits(createMs.p50)} ms p50, ${digits(createMs.p99)} p99`,
    ...(stalls > 0 ? [`the machine itself stood still ${stalls} times`] : []),
    '',
    `Grade ${grade}`,
  ].join('\n');
}
