// Import libraries of Windows for lld: the functions that the addon takes from each library. Debian's mingw has
// them for x64 only. Names are the same on both processors.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARIES = {
  'ADVAPI32.dll': ['RegGetValueA'],
  'KERNEL32.dll': [
    ...['GetModuleHandleW', 'GetProcAddress', 'GetStdHandle', 'LoadLibraryExW', 'WriteFile'],
    'lstrlenA',
  ],
  'WS2_32.dll': [
    ...['WSAGetLastError', 'WSAIoctl', 'WSAPoll', 'WSASocketW', 'closesocket', 'getpeername'],
    ...['getsockname', 'getsockopt', 'ioctlsocket', 'setsockopt'],
  ],
  // Part of Windows, and loaded by Windows itself.
  'msvcrt.dll': ['abort', 'calloc', 'free', 'malloc', 'memcmp', 'memcpy', 'memset', 'strcmp'],
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
