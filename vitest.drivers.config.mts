import { defineConfig } from 'vitest/config';

// Real drivers and real servers: they have dependencies of their own, and take servers from Debian.
export default defineConfig({
  test: {
    include: ['test/drivers/**/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    globalSetup: 'test/support/setup.ts',
  },
});
