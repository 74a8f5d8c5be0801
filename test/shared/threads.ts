// Runs a piece of code on a real thread, with the functions of src/shared at hand.
import { Worker } from 'node:worker_threads';

/**
 * Runs `body`, the body of an async function of `{ ring, gate, frame, layout, memory }`, on a new thread.
 * @returns what it returns.
 */
export function onThread<T>(memory: SharedArrayBuffer, body: string): Promise<T> {
  const url = (name: string): string => JSON.stringify(import.meta.resolve(`#src/shared/${name}.js`));
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const [ring, gate, frame, layout] = await Promise.all([import(${url('ring')}), import(${url('gate')}), import(${url('frame')}), import(${url('layout')})]);
      return (async ({ ring, gate, frame, layout, memory }) => { ${body} })({ ring, gate, frame, layout, memory: workerData });
    })().then((result) => parentPort.postMessage({ result }), (error) => parentPort.postMessage({ error: String(error.stack) }));`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, workerData: memory });
    worker.once('message', ({ result, error }: { result: T; error?: string }) => (error ? reject(new Error(error)) : resolve(result)));
    worker.once('error', reject);
  });
}
