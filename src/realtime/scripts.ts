// The leader's side of scripts (src/jobs/script/run.ts): it wakes their threads, and offline it waits for what they say.
import { CONTROL, MAX_SCRIPT_THREADS, SCRIPT, scriptWord } from '../shared/layout.js';
import { signal } from '../shared/gate.js';

/** Whether scripts have said all that belongs before the end of the block to come. Live, nobody waits for them. */
export function scriptsHaveSpoken(words: Int32Array): boolean {
  if (Atomics.load(words, CONTROL.SCRIPT_MODE) !== 2) return true;
  const end = (words[CONTROL.FRAME_LO]! + words[CONTROL.BLOCK_FRAMES]!) | 0;
  for (let thread = 0; thread < MAX_SCRIPT_THREADS; thread++) {
    if (Atomics.load(words, scriptWord(thread, SCRIPT.ACTIVE)) === 0) continue;
    if (((Atomics.load(words, scriptWord(thread, SCRIPT.SAID)) - end) | 0) < 0) return false;
  }
  return true;
}

/** After a block: wakes the script threads for which it is time for their next tick. */
export function wakeScripts(words: Int32Array): void {
  if (Atomics.load(words, CONTROL.SCRIPT_MODE) === 0) return;
  for (let thread = 0; thread < MAX_SCRIPT_THREADS; thread++) {
    const waits = scriptWord(thread, SCRIPT.WAITS);
    if (Atomics.load(words, waits) === 0) continue;
    if (((words[CONTROL.FRAME_LO]! - Atomics.load(words, scriptWord(thread, SCRIPT.WANTS))) | 0) < 0) continue;
    Atomics.store(words, waits, 0);
    signal(words, scriptWord(thread, SCRIPT.GATE));
  }
}
