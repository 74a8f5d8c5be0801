// Phases: one cycle is 2³² steps of a wrapping integer (`phase()` in a module's state), so adding never loses precision.

/** Steps of a number of cycles, whole cycles taken out. */
export function toPhase(cycles: number): number {
  return ((cycles - Math.floor(cycles + 0.5)) * 4294967296) | 0;
}

/** Steps of −½..½ cycle; more is held at half a cycle, the fastest that can be told from going backwards. */
export function toPhaseSlow(cycles: number): number {
  return (cycles * 4294967296) | 0;
}

/** 0..1 over a cycle. */
export function phase01(phase: number): number {
  return (phase >>> 8) * 2 ** -24;
}

/** −1..1 over a cycle: 0 at the start, up to 1, from −1 up to 0. */
export function phaseBipolar(phase: number): number {
  return phase * 2 ** -31;
}

/** Half a cycle: adding it turns a wave upside down. */
export const HALF_CYCLE = 0x80000000 | 0;
export const QUARTER_CYCLE = 0x40000000;
