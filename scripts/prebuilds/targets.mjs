// The systems that have a prebuilt addon, and how they are compiled. A new one also needs a case in prebuilds.test.ts.

/** By `process.platform`-`process.arch`: the arguments of clang for that system. */
export const TARGETS = {
  'linux-x64': ['--target=x86_64-linux-gnu'],
  'linux-arm64': ['--target=aarch64-linux-gnu'],
  // ARMv6 (the first Raspberry Pi) costs the newer processors nothing.
  'linux-arm': ['--target=arm-linux-gnueabihf', '-mcpu=arm1176jzf-s'],
  'linux-ppc64': ['--target=powerpc64le-linux-gnu'],
  'linux-riscv64': ['--target=riscv64-linux-gnu'],
  'linux-s390x': ['--target=s390x-linux-gnu'],
  'freebsd-x64': ['--target=x86_64-unknown-freebsd13'],
  'darwin-x64': ['--target=x86_64-apple-macos11'],
  'darwin-arm64': ['--target=arm64-apple-macos11'],
  'win32-x64': ['--target=x86_64-w64-mingw32'],
  'win32-arm64': ['--target=aarch64-w64-mingw32'],
};

/** Debian's clang and its linker. */
export const CLANG = 'clang-19';
export const LINKER = 'lld-19';

/** Of Debian: the headers of libc++, and of Windows. */
export const CPP_HEADERS = '/usr/lib/llvm-19/include/c++/v1';
export const MINGW_HEADERS = '/usr/share/mingw-w64/include';

/** The folders of Debian's headers of a Linux. */
export function linuxHeaders(name) {
  const triple = TARGETS[name][0].replace('--target=', '');
  return name === 'linux-x64'
    ? [`/usr/include/${triple}`, '/usr/include']
    : [`/usr/${triple}/include`];
}
