// Degrees of a scale, over all octaves, as volts above its root.
export type Scale = readonly number[];

/** Semitones. */
export const DORIAN: Scale = [0, 2, 3, 5, 7, 9, 10];

export function volts(scale: Scale, degree: number): number {
  const octave = Math.floor(degree / scale.length);
  return octave + scale[degree - octave * scale.length]! / 12;
}
