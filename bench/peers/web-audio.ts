// The standard voice in node-web-audio-api, an implementation of the Web Audio API for Node.js in Rust, where that is installed.
import { KrellError } from '../../src/errors.js';
import { ENVELOPE, lfoRateOf, pitchOf } from '../standard-voice.js';
import type { PeerResult } from './program.js';

/** What of the Web Audio API is used here. */
interface Param {
  value: number;
  setValueAtTime(value: number, time: number): unknown;
  linearRampToValueAtTime(value: number, time: number): unknown;
}
interface AudioNode {
  connect(to: AudioNode | Param): unknown;
}
interface Source extends AudioNode {
  type: string;
  readonly frequency: Param;
  readonly offset: Param;
  start(): void;
}
interface Context {
  readonly destination: AudioNode;
  createOscillator(): Source;
  createConstantSource(): Source;
  createBiquadFilter(): AudioNode & { type: string; readonly frequency: Param; readonly detune: Param; readonly Q: Param };
  createGain(): AudioNode & { readonly gain: Param };
  startRendering(): Promise<{ getChannelData(channel: number): Float32Array }>;
}
export interface WebAudio {
  readonly OfflineAudioContext: new (channels: number, frames: number, sampleRate: number) => Context;
}

const SAMPLE_RATE = 48_000;
const GATE_S = 0.5;
const CENTS = 1200;

/** The package, if it can be loaded: `npm install --no-save node-web-audio-api`. */
export async function findWebAudio(): Promise<WebAudio | undefined> {
  const name = 'node-web-audio-api';
  return import(name).then(
    (module) => module as WebAudio,
    () => undefined,
  );
}

/** One envelope, a stretch of automation for every second. */
function envelope(context: Context, seconds: number): Source {
  const { attack, decay, sustain, release } = ENVELOPE;
  const source = context.createConstantSource();
  for (let at = 0; at < seconds; at++) {
    source.offset.setValueAtTime(0, at);
    source.offset.linearRampToValueAtTime(1, at + attack);
    source.offset.linearRampToValueAtTime(sustain, at + attack + decay);
    source.offset.setValueAtTime(sustain, at + GATE_S);
    source.offset.linearRampToValueAtTime(0, at + GATE_S + release);
  }
  return source;
}

function addVoice(context: Context, voice: number, seconds: number): void {
  const scaled = (source: AudioNode, gain: number, to: AudioNode | Param): void => {
    const node = context.createGain();
    node.gain.value = gain;
    source.connect(node);
    node.connect(to);
  };
  const saw = context.createOscillator();
  saw.type = 'sawtooth';
  saw.frequency.value = pitchOf(voice);
  const lfo = context.createOscillator();
  lfo.type = 'triangle';
  lfo.frequency.value = lfoRateOf(voice);
  const env = envelope(context, seconds);
  const filter = context.createBiquadFilter();
  filter.type = 'lowpass';
  filter.frequency.value = 400;
  filter.Q.value = 1;
  scaled(env, 3 * CENTS, filter.detune);
  scaled(lfo, CENTS, filter.detune);
  saw.connect(filter);
  const vca = context.createGain();
  vca.gain.value = 0;
  env.connect(vca.gain);
  filter.connect(vca);
  scaled(vca, 0.02, context.destination);
  for (const source of [saw, lfo, env]) source.start();
}

/** Renders standard voices. @throws KrellError `peer` when it plays nothing */
export async function renderVoices({ OfflineAudioContext }: WebAudio, voices: number, seconds: number): Promise<PeerResult> {
  const context = new OfflineAudioContext(2, seconds * SAMPLE_RATE, SAMPLE_RATE);
  for (let voice = 0; voice < voices; voice++) addVoice(context, voice, seconds);
  const begin = performance.now();
  const rendered = await context.startRendering();
  const elapsed = (performance.now() - begin) / 1000;
  const peak = rendered.getChannelData(0).reduce((largest, sample) => Math.max(largest, Math.abs(sample)), 0);
  if (!(peak > 1e-3)) throw new KrellError('peer', 'node-web-audio-api rendered silence, so its time says nothing');
  return { seconds: elapsed, peak };
}
