// How many voices does a core play?
import { KrellError } from '../src/errors.js';
import { render } from '../src/index.js';
import { findScsynth, renderVoices, type CutoffLaw } from './peers/scsynth.js';
import { deviation, machine, median, rounded, type BenchOptions, type Report } from './report.js';
import { standardVoices } from './standard-voice.js';
import { computedSpeedUps } from './voices/computed.js';

const VOICES = 200;
const SAMPLE_RATE = 48_000;
const FORMS = ['poly', 'mono'] as const;
const WORKERS = [1, 2];
const LAWS: readonly CutoffLaw[] = ['octaves', 'hertz'];

/** Measurements of one thing, in nanoseconds per voice and sample. */
type Samples = Map<string, number[]>;
const add = (samples: Samples, key: string, value: number): unknown => samples.set(key, [...(samples.get(key) ?? []), value]);

async function measureKrell(samples: Samples, seconds: number): Promise<void> {
  for (const form of FORMS) {
    const patch = standardVoices(VOICES, form);
    const sums = new Set<string>();
    for (const workers of WORKERS) {
      const { renderSeconds, frames, sha256, peak } = await render(patch, { seconds, workers, sampleRate: SAMPLE_RATE });
      if (!(peak > 1e-3)) throw new KrellError('bench', 'the standard voices are silent, so their time says nothing');
      sums.add(sha256);
      add(samples, `${form} ${workers}`, (renderSeconds * 1e9) / (VOICES * frames));
    }
    if (sums.size > 1) throw new KrellError('bench', `${form}: one worker and several rendered different bits`);
  }
}

/** Everything once per repetition, one after the other: what else the machine does disturbs all alike. */
export async function run({ quick }: BenchOptions): Promise<Report> {
  const seconds = quick ? 1 : 20;
  const repetitions = quick ? 1 : 9;
  const scsynth = findScsynth();
  const samples: Samples = new Map();
  for (let i = 0; i < repetitions; i++) {
    await measureKrell(samples, seconds);
    if (!scsynth) continue;
    for (const law of LAWS) {
      const peer = await renderVoices(scsynth, VOICES, seconds, law);
      add(samples, law, (peer.seconds * 1e9) / (VOICES * seconds * SAMPLE_RATE));
    }
  }

  const ns = (key: string): number => median(samples.get(key)!);
  const row = (engine: string, form: string, workers: number, key: string): Report['rows'][number] => ({
    engine,
    form,
    workers,
    'ns/voice-sample': rounded(ns(key)),
    '± MAD': rounded(deviation(samples.get(key)!), 2),
    ...(workers === 1 ? { 'voices/core': Math.floor(1e9 / (ns(key) * SAMPLE_RATE)) } : {}),
  });
  const rows = FORMS.flatMap((form) =>
    WORKERS.map((workers) => ({
      ...row('krell', form, workers, `${form} ${workers}`),
      'speed-up': rounded(ns(`${form} 1`) / ns(`${form} ${workers}`)),
      ...(scsynth ? { 'scsynth ÷ this': rounded(ns('octaves') / ns(`${form} ${workers}`)) } : {}),
    })),
  );
  return {
    title: `${VOICES} standard voices, ${seconds} s at ${SAMPLE_RATE / 1000} kHz, median of ${repetitions}`,
    rows: [...rows, ...(scsynth ? LAWS.map((law) => row('scsynth', `cutoff in ${law}`, 1, law)) : [])],
    notes: [
      'Krell: `render` without a file, from the opened output to the last frame; the thread that takes and hashes the sound runs beside.',
      scsynth
        ? 'scsynth: offline (-N), less the time of an empty score; "scsynth ÷ this" is against cutoff in octaves, as in the patch. Its RLPF reads the cutoff once in 64 samples, the vcf of Krell at every sample.'
        : 'scsynth is not installed: nothing to compare with.',
      await computedSpeedUps(VOICES, quick),
      machine(),
    ],
  };
}
