// Import libraries of Windows and macOS for lld: the functions that the addon takes from each library. Debian's mingw
// has those of Windows for x64 only. Some are for test/lanes/windows/fake/windows.cc.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = {
  'ADVAPI32.dll': ['RegGetValueA'],
  'KERNEL32.dll': [
    ...[
      'GetEnvironmentVariableA',
      'GetModuleHandleW',
      'GetProcAddress',
      'GetStdHandle',
      'LoadLibraryExW',
      'WriteFile',
    ],
    'lstrlenA',
  ],
  'WS2_32.dll': [
    ...[
      'WSAGetLastError',
      'WSASetLastError',
      'WSAIoctl',
      'WSAPoll',
      'WSASocketW',
      'closesocket',
      'getpeername',
    ],
    ...['getsockname', 'getsockopt', 'ioctlsocket', 'setsockopt'],
  ],
  // Part of Windows, and loaded by Windows itself.
  'msvcrt.dll': [
    'abort',
    'atoi',
    'calloc',
    'free',
    'malloc',
    'memcmp',
    'memcpy',
    'memset',
    'strcmp',
  ],
};

/** Writes the import libraries to a folder; returns their paths. `run` runs a program. */
export function importLibraries(folder, arch, run) {
  return Object.entries(LIBRARIES).map(([library, functions]) => {
    const [definition, out] = ['def', 'lib'].map((end) => join(folder, `${library}.${end}`));
    writeFileSync(definition, [`LIBRARY ${library}`, 'EXPORTS', ...functions, ''].join('\n'));
    run('lld-link-19', ['/lib', `/def:${definition}`, `/out:${out}`, `/machine:${arch}`]);
    return out;
  });
}

/** `bzero` and what begins with two underscores is what clang calls for others. */
const LIBSYSTEM =
  `__bzero __error abort bzero calloc close dlsym dyld_stub_binder fcntl free getpeername getsockname
  getsockopt ioctl malloc memcmp memcpy memmove memset poll setsockopt snprintf socket strcmp strnlen sysctl
  sysctlbyname sysctlnametomib`.split(/\s+/);

/** Writes a library of macOS to a folder; returns its path. */
export function macSystemLibrary(folder) {
  const targets = '[ x86_64-macos, arm64-macos ]';
  const lines = [
    ...['--- !tapi-tbd', 'tbd-version: 4', `targets: ${targets}`],
    "install-name: '/usr/lib/libSystem.B.dylib'",
    ...['exports:', `  - targets: ${targets}`],
    `    symbols: [ ${LIBSYSTEM.map((name) => `_${name}`).join(', ')} ]`,
    ...['...', ''],
  ];
  const file = join(folder, 'libSystem.tbd');
  writeFileSync(file, lines.join('\n').replace('_dyld_stub', 'dyld_stub'));
  return file;
}
