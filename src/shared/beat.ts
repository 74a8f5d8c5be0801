// From frames to beats. Control makes the map; scripts and OSC read it.

/** Which tempo holds, from which frame on, and the beat at that frame: beats count on when the tempo changes, as clocks do. */
export interface BeatMap {
  readonly frame: number;
  readonly beat: number;
  /** Beats per minute. */
  readonly tempo: number;
}

/** The beat at a frame, which may be before that of the map. */
export const beatAt = (map: BeatMap, frame: number, sampleRate: number): number =>
  map.beat + ((frame - map.frame) / sampleRate) * (map.tempo / 60);
