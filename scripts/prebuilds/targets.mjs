// The systems that have a prebuilt addon. A new one also needs a case in prebuilds.test.ts.

/** By `process.platform`-`process.arch`: Zig's arguments for that system. */
export const TARGETS = {
  // Older than the glibc of every system that Node runs on.
  'linux-x64': ['-target', 'x86_64-linux-gnu.2.17'],
  'linux-arm64': ['-target', 'aarch64-linux-gnu.2.17'],
  // ARMv6 (the first Raspberry Pi) costs the newer processors nothing.
  'linux-arm': ['-target', 'arm-linux-gnueabihf.2.17', '-mcpu=arm1176jzf_s'],
  'darwin-x64': ['-target', 'x86_64-macos.11.0'],
  'darwin-arm64': ['-target', 'aarch64-macos.11.0'],
  // With mingw.
  'win32-x64': [],
  'win32-arm64': ['-target', 'aarch64-windows-gnu'],
};
