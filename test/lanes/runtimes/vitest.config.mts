import { defineConfig } from 'vitest/config';

// The tests of options and sockets, which work in an emulator. The others need netlink, strace or network
// namespaces, or compute for minutes.
export default defineConfig({
  test: {
    include: ['keepalive', 'raw-options', 'sockets', 'wire'].map(
      (name) => `test/kernel/${name}.test.ts`,
    ),
    server: { deps: { external: [/\/dist\//] } },
    pool: 'forks',
    reporters: ['default', './test/support/reporter.mts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: 'test/support/setup.ts',
    setupFiles: 'test/lanes/runtimes/emulated/skips.ts',
  },
});
