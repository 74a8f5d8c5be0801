// Measuring sound: spectra, levels, slopes. Frequencies in Hz, levels in dB.

/** In-place FFT of a power-of-two length, radix 2. */
export function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const wr = Math.cos((-2 * Math.PI * k) / size);
      const wi = Math.sin((-2 * Math.PI * k) / size);
      for (let i = k; i < n; i += size) {
        const tr = re[i + half]! * wr - im[i + half]! * wi;
        const ti = re[i + half]! * wi + im[i + half]! * wr;
        re[i + half] = re[i]! - tr;
        im[i + half] = im[i]! - ti;
        re[i] = re[i]! + tr;
        im[i] = im[i]! + ti;
      }
    }
  }
}

/** Modified Bessel function of the first kind, order 0. */
function bessel0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

/** Kaiser window: side lobes below −160 dB, main lobe ±8 bins. */
function kaiser(length: number): Float64Array {
  const beta = 22;
  return Float64Array.from({ length }, (_, i) => bessel0(beta * Math.sqrt(1 - ((2 * i) / (length - 1) - 1) ** 2)) / bessel0(beta));
}
const MAIN_LOBE = 9;
const windows = new Map<number, Float64Array>();

/** Power per bin of a signal under a Kaiser window. */
export function spectrum(signal: ArrayLike<number>): Float64Array {
  const n = signal.length;
  const window = windows.get(n) ?? kaiser(n);
  windows.set(n, window);
  const re = Float64Array.from(window, (w, i) => w * signal[i]!);
  const im = new Float64Array(n);
  fft(re, im);
  return Float64Array.from({ length: n / 2 }, (_, i) => re[i]! ** 2 + im[i]! ** 2);
}

/** What is not a harmonic of `f0` (within 20..`top`), relative to what is. */
export function aliasDb(signal: ArrayLike<number>, f0: number, sampleRate: number, top = 16_000): number {
  const power = spectrum(signal);
  const binHz = sampleRate / signal.length;
  let harmonic = 0;
  let other = 0;
  for (let i = Math.ceil(20 / binHz); i < top / binHz; i++) {
    const nearest = Math.round((i * binHz) / f0) * f0;
    if (nearest > 0 && Math.abs(i * binHz - nearest) <= MAIN_LOBE * binHz) harmonic += power[i]!;
    else other += power[i]!;
  }
  return 10 * Math.log10(other / harmonic);
}

/** Level of one partial, in dB relative to 1. */
export function partialDb(signal: ArrayLike<number>, f: number, sampleRate: number): number {
  const power = spectrum(signal);
  const bin = (f * signal.length) / sampleRate;
  let sum = 0;
  for (let i = Math.floor(bin - MAIN_LOBE); i <= bin + MAIN_LOBE; i++) sum += power[i]!;
  const windowPower = windows.get(signal.length)!.reduce((total, w) => total + w * w, 0);
  return 10 * Math.log10((4 * sum) / (windowPower * signal.length));
}

/** |H| of an impulse response, in dB. */
export function responseDb(impulseResponse: ArrayLike<number>, f: number, sampleRate: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < impulseResponse.length; i++) {
    const x = (2 * Math.PI * f * i) / sampleRate;
    re += impulseResponse[i]! * Math.cos(x);
    im -= impulseResponse[i]! * Math.sin(x);
  }
  return 10 * Math.log10(re * re + im * im);
}

/** Frequency of a steady tone, from the phase its fundamental gains between two stretches. */
export function pitchOf(signal: ArrayLike<number>, near: number, sampleRate: number): number {
  const phaseAt = (from: number, length: number): number => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < length; i++) {
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length);
      const x = (2 * Math.PI * near * (from + i)) / sampleRate;
      re += window * signal[from + i]! * Math.cos(x);
      im -= window * signal[from + i]! * Math.sin(x);
    }
    return Math.atan2(im, re);
  };
  const hop = Math.floor(signal.length / 4);
  let turned = phaseAt(3 * hop, hop) - phaseAt(2 * hop, hop);
  turned -= 2 * Math.PI * Math.round(turned / (2 * Math.PI));
  return near + (turned / (2 * Math.PI)) * (sampleRate / hop);
}

export const cents = (f: number, reference: number): number => 1200 * Math.log2(f / reference);
export const rms = (signal: ArrayLike<number>): number => Math.sqrt(Array.from(signal).reduce((sum, x) => sum + x * x, 0) / signal.length);
export const peak = (signal: ArrayLike<number>): number => Array.from(signal).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
export const mean = (signal: ArrayLike<number>): number => Array.from(signal).reduce((sum, x) => sum + x, 0) / signal.length;

/** Slope of a noise's power density between two frequencies, dB per octave, by a line through third octaves. */
export function slopeDbPerOctave(signal: ArrayLike<number>, from: number, to: number, sampleRate: number, length = 16384): number {
  const density = new Float64Array(length / 2);
  for (let at = 0; at + length <= signal.length; at += length / 2) {
    const power = spectrum(Array.prototype.slice.call(signal, at, at + length));
    for (let i = 0; i < density.length; i++) density[i] = density[i]! + power[i]!;
  }
  const points: [number, number][] = [];
  for (let f = from; f * 2 ** (1 / 3) <= to; f *= 2 ** (1 / 3)) {
    const [a, b] = [Math.round((f * length) / sampleRate), Math.round((f * 2 ** (1 / 3) * length) / sampleRate)];
    if (b <= a) continue;
    points.push([Math.log2(Math.sqrt(a * (b - 1))), 10 * Math.log10(mean(density.slice(a, b)))]);
  }
  const [mx, my] = [mean(points.map((p) => p[0])), mean(points.map((p) => p[1]))];
  return points.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0) / points.reduce((s, [x]) => s + (x - mx) ** 2, 0);
}
