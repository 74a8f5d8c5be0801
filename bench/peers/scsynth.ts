// The standard voice in SuperCollider's server, rendered offline: what others' C++ makes of the same patch.
import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { KrellError } from '../../src/errors.js';
import { ENVELOPE, lfoRateOf, pitchOf } from '../standard-voice.js';
import { message, score, SynthDef } from './synthdef.js';

/** How the cutoff follows envelope and LFO: in octaves as in Krell, or in hertz, which saves scsynth a power per sample. */
export type CutoffLaw = 'octaves' | 'hertz';

export interface PeerResult {
  /** Rendering alone: the time of a score of the same length without synths is subtracted. */
  readonly seconds: number;
  readonly peak: number;
}

const PROGRAM = 'scsynth';
const SAMPLE_RATE = 48_000;
const SYNTH_NODE = 1000;

/** Path of scsynth, if it is installed. */
export function findScsynth(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, PROGRAM)).find((path) => existsSync(path));
}

/** Saw → RLPF under envelope and LFO → times the envelope, as in `standardVoices`. */
export function standardVoice(law: CutoffLaw): Buffer {
  const def = new SynthDef('voice', { freq: 440, rate: 1 });
  const gate = def.unit('LFPulse', 'control', 1, 0, 0.5);
  const envelope = def.adsr(gate, ENVELOPE);
  const lfo = def.unit('LFTri', 'audio', def.control('rate'), 0);
  const mix = (amount: number, offset: number): ReturnType<typeof def.unit> =>
    def.unit('MulAdd', 'audio', lfo, amount, def.unit('MulAdd', 'audio', envelope, 3 * amount, offset));
  const cutoff = law === 'octaves' ? def.operate(def.operate(2, '**', mix(1, 0)), '*', 400) : mix(400, 820);
  const filtered = def.unit('RLPF', 'audio', def.unit('Saw', 'audio', def.control('freq')), cutoff, 0.6);
  const level = def.operate(def.operate(filtered, '*', envelope), '*', 0.02);
  def.out(0, level);
  return def.encode();
}

/** A score that plays `voices` standard voices for `seconds`. */
export function voicesScore(voices: number, seconds: number, law: CutoffLaw): Buffer {
  const start = (voice: number): Buffer =>
    message('/s_new', 'voice', SYNTH_NODE + voice, 1, 0, 'freq', { float: pitchOf(voice) }, 'rate', { float: lfoRateOf(voice) });
  return score([
    { at: 0, messages: [message('/d_recv', standardVoice(law))] },
    { at: 0, messages: Array.from({ length: voices }, (_, voice) => start(voice)) },
    { at: seconds, messages: [message('/c_set', 0, 0)] },
  ]);
}

async function renderScore(program: string, folder: string, bytes: Buffer): Promise<PeerResult> {
  const [path, out] = [join(folder, 'score.osc'), join(folder, 'out.wav')];
  await writeFile(path, bytes);
  const begin = performance.now();
  const output = await new Promise<string>((resolve, reject) => {
    const args = ['-N', path, '_', out, String(SAMPLE_RATE), 'WAV', 'float', '-o', '2', '-i', '0', '-D', '0', '-n', '4096', '-m', '262144'];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(said) : reject(new KrellError('peer', `${PROGRAM} ended with ${code}: ${said.trim()}`)),
    );
  });
  const seconds = (performance.now() - begin) / 1000;
  if (/\bFAILURE\b|\bERROR\b/.test(output)) throw new KrellError('peer', `${PROGRAM} did not play the score: ${output.trim()}`);
  return { seconds, peak: await peakOf(out) };
}

/** Largest sample of a WAV file of floats. */
async function peakOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    const bytes = await file.readFile();
    const data = bytes.indexOf('data', 12, 'latin1') + 8;
    let peak = 0;
    for (let at = data; at + 4 <= bytes.length; at += 4) peak = Math.max(peak, Math.abs(bytes.readFloatLE(at)));
    return peak;
  } finally {
    await file.close();
  }
}

/** Renders standard voices. @throws KrellError `peer` when scsynth fails, or plays nothing */
export async function renderVoices(program: string, voices: number, seconds: number, law: CutoffLaw): Promise<PeerResult> {
  const folder = await mkdtemp(join(tmpdir(), 'krell-scsynth-'));
  try {
    const empty = await renderScore(program, folder, voicesScore(0, seconds, law));
    const full = await renderScore(program, folder, voicesScore(voices, seconds, law));
    if (!(full.peak > 1e-3)) throw new KrellError('peer', `${PROGRAM} rendered silence, so its time says nothing`);
    return { seconds: full.seconds - empty.seconds, peak: full.peak };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
