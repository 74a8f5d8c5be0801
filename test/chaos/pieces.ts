// A recording of the sine as the device heard it: where the device ran dry, the sine goes on later, at any phase.

const WINDOW = 32;
const NEAR = 0.02;

/** Shorter ones are what the host makes up of the sound before a gap. */
const SHORTEST = 128;

export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** The pieces in which a sine of which `tone` is one period goes through a recording. */
export function heardPieces(heard: Float32Array, tone: Float32Array): Piece[] {
  const difference = (at: number, phase: number): number => Math.abs(heard[at]! - tone[phase % tone.length]!);
  const worst = (at: number, phase: number): number => {
    let most = 0;
    for (let i = 0; i < WINDOW && most <= NEAR; i++) most = Math.max(most, difference(at + i, phase + i));
    return most;
  };
  const pieces: Piece[] = [];
  for (let at = 0; at + WINDOW <= heard.length;) {
    // The best, not the first that is near: at its peak a sine is like itself a little later.
    const errors = Array.from(tone, (_, phase) => worst(at, phase));
    const phase = errors.indexOf(Math.min(...errors));
    if (!(errors[phase]! <= NEAR)) {
      at++;
      continue;
    }
    const from = at;
    while (at < heard.length && difference(at, phase + at - from) <= NEAR) at++;
    if (at - from >= SHORTEST) pieces.push({ from, to: at });
  }
  return pieces;
}
