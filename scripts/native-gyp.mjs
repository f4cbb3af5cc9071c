// npm pack: binding.gyp, as it is for the folder native/. At the root of what is installed, package managers
// would take it for a script to be run; in native/ it serves those who compile the addon there.
//
//   node scripts/native-gyp.mjs             writes it (prepack)
//   node scripts/native-gyp.mjs --remove    (postpack)

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}/native/binding.gyp`;

if (process.argv.includes('--remove')) rmSync(target, { force: true });
else writeFileSync(target, readFileSync(`${root}/binding.gyp`, 'utf8').replaceAll('native/', ''));
