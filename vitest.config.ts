import { defineConfig } from 'vitest/config';

// Tests import the built program (`#src/…` is dist/src/…): worker threads run JavaScript files.
// Many play in real time with threads of their own, on machines that may stand still for tens of milliseconds: a failure counts when it repeats.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000, pool: 'forks', maxWorkers: 2, retry: 2 },
});
