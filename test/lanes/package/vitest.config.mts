import { defineConfig } from 'vitest/config';

// The package as users get it: packed, installed elsewhere, loaded in every way. It needs the package registry.
export default defineConfig({
  test: {
    include: ['test/lanes/package/**/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    globalSetup: 'test/lanes/package/setup.mts',
  },
});
