// The standard voice in SuperCollider's servers, rendered offline: what others' C++ makes of the same patch.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KrellError } from '../../src/errors.js';
import { ENVELOPE, lfoRateOf, pitchOf } from '../standard-voice.js';
import { findProgram, inFolder, peakOf, runProgram, type PeerResult } from './program.js';
import { message, score, SynthDef } from './synthdef.js';

/** How the cutoff follows envelope and LFO: in octaves as in Krell, or in hertz, which saves scsynth a power per sample. */
export type CutoffLaw = 'octaves' | 'hertz';

const SAMPLE_RATE = 48_000;
const SYNTH_NODE = 1000;
const GROUP_NODE = 900;
const ROOT_NODE = 0;

/** Path of scsynth, if it is installed. */
export const findScsynth = (): string | undefined => findProgram('scsynth');
/** Path of supernova, its parallel sibling, if it is installed. */
export const findSupernova = (): string | undefined => findProgram('supernova');

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

/** A score that plays `voices` standard voices for `seconds`; `parallel`: in a group whose nodes may run at the same time. */
export function voicesScore(voices: number, seconds: number, law: CutoffLaw, parallel = false): Buffer {
  const group = message(parallel ? '/p_new' : '/g_new', GROUP_NODE, 1, ROOT_NODE);
  const start = (voice: number): Buffer =>
    message('/s_new', 'voice', SYNTH_NODE + voice, 1, GROUP_NODE, 'freq', { float: pitchOf(voice) }, 'rate', { float: lfoRateOf(voice) });
  return score([
    { at: 0, messages: [message('/d_recv', standardVoice(law)), group] },
    { at: 0, messages: Array.from({ length: voices }, (_, voice) => start(voice)) },
    { at: seconds, messages: [message('/c_set', 0, 0)] },
  ]);
}

async function renderScore(program: string, folder: string, bytes: Buffer, more: readonly string[]): Promise<PeerResult> {
  const [path, out] = [join(folder, 'score.osc'), join(folder, 'out.wav')];
  await writeFile(path, bytes);
  const { seconds, output } = await runProgram(program, [
    ...['-N', path, '_', out, String(SAMPLE_RATE), 'WAV', 'float'],
    ...['-o', '2', '-i', '0', '-D', '0', '-n', '4096', '-m', '262144', ...more],
  ]);
  if (/\bFAILURE\b|\bERROR\b/.test(output)) throw new KrellError('peer', `${program} did not play the score: ${output.trim()}`);
  return { seconds, peak: await peakOf(out) };
}

/** Renders standard voices; with `threads`, on supernova. @throws KrellError `peer` when the server fails, or plays nothing */
export async function renderVoices(
  program: string,
  voices: number,
  seconds: number,
  law: CutoffLaw,
  threads?: number,
): Promise<PeerResult> {
  const parallel = threads !== undefined;
  const more = parallel ? ['-T', String(threads)] : [];
  return inFolder(async (folder) => {
    const empty = await renderScore(program, folder, voicesScore(0, seconds, law, parallel), more);
    const full = await renderScore(program, folder, voicesScore(voices, seconds, law, parallel), more);
    if (!(full.peak > 1e-3)) throw new KrellError('peer', `${program} rendered silence, so its time says nothing`);
    return { seconds: full.seconds - empty.seconds, peak: full.peak };
  });
}
