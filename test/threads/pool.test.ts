import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { newThreadPool } from '#src/threads/pool.js';

describe('a pool of threads', () => {
  // Node aborts when a thread is ended in the `require` of an ES module, and the process with it: here, about every other time.
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

  it('has no thread require an ES module', async () => {
    const pool = newThreadPool(new URL(import.meta.resolve('#src/kernel/worker.js')), { minThreads: 0 });
    expect(pool.options.filename).toMatch(/\.cjs$/);
    await pool.destroy();
  });

  it('says what a module is missing', async () => {
    const pool = newThreadPool(new URL('./none.js', import.meta.url), { minThreads: 1, maxThreads: 1 });
    pool.on('error', () => {});
    await expect(pool.run({})).rejects.toThrow(/Cannot find module .*none\.js/);
    await pool.destroy();
  });
});
