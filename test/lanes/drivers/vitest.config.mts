import { defineConfig } from 'vitest/config';

// Real drivers and real servers: needs root and the servers' packages, and takes about a minute.
export default defineConfig({
  test: {
    include: ['test/lanes/drivers/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    // The experiments measure times.
    fileParallelism: false,
    hookTimeout: 300_000,
  },
});
