// NTP time tags: seconds since 1900 in the upper 32 bits, a binary fraction in the lower. 1 means immediately.
//
// The seconds overflow in February 2036. As RFC 4330 has it, a tag with its top bit clear belongs to the time after that.

export const IMMEDIATELY = 1n;

const UNIX_EPOCH_S = 2_208_988_800; // 1970 as seen from 1900
const ERA_S = 2 ** 32;
const FRACTION = 2 ** 32;

/** Unix time in seconds of a time tag's two words, both unsigned. */
export function unixSeconds(seconds: number, fraction: number): number {
  const era = seconds < ERA_S / 2 ? ERA_S : 0;
  return era + seconds - UNIX_EPOCH_S + fraction / FRACTION;
}

/** Whether a time tag's words mean immediately; some programs leave them zero. */
export const isImmediate = (seconds: number, fraction: number): boolean => seconds === 0 && fraction <= 1;

/** Whether time tag `a` is before `b`, both as words; immediately is before all others. */
export function isEarlier(aSeconds: number, aFraction: number, bSeconds: number, bFraction: number): boolean {
  if (isImmediate(bSeconds, bFraction)) return false;
  if (isImmediate(aSeconds, aFraction)) return true;
  const a = unixSeconds(aSeconds, 0);
  const b = unixSeconds(bSeconds, 0);
  return a < b || (a === b && aFraction < bFraction);
}

/** Unix time in seconds of a time tag. */
export const unixFromTimetag = (timetag: bigint): number => unixSeconds(Number(timetag >> 32n), Number(timetag & 0xffff_ffffn));

/** The time tag of a Unix time in seconds. */
export function timetagFromUnix(unixS: number): bigint {
  const whole = Math.floor(unixS);
  const fraction = BigInt(Math.round((unixS - whole) * FRACTION));
  return BigInt.asUintN(64, (BigInt(whole + UNIX_EPOCH_S) << 32n) + fraction);
}
