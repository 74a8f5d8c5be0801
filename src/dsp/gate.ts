// Gates and triggers: 0 or 10 V, seen through a Schmitt trigger so that a slow or noisy edge counts once.

/** Whether a gate is high now: it goes high at 1 V and low at 0.1 V. */
export function schmitt(volts: number, wasHigh: boolean): boolean {
  return volts >= 1 || (wasHigh && volts > 0.1);
}

/** Frames that a trigger of 1 ms lasts. */
export function triggerFrames(sampleRate: number): number {
  return Math.round(sampleRate * 0.001) | 0;
}
