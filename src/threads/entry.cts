// What Piscina loads in each of its threads: the module whose address is the thread's `workerData`. It waits for this promise before it
// calls a thread ready.
import threads = require('node:worker_threads');

interface Entry {
  readonly default: unknown;
}

export = import(threads.workerData as string).then(({ default: run }: Entry) => run);
