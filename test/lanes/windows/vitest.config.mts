import { defineConfig } from 'vitest/config';

// What the kernel of Linux holds for sockets that node.exe tunes in Wine: test/lanes/windows/run.mjs starts
// it, and says where they are.
export default defineConfig({
  test: {
    include: ['test/lanes/windows/kernel/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
