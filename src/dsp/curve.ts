// The exponential curve of envelopes and amplifiers.

/** 1000ˣ for x in 0..1, within 0.0016 (0.014 dB): the eighth power of a cubic. */
export function power1000(x: number): number {
  const eighth = 1 + x * (0.8683320263 + x * (0.3412977971 + x * 0.1612585979));
  const fourth = eighth * eighth;
  const half = fourth * fourth;
  return half * half;
}

/** From 0 at 0, truly, to 1 at 1 by the last 60 dB of an exponential, within 0.05 dB. */
export function exponential60(x: number): number {
  return (power1000(x) - 1) * (1 / (power1000(1) - 1));
}
