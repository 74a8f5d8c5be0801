// The leader's side of scripts (src/jobs/script/run.ts): it wakes their thread, and offline it waits for what they say.
import { CONTROL } from '../shared/layout.js';
import { signal } from '../shared/gate.js';

/** Whether scripts have said all that belongs before the end of the block to come. Live, nobody waits for them. */
export const scriptsHaveSpoken = (words: Int32Array): boolean =>
  Atomics.load(words, CONTROL.SCRIPT_MODE) !== 2 ||
  ((Atomics.load(words, CONTROL.SCRIPT_SAID) - words[CONTROL.FRAME_LO]! - words[CONTROL.BLOCK_FRAMES]!) | 0) >= 0;

/** After a block: wakes the script thread if it is time for its next tick. */
export function wakeScripts(words: Int32Array): void {
  if (Atomics.load(words, CONTROL.SCRIPT_MODE) === 0 || Atomics.load(words, CONTROL.SCRIPT_WAITS) === 0) return;
  if (((words[CONTROL.FRAME_LO]! - Atomics.load(words, CONTROL.SCRIPT_WANTS)) | 0) < 0) return;
  Atomics.store(words, CONTROL.SCRIPT_WAITS, 0);
  signal(words, CONTROL.SCRIPT_GATE);
}
