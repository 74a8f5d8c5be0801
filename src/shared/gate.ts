// Gates: how one thread wakes another.
//
// A gate is a word of the arena that only ever counts up (wrapping). To signal is to add 1 and notify. To wait is
// to sleep while the word still holds the value last seen. Because the value is read before the condition is
// looked at, no wake-up is ever lost:
//
//   waiter                                     signaller
//     seen = Atomics.load(words, gate)           make the condition true
//     if (condition) do the work                 signal(words, gate)
//     else waitGate(words, gate, seen, …)
//
// If the signal falls between the waiter's first and last line, the word no longer equals `seen` and the wait
// returns at once. Waking without cause is allowed: a waiter looks at its condition again, whatever woke it. So
// control may signal any gate at any time just to make a thread look around.
//
// The timeout is a second line of defence (a signaller that died), never the plan.

/** Adds 1 and wakes everybody who waits. Any thread. */
export function signal(words: Int32Array, gate: number): void {
  Atomics.add(words, gate, 1);
  Atomics.notify(words, gate);
}

/**
 * Returns when the gate's value differs from `seen`, or after `timeoutMs`; whether that was without sleeping. Spins `spin` turns before it sleeps: a
 * sleeping thread takes 13 to 70 µs to wake, a spinning one none, but only where a core is free to spin on.
 * Not for the main thread of a browser; any thread of Node may sleep.
 */
export function waitGate(words: Int32Array, gate: number, seen: number, spin: number, timeoutMs: number): boolean {
  for (let turn = 0; turn < spin; turn++) if (Atomics.load(words, gate) !== seen) return true;
  return Atomics.wait(words, gate, seen, timeoutMs) === 'not-equal';
}
