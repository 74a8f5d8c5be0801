import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

describe('a pool of threads', () => {
  // Node aborts when a thread is ended in the `require` of an ES module, and the process with it.
  it('may be ended while its threads load their module', () => {
    const code = `
      import { newThreadPool } from '${import.meta.resolve('#src/threads/pool.js')}';
      const module = new URL('${import.meta.resolve('#src/kernel/worker.js')}');
      for (let ms = 30; ms < 130; ms += 2) {
        const pool = newThreadPool(module, { minThreads: 2, maxThreads: 2 });
        pool.on('error', () => {});
        await new Promise((resolve) => setTimeout(resolve, ms));
        await pool.destroy();
      }`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  });

  it('says what a module is missing', async () => {
    const { newThreadPool } = await import('#src/threads/pool.js');
    const pool = newThreadPool(new URL('./none.js', import.meta.url), { minThreads: 1, maxThreads: 1 });
    pool.on('error', () => {});
    await expect(pool.run({})).rejects.toThrow(/Cannot find module .*none\.js/);
    await pool.destroy();
  });
});
