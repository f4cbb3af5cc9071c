import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...[
        'test/lanes/bundlers/**',
        'test/lanes/package/**',
        'test/lanes/dead-peers/**',
        'test/lanes/drivers/**',
        'test/lanes/metrics/**',
        'test/lanes/promise/**',
        'test/lanes/windows/kernel/**',
      ],
      ...(process.platform === 'win32'
        ? ['test/long/prebuilds.test.ts']
        : ['test/lanes/windows/**']),
    ],
    // What users get, as it is: CommonJS, built before (npm test does), not transformed.
    server: { deps: { external: [/\/dist\//] } },
    // A process for each file, as a program that uses the package would be: native code is loaded
    // and torn down for real.
    pool: 'forks',
    // Many tests wait for a kernel's timer: on a machine of two cores, two workers would leave both idle.
    maxWorkers: 3,
    reporters: ['default', './test/support/reporter.mts'],
    setupFiles: process.platform === 'win32' ? ['test/lanes/windows/skips.ts'] : [],
    // Only for what never ends: a busy machine is several times as slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/setup.ts',
  },
});
