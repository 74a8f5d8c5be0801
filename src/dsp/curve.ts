// The exponential curve of envelopes and amplifiers.

/**
 * About 1000ˣ for x in 0..1, exactly 1 at 0: the eighth power of a cubic, so chosen that the shape above 1,
 * (power1000(x) − 1) / (power1000(1) − 1), is that of 1000ˣ within 0.01 dB.
 */
export function power1000(x: number): number {
  const eighth = 1 + x * (0.8970539611 + x * (0.3024466189 + x * 0.1834803748));
  const fourth = eighth * eighth;
  const half = fourth * fourth;
  return half * half;
}

/** From 0 at 0, truly, to 1 at 1 by the last 60 dB of an exponential, within 0.01 dB. */
export function exponential60(x: number): number {
  return (power1000(x) - 1) * (1 / (power1000(1) - 1));
}
