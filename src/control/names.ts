// "Did you mean …?": the nearest of the names that exist.

/** Longer names are nobody's typing error, and cost too much to compare. */
const LONGEST = 64;
/** This many letters that begin the other name count as one slip: `freq` for `frequency`. */
const PREFIX = 3;
/** Names that a hint lists when none is near. */
const LISTED = 16;

/** The candidate that is the fewest slips of the finger from `name`, or `undefined` when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = name.toLowerCase();
  let limit = name.length < 2 ? 0 : Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  for (const candidate of candidates) {
    if (candidate.length > LONGEST) continue;
    const distance = slips(wanted, candidate.toLowerCase(), limit);
    if (distance > limit) continue;
    best = candidate;
    if (distance === 0) break;
    limit = distance - 1; // from here on, only a nearer one
  }
  return best;
}

/** What to do about an unknown `name`: the nearest one, or the list if that is short. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean '${near}'?`;
  if (names.length === 0) return undefined;
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return `there is ${names.slice(0, LISTED).join(', ')}${more}`;
}

function slips(a: string, b: string, limit: number): number {
  const distance = editDistance(a, b, limit);
  const begins = Math.min(a.length, b.length) >= PREFIX && (a.startsWith(b) || b.startsWith(a));
  return begins ? Math.min(distance, 1) : distance;
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; any number above `limit` stands
 * for "more than that". Only the cells within `limit` of the diagonal can matter (Ukkonen), so a comparison costs
 * length × limit.
 */
export function editDistance(a: string, b: string, limit: number): number {
  const far = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return far;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1).fill(far);
    row[0] = i;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + differs);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
