// The ring of all scripts' parameter changes, which script threads write in turn.
//
// The ring has one producer, so whoever writes holds SCRIPT_LOCK. It is held for the copy of one record, and nobody who makes sound waits for it.
// A thread that dies with it leaves nothing half done: a record counts when it is published. Control then takes the lock from it.
import { COMMANDS_SCRIPT_W, CONTROL } from '../../shared/layout.js';
import { CommandRing } from '../../shared/ring.js';

const WAIT_MS = 1;

export class ScriptCommands {
  readonly #words: Int32Array;
  readonly #ring: CommandRing;
  readonly #owner: number;

  /** `thread`: the number of the script thread. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#words = new Int32Array(memory);
    this.#ring = new CommandRing(memory, COMMANDS_SCRIPT_W);
    this.#owner = thread + 1;
  }

  /** @returns false when the ring is full; the command is then dropped */
  push(command: Int32Array): boolean {
    const words = this.#words;
    for (;;) {
      const owner = Atomics.compareExchange(words, CONTROL.SCRIPT_LOCK, 0, this.#owner);
      if (owner === 0) break;
      Atomics.wait(words, CONTROL.SCRIPT_LOCK, owner, WAIT_MS);
    }
    const isPushed = this.#ring.push(command);
    Atomics.store(words, CONTROL.SCRIPT_LOCK, 0);
    Atomics.notify(words, CONTROL.SCRIPT_LOCK, 1);
    return isPushed;
  }
}

/** Control: a thread has died, perhaps while it wrote. */
export function releaseCommands(words: Int32Array, thread: number): void {
  Atomics.compareExchange(words, CONTROL.SCRIPT_LOCK, thread + 1, 0);
  Atomics.notify(words, CONTROL.SCRIPT_LOCK);
}
