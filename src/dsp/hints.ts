// What a module tells the compiler about how it will be used. Hints change the speed, never the sound.

/** In `if (rarely(condition))`: the branch is worth skipping, for it is seldom taken by any voice. */
export function rarely(condition: boolean): boolean {
  return condition;
}
