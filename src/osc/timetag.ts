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

/** Unix time in seconds of a time tag. */
export const unixFromTimetag = (timetag: bigint): number => unixSeconds(Number(timetag >> 32n), Number(timetag & 0xffff_ffffn));

/** The time tag of a Unix time in seconds. */
export function timetagFromUnix(unixS: number): bigint {
  const whole = Math.floor(unixS);
  const fraction = BigInt(Math.round((unixS - whole) * FRACTION));
  return BigInt.asUintN(64, (BigInt(whole + UNIX_EPOCH_S) << 32n) + fraction);
}
