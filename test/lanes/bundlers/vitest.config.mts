import { defineConfig } from 'vitest/config';

// The packed package, bundled by real tools and moved elsewhere. It needs the package registry.
export default defineConfig({
  test: {
    include: ['test/lanes/bundlers/*.test.ts'],
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    globalSetup: 'test/lanes/package/setup.mts',
  },
});
