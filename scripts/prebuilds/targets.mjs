/** The systems that npm serves, as `process.platform`-`process.arch`, and what Zig calls them. */
export const TARGETS = {
  // The oldest glibc of what Node runs on, which is older than all that Node runs on itself.
  'linux-x64': ['-target', 'x86_64-linux-gnu.2.17'],
  'linux-arm64': ['-target', 'aarch64-linux-gnu.2.17'],
  // ARMv6, the first Raspberry Pi's: nothing is lost by serving it too.
  'linux-arm': ['-target', 'arm-linux-gnueabihf.2.17', '-mcpu=arm1176jzf_s'],
  'darwin-x64': ['-target', 'x86_64-macos.11.0'],
  'darwin-arm64': ['-target', 'aarch64-macos.11.0'],
  // With mingw.
  'win32-x64': [],
  'win32-arm64': ['-target', 'aarch64-windows-gnu'],
};
