import { defineConfig } from 'vitest/config';

// Needs root and Debian's package prometheus, and takes about three minutes.
export default defineConfig({
  test: {
    include: ['test/lanes/metrics/*.test.ts'],
    server: { deps: { external: [/\/dist\//] } },
    reporters: ['default', './test/support/reporter.mts'],
    // The programs open thousands of connections, and count packets.
    fileParallelism: false,
    testTimeout: 300_000,
  },
});
