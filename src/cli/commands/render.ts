// `krell render`: a patch into a WAV file, as fast as it goes.
import { readFile } from 'node:fs/promises';
import { render, type RenderResult } from '../../control/render.js';
import { KrellError } from '../../errors.js';
import { defineCommand, ENGINE_OPTIONS, engineOptions, given, JSON_OPTION } from '../args.js';
import { checkOutput, sourcesOf } from '../outputs.js';
import { openPatch } from '../patch.js';
import { abortOnInterrupt, INTERRUPTED } from '../signals.js';
import { counted, dbOf, decibels, LiveLine, progressLine } from '../terminal.js';

const BITS = { '16': 16, '24': 24, '32f': '32f' } as const;

export const command = defineCommand({
  name: 'render',
  summary: 'Renders a patch to a WAV file, as fast as it goes.',
  operands: { name: 'patch', min: 1, max: 1, help: 'patch file' },
  options: {
    out: { type: 'text', short: 'o', value: 'file.wav', required: true, help: 'file to write' },
    seconds: { type: 'number', value: 'N', min: 0.001, max: 86_400, default: 30, help: 'length' },
    bits: { type: 'choice', values: ['16', '24', '32f'], default: '24', help: 'sample format; 32f is floating point' },
    ...ENGINE_OPTIONS,
    seed: { type: 'number', value: 'N', min: 0, max: 2 ** 32 - 1, only: 'integers', otherwise: "the patch's", help: 'random seed' },
    score: { type: 'text', value: 'file.osc', help: 'OSC bundles to play to it, timed from the start (as for scsynth -N)' },
    json: JSON_OPTION,
  },

  async run([path], { out, seconds, bits, seed, score, json, ...options }) {
    const interrupt = abortOnInterrupt();
    const patch = await openPatch(path!);
    const events = score === undefined ? undefined : await readScore(score);
    const sources = sourcesOf(patch, path!);
    checkOutput('--out', out, 'WAV file', score === undefined ? sources : [...sources, { path: score, what: 'the score' }]);
    const line = new LiveLine();
    const faults: string[] = [];
    try {
      const result = await render(patch, {
        ...engineOptions(options),
        source: path!,
        out,
        seconds,
        bits: BITS[bits],
        ...given({ seed, score: events }),
        onProgress: progressLine(line, out),
        onFault: ({ message }) => {
          line.clear();
          process.stderr.write(`${message}\n`);
          faults.push(message);
        },
        signal: interrupt,
      });
      line.clear();
      process.stdout.write(`${json ? JSON.stringify({ ...result, peakDb: dbOf(result.peak), faults }) : summaryOf(result)}\n`);
      if (result.peak > 1 && bits !== '32f') process.stderr.write('the peak is above 0 dB: the file is clipped\n');
      if (faults.length === 0) return 0;
      process.stderr.write(`krell render: ${out} is not what the patch says: ${counted(faults.length, 'fault')}\n`);
      return 1;
    } catch (error) {
      line.clear();
      if (!interrupt.aborted) throw error;
      process.stderr.write(`interrupted: ${out} is incomplete\n`);
      return INTERRUPTED;
    }
  },
});

async function readScore(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new KrellError('unreadable', why, { path });
  });
}

const summaryOf = (result: RenderResult): string => {
  const { out, seconds, sampleRate, bits, peak, renderSeconds, realtimeFactor, workers, sha256 } = result;
  const sound = `${seconds} s at ${sampleRate} Hz, ${bits} bit, peak ${decibels(peak)}`;
  const cost = `rendered in ${renderSeconds.toFixed(2)} s, ${realtimeFactor.toFixed(1)} × real time, ${counted(workers, 'worker')}`;
  return `${out}: ${sound}\n${cost}\nsha256 ${sha256}`;
};
