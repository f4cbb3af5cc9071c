import { defineConfig } from 'vitest/config';

// Hundreds of connections wait for their timeouts at the same time: minutes, with little use of the processor.
export default defineConfig({
  test: {
    include: ['test/lanes/promise/**/*.test.ts'],
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    // Each file waits most of the time, and has namespaces of its own.
    maxWorkers: 4,
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 30_000,
    hookTimeout: 5_400_000,
    globalSetup: 'test/support/setup.ts',
  },
});
