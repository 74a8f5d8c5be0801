// Soft limits.

/** The straight line up to ±knee, then bent so that it never passes ±ceiling. */
export function softClip(x: number, knee: number, ceiling: number): number {
  const size = Math.abs(x);
  const over = Math.max(size - knee, 0);
  const bent = Math.min(size, knee) + over / (1 + over / (ceiling - knee));
  return x < 0 ? -bent : bent;
}
