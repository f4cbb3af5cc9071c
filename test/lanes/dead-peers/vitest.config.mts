import { defineConfig } from 'vitest/config';

// Peers that vanish, and peers that live, watched for as long as it takes: slower than the rest.
export default defineConfig({
  test: {
    include: ['test/lanes/dead-peers/**/*.test.ts'],
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    // They sleep most of the time, and each has a namespace of its own.
    maxWorkers: 4,
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    globalSetup: 'test/support/setup.ts',
  },
});
