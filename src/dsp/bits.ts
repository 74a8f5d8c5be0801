// Functions that the compiler turns into single instructions or selects. What stands here is what they mean.
const float = new Float32Array(1);
const int = new Int32Array(float.buffer);

/** The 32 bits of a float, as an integer. */
export function floatBits(x: number): number {
  float[0] = x;
  return int[0]!;
}

/** The float that has these 32 bits. */
export function bitsFloat(bits: number): number {
  int[0] = bits;
  return float[0]!;
}

/** The choice at `index`, held within the choices. */
export function pick<T extends number | boolean>(index: number, ...choices: readonly [T, ...T[]]): T {
  return choices[Math.max(0, Math.min(choices.length - 1, Math.trunc(index)))]!;
}

/** The position of an enum parameter's value among its values, from 0. Only the compiler knows it. */
export function ordinal(choice: string): number {
  throw new TypeError(`ordinal('${choice}') has a meaning in a kernel only`);
}

/** In `if (rarely(condition))`: the branch is seldom taken by any voice, so it is worth skipping. Changes the speed, never the sound. */
export function rarely(condition: boolean): boolean {
  return condition;
}
