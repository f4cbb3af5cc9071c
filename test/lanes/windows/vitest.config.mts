import { defineConfig } from 'vitest/config';

// Tests of what the Linux kernel holds for sockets that node.exe tunes in Wine. test/lanes/windows/run.mjs starts them.
export default defineConfig({
  test: {
    include: ['test/lanes/windows/kernel/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
