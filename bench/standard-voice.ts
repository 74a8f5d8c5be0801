// The standard voice: saw → SVF with its cutoff under envelope and LFO at audio rate → VCA under the envelope.
import type { JsonObject } from '../src/control/patch/index.js';

export const ENVELOPE = { attack: 0.01, decay: 0.3, sustain: 0.5, release: 0.2 };
/** Hz of a voice's oscillator: fourths up and down over four octaves. */
export const pitchOf = (voice: number): number => 55 * 2 ** (((voice * 7) % 48) / 12);
/** Hz of a voice's LFO: all differ. */
export const lfoRateOf = (voice: number): number => 0.5 + voice / 100;

export type Cable = { from: string; to: string; gain?: number };
export type StandardPatch = JsonObject & { modules: Record<string, JsonObject>; cables: Cable[] };

/** `voices` of it as polyphonic modules of 16, or as `voices` chains of monophonic modules. A slow clock plays them all. */
export function standardVoices(voices: number, form: 'poly' | 'mono'): StandardPatch {
  const modules: Record<string, JsonObject> = { clock: { type: 'clock', params: { tempo: 60 } } };
  const cables: Cable[] = [];
  const width = form === 'poly' ? 16 : 1;
  for (let first = 0, n = 1; first < voices; first += width, n++) {
    const count = Math.min(width, voices - first);
    const each = (value: (voice: number) => number): number | number[] =>
      count === 1 ? value(first) : Array.from({ length: count }, (_, i) => value(first + i));
    const voiced = (type: string, params: JsonObject): JsonObject => ({ type, ...(count > 1 ? { voices: count } : {}), params });
    modules[`vco${n}`] = voiced('vco', { freq: each(pitchOf) });
    modules[`env${n}`] = voiced('adsr', ENVELOPE);
    modules[`lfo${n}`] = voiced('lfo', { rate: each(lfoRateOf) });
    modules[`vcf${n}`] = voiced('vcf', { cutoff: 400, resonance: 0.4 });
    modules[`vca${n}`] = voiced('vca', { level: 0.02 });
    cables.push(
      { from: 'clock.out', to: `env${n}.gate` },
      { from: `vco${n}.saw`, to: `vcf${n}.in` },
      { from: `env${n}.env`, to: `vcf${n}.cutoff`, gain: 0.3 },
      { from: `lfo${n}.triangle`, to: `vcf${n}.cutoff`, gain: 0.2 },
      { from: `vcf${n}.low`, to: `vca${n}.in` },
      { from: `env${n}.env`, to: `vca${n}.cv` },
      { from: `vca${n}.out`, to: 'out.left' },
    );
  }
  modules['out'] = { type: 'out' };
  return { format: 'krell-patch', formatVersion: 1, title: `${voices} standard voices, ${form}`, modules, cables };
}
