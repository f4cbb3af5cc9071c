// Copies binding.gyp into native/ for the package, with paths as seen from there. `npm pack` runs it.
// Package managers run node-gyp where a binding.gyp is at the root of a package. In native/ it serves
// those who compile the addon themselves.
//
//   node scripts/copy-binding-gyp.mjs             writes native/binding.gyp (prepack)
//   node scripts/copy-binding-gyp.mjs --remove    removes it (postpack)

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}/native/binding.gyp`;

if (process.argv.includes('--remove')) rmSync(target, { force: true });
else writeFileSync(target, readFileSync(`${root}/binding.gyp`, 'utf8').replaceAll('native/', ''));
