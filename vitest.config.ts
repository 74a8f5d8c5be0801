import { defineConfig } from 'vitest/config';

// Tests import the built program (`#src/…` is dist/src/…): worker threads run JavaScript files.
const shared = { testTimeout: 30_000, hookTimeout: 30_000, pool: 'forks' } as const;

/** What hears every sample of what plays in real time has the machine to itself: its threads would take it from one another. */
const LIVE = [
  'test/bench/latency.test.ts',
  'test/chaos/**/*.test.ts',
  'test/control/{faults,flight,late-threads,live-bits}.test.ts',
  'test/host/{devices,host,input,jack,lost}.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'exact', include: ['test/**/*.test.ts'], exclude: LIVE, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      { test: { ...shared, name: 'live', include: LIVE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
