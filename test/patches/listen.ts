// An ear for the patches: reads a rendered file, and says what a listener would complain of.
import { readFileSync } from 'node:fs';

export interface Sound {
  readonly sampleRate: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

/** A stereo WAV file of 32-bit floats. */
export function readSound(path: string): Sound {
  const file = readFileSync(path);
  const tag = file.readUInt16LE(20);
  const channels = file.readUInt16LE(22);
  const bits = file.readUInt16LE(34);
  if (tag !== 3 || channels !== 2 || bits !== 32) throw new Error(`${path} is not stereo of 32-bit floats`);
  const data = file.byteOffset + file.indexOf('data', 12, 'latin1') + 8;
  const samples = new Float32Array(file.buffer.slice(data, file.byteOffset + file.length));
  const channel = (n: number): Float32Array => Float32Array.from({ length: samples.length / 2 }, (_, i) => samples[2 * i + n]!);
  return { sampleRate: file.readUInt32LE(24), left: channel(0), right: channel(1) };
}

const decibels = (ratio: number): number => 20 * Math.log10(Math.max(ratio, 1e-9));
const mean = (x: ArrayLike<number>): number => sum(x, (v) => v) / x.length;
const rms = (x: ArrayLike<number>): number => Math.sqrt(sum(x, (v) => v * v) / x.length);
const peak = (x: Float32Array): number => x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

function sum(x: ArrayLike<number>, of: (value: number) => number): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += of(x[i]!);
  return total;
}

/** Pieces of a second, whole ones only. */
function seconds(x: Float32Array, sampleRate: number): Float32Array[] {
  return Array.from({ length: Math.floor(x.length / sampleRate) }, (_, i) => x.subarray(i * sampleRate, (i + 1) * sampleRate));
}

/** Likeness of the channels: 1 is mono, 0 unrelated. */
function correlation({ left, right }: Sound): number {
  let product = 0;
  for (let i = 0; i < left.length; i++) product += left[i]! * right[i]!;
  return product / left.length / (rms(left) * rms(right) + 1e-12);
}

/** Levels in dB of seven bands an octave or two wide, split by one-pole low-passes. */
function bandLevels(x: Float32Array, sampleRate: number): number[] {
  const edges = [80, 160, 320, 640, 1280, 2560, 7000];
  const coefficients = edges.map((hz) => 1 - Math.exp((-2 * Math.PI * hz) / sampleRate));
  const lows = edges.map(() => 0);
  const energies = edges.map(() => 0);
  for (const v of x) {
    let below = 0;
    for (let band = 0; band < edges.length; band++) {
      lows[band]! += coefficients[band]! * (v - lows[band]!);
      energies[band]! += (lows[band]! - below) ** 2;
      below = lows[band]!;
    }
  }
  return energies.map((energy) => decibels(Math.sqrt(energy / x.length)));
}

/** How much the sound changes from one second to the next: dB per band, on average. */
export function liveliness(x: Float32Array, sampleRate: number): number {
  const levels = seconds(x, sampleRate).map((second) => bandLevels(second, sampleRate));
  return mean(levels.slice(1).map((bands, i) => mean(bands.map((level, band) => Math.abs(level - levels[i]![band]!)))));
}

/** Steps smaller than this (in third differences, full scale 1) pass for part of a note. */
const CLICK_FLOOR = 0.01;
/** A click stands out by this factor from all that is around it; the edges of a saw and the onset of a drum have company. */
const CLICK_RATIO = 3;
const CLICK_NEAR_MS = 2;
const CLICK_AROUND_MS = 40;

/** Times in seconds at which a millisecond is far rougher than the 40 before and the 40 after it. */
export function clicks(x: Float32Array, sampleRate: number): number[] {
  const span = Math.round(sampleRate / 1000);
  const rough = new Float32Array(Math.floor(x.length / span));
  for (let i = 3; i < rough.length * span; i++) {
    const third = Math.abs(x[i]! - 3 * x[i - 1]! + 3 * x[i - 2]! - x[i - 3]!);
    const at = Math.floor(i / span);
    if (third > rough[at]!) rough[at] = third;
  }
  const found: number[] = [];
  for (let at = 0; at < rough.length; at++) {
    if (rough[at]! < CLICK_FLOOR) continue;
    let around = 0;
    for (let near = Math.max(at - CLICK_AROUND_MS, 0); near <= Math.min(at + CLICK_AROUND_MS, rough.length - 1); near++)
      if (Math.abs(near - at) > CLICK_NEAR_MS) around = Math.max(around, rough[near]!);
    if (rough[at]! > CLICK_RATIO * around) found.push((at * span) / sampleRate);
  }
  return found;
}

/** Where the limiter of `out` begins to work: a patch in balance stays below. */
const LIMITER_KNEE = 10 ** (-1 / 20);

/** What is wrong with a sound, in words; nothing if it is fit to be played to people. */
export function complaints(sound: Sound): string[] {
  const { sampleRate } = sound;
  const found: string[] = [];
  const both = [
    ['left', sound.left],
    ['right', sound.right],
  ] as const;
  for (const [name, x] of both) {
    if (!x.every(Number.isFinite)) return [`${name}: not a number`];
    const top = peak(x);
    if (top >= LIMITER_KNEE) found.push(`${name}: clipped or limited, peak ${decibels(top).toFixed(1)} dBFS`);
    if (top < 0.2) found.push(`${name}: too soft, peak ${decibels(top).toFixed(1)} dBFS`);
    const level = decibels(rms(x));
    if (level < -28 || level > -12) found.push(`${name}: ${level.toFixed(1)} dBFS on average`);
    if (Math.abs(mean(x)) > 1e-3) found.push(`${name}: DC ${mean(x).toExponential(1)}`);
    if (peak(x.subarray(0, sampleRate)) < 0.01) found.push(`${name}: does not start within a second`);
    seconds(x, sampleRate).forEach((second, i) => {
      if (decibels(rms(second)) < -45) found.push(`${name}: silent in second ${i}`);
    });
    if (liveliness(x, sampleRate) < 0.5) found.push(`${name}: static`);
    for (const at of clicks(x, sampleRate)) found.push(`${name}: click at ${at.toFixed(3)} s`);
  }
  if (correlation(sound) > 0.95) found.push('both channels are the same');
  if (Math.abs(decibels(rms(sound.left) / (rms(sound.right) + 1e-12))) > 3) found.push('one channel is louder than the other');
  return found;
}
