import { defineConfig } from 'vitest/config';

// Tests import the built program (`#src/…` is dist/src/…): worker threads run JavaScript files.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000, pool: 'forks', maxWorkers: 2 },
});
