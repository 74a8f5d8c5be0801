// How does the same patch fare elsewhere?
import { KrellError } from '../src/errors.js';
import { render } from '../src/index.js';
import { findCsound, renderVoices as renderCsound } from './peers/csound.js';
import type { PeerResult } from './peers/program.js';
import { findScsynth, findSupernova, renderVoices as renderSuperCollider } from './peers/scsynth.js';
import { findWebAudio, renderVoices as renderWebAudio } from './peers/web-audio.js';
import { deviation, machine, median, rounded, type BenchOptions, type Report } from './report.js';
import { standardVoices } from './standard-voice.js';

const SAMPLE_RATE = 48_000;

interface Contender {
  readonly engine: string;
  readonly threads: number;
  /** How it is run, or why not. */
  readonly command: string;
  readonly render?: ((voices: number, seconds: number) => Promise<PeerResult>) | undefined;
}

async function renderKrell(voices: number, seconds: number, workers: number): Promise<PeerResult> {
  const { renderSeconds, peak } = await render(standardVoices(voices, 'poly'), { seconds, workers, sampleRate: SAMPLE_RATE });
  if (!(peak > 1e-3)) throw new KrellError('bench', 'the standard voices are silent, so their time says nothing');
  return { seconds: renderSeconds, peak };
}

/** All there are, those that are not installed without a \`render\`. */
async function contenders(): Promise<Contender[]> {
  const [scsynth, supernova, csound, webAudio] = [findScsynth(), findSupernova(), findCsound(), await findWebAudio()];
  return [
    ...[1, 2].map((threads) => ({
      engine: 'krell',
      threads,
      command: `krell render, --workers ${threads}`,
      render: (voices: number, seconds: number) => renderKrell(voices, seconds, threads),
    })),
    {
      engine: 'scsynth',
      threads: 1,
      command: scsynth ? 'scsynth -N score.osc _ out.wav 48000 WAV float' : 'not installed (Debian: supercollider-server)',
      render: scsynth ? (voices, seconds) => renderSuperCollider(scsynth, voices, seconds, 'octaves') : undefined,
    },
    ...[1, 2].map((threads): Contender => ({
      engine: 'supernova',
      threads,
      command: supernova ? `supernova -N … -T ${threads}, voices in a ParGroup` : 'not installed (Debian: supercollider-supernova)',
      render: supernova ? (voices, seconds) => renderSuperCollider(supernova, voices, seconds, 'octaves', threads) : undefined,
    })),
    {
      engine: 'csound',
      threads: 1,
      command: csound ? 'csound -d -W -f -o out.wav voices.csd (vco2, zdf_2pole_mode, ksmps 64)' : 'not installed (Debian: csound)',
      render: csound ? (voices, seconds) => renderCsound(csound, voices, seconds) : undefined,
    },
    {
      engine: 'node-web-audio-api',
      threads: 1,
      command: webAudio
        ? 'OfflineAudioContext, BiquadFilterNode with detune at audio rate'
        : 'not installed (npm install --no-save node-web-audio-api)',
      render: webAudio ? (voices, seconds) => renderWebAudio(webAudio, voices, seconds) : undefined,
    },
  ];
}

/** Everybody once per repetition, one after the other: what else the machine does disturbs all alike. */
export async function run({ quick }: BenchOptions): Promise<Report> {
  const [voices, seconds, repetitions] = quick ? [100, 2, 1] : [200, 10, 5];
  const all = await contenders();
  const samples = new Map(all.map((contender) => [contender, [] as number[]]));
  for (let i = 0; i < repetitions; i++)
    for (const contender of all) {
      const result = await contender.render?.(voices, seconds);
      if (result) samples.get(contender)!.push((result.seconds * 1e9) / (voices * seconds * SAMPLE_RATE));
    }
  const krell = median(samples.get(all[0]!)!);
  const rows = all.map((contender): Report['rows'][number] => {
    const times = samples.get(contender)!;
    const { engine, threads, command } = contender;
    if (times.length === 0) return { engine, threads, how: command };
    const [middle, spread] = [median(times), deviation(times)];
    return {
      engine,
      threads,
      'ns/voice-sample': rounded(middle),
      '± MAD': rounded(spread, 2),
      '÷ krell, 1 thread': rounded(middle / krell),
      how: command,
    };
  });
  return {
    title: `${voices} standard voices, ${seconds} s at ${SAMPLE_RATE / 1000} kHz, everybody in one run, median of ${repetitions}`,
    rows,
    notes: [
      'Saw, lowpass with its cutoff under envelope and LFO in octaves, times the envelope. Each engine with its usual band-limited saw and two-pole filter: the same patch, not the same algorithms.',
      'Programs: the time of the whole process, less that of the same length without voices. node-web-audio-api renders on one thread.',
      machine(),
    ],
  };
}
