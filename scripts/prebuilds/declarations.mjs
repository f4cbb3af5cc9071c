// The headers of macOS and FreeBSD for a build on another system.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The headers that native/ and libc++ include. */
const NAMES = [
  ...['dlfcn', 'errno', 'fcntl', 'poll', 'stdlib', 'string', 'unistd', 'wchar'],
  ...['netinet/in', 'netinet/tcp', 'netinet/udp'],
  ...['sys/filio', 'sys/ioctl', 'sys/socket', 'sys/sysctl', 'sys/types'],
];

/** Writes headers of a system to a folder, which include the one file of it here; returns the folder. */
export function writeHeaders(platform, folder) {
  const declarations = fileURLToPath(new URL(`${platform}.h`, import.meta.url));
  for (const name of NAMES) {
    const file = join(folder, `${name}.h`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#include "${declarations}"\n`);
  }
  return folder;
}
