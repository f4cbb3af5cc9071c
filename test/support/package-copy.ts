// A second copy of this package, as a library, a bundle or a global installation has one.

import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const PARTS = ['dist', 'package.json', 'prebuilds', 'build/Release', 'node_modules/node-gyp-build'];

/** Copies the built package into a new folder, which the caller removes. */
export function copyPackage(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'socket-options-copy-')));
  mkdirSync(join(folder, 'build'));
  for (const part of PARTS) {
    // Where the tests run on the prebuild, nothing is compiled.
    if (existsSync(join(root, part)))
      cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  return folder;
}
