import { defineConfig } from 'vitest/config';

// Under emulation: what is about options and sockets, as far as the emulator knows them. The rest asks
// for netlink, strace or network namespaces, or computes for so long that the lane would take minutes.
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
