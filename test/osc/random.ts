/** A small seeded generator (mulberry32). `SEED=n` repeats a run. */
export function generator(): { seed: number; below: (n: number) => number; pick: <T>(of: readonly T[]) => T } {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  console.log(`SEED=${seed}`);
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { seed, below, pick: (of) => of[below(of.length)]! };
}
