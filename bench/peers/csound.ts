// The standard voice in Csound, rendered offline.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KrellError } from '../../src/errors.js';
import { ENVELOPE, lfoRateOf, pitchOf } from '../standard-voice.js';
import { findProgram, inFolder, peakOf, runProgram, type PeerResult } from './program.js';

/** Path of csound, if it is installed. */
export const findCsound = (): string | undefined => findProgram('csound');

const { attack, decay, sustain, release } = ENVELOPE;
/** Half a second of each second, as the clock of `standardVoices` plays it. */
const GATE_S = 0.5;
/** Points of the table that is one second of envelope. */
const POINTS = 65_536;
const points = (seconds: number): number => Math.round(seconds * POINTS);
const HELD = points(GATE_S) - points(attack) - points(decay);
const REST = POINTS - points(attack) - points(decay) - HELD - points(release);
const TABLES = [
  'f 1 0 4096 7 0 1024 1 2048 -1 1024 0',
  `f 2 0 ${POINTS} 7 0 ${points(attack)} 1 ${points(decay)} ${sustain} ${HELD} ${sustain} ${points(release)} 0 ${REST} 0`,
].join('\n');

/** Band-limited saw → state-variable filter with its cutoff in octaves at audio rate → times the envelope. */
const ORCHESTRA = `
sr = 48000
ksmps = 64
nchnls = 2
0dbfs = 1
instr 1
  aenv tablei phasor:a(1), 2, 1
  alfo oscil 1, p5, 1
  acutoff = 400 * exp(0.6931471805599453 * (3 * aenv + alfo))
  asaw vco2 1, p4
  ahigh, alow, aband zdf_2pole_mode asaw, acutoff, 0.9
  outs alow * aenv * 0.02, alow * aenv * 0.02
endin
`;

const voicesOf = (voices: number, seconds: number): string =>
  Array.from({ length: voices }, (_, voice) => `i 1 0 ${seconds} ${pitchOf(voice)} ${lfoRateOf(voice)}`).join('\n');

/** Renders standard voices. @throws KrellError `peer` */
export async function renderVoices(program: string, voices: number, seconds: number): Promise<PeerResult> {
  return inFolder(async (folder) => {
    const [path, out] = [join(folder, 'voices.csd'), join(folder, 'out.wav')];
    const time = async (count: number): Promise<number> => {
      const score = `${TABLES}\n${voicesOf(count, seconds)}\nf 0 ${seconds}\ne\n`;
      await writeFile(
        path,
        `<CsoundSynthesizer>\n<CsInstruments>${ORCHESTRA}</CsInstruments>\n<CsScore>\n${score}</CsScore>\n</CsoundSynthesizer>\n`,
      );
      return (await runProgram(program, ['-d', '-W', '-f', '-o', out, path])).seconds;
    };
    const empty = await time(0);
    const full = await time(voices);
    const peak = await peakOf(out);
    if (!(peak > 1e-3)) throw new KrellError('peer', 'csound rendered silence, so its time says nothing');
    return { seconds: full - empty, peak };
  });
}
