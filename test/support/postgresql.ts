// Finds PostgreSQL of Debian.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian installs its programs outside of the PATH, in a folder per version. */
export function postgresql(program: string): string {
  const folder = '/usr/lib/postgresql';
  const versions = existsSync(folder) ? readdirSync(folder).map(Number) : [];
  return join(folder, String(Math.max(0, ...versions)), 'bin', program);
}
