// npm run check:tidy: clang-tidy over native/, for each system with the headers of that system. .clang-tidy has
// the checks and their reasons. Needs Debian's clang-tidy-19, and the headers that `npm run prebuilds` needs.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binding } from './prebuilds/binding.mjs';
import { writeHeaders } from './prebuilds/declarations.mjs';
import { CPP_HEADERS, MINGW_HEADERS } from './prebuilds/targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'socket-options-tidy-'));

const isystem = (folders) => folders.flatMap((folder) => ['-isystem', folder]);

const crossFlags = (target, headers) => [
  ...[`--target=${target}`, '-nostdlibinc', '-DNAPI_HAS_THREADS=0'],
  ...['-D_LIBCPP_HAS_NO_THREADS', '-D_LIBCPP_HAS_NO_LOCALIZATION'],
  ...isystem([CPP_HEADERS, headers]),
];

/** The flags of each system, besides those of binding.gyp. */
const SYSTEMS = {
  linux: [],
  darwin: crossFlags('arm64-apple-macos11', writeHeaders('darwin', join(scratch, 'darwin'))),
  freebsd: crossFlags(
    'x86_64-unknown-freebsd13',
    writeHeaders('freebsd', join(scratch, 'freebsd')),
  ),
  win32: crossFlags('x86_64-w64-mingw32', MINGW_HEADERS),
};

async function tidy([system, flags]) {
  const { target, sources, defines, cflags } = binding(root, system);
  // Outside of platform/ a file is the same on every system: it is checked once.
  const files = sources.filter((file) => system === 'linux' || file.includes('/platform/'));
  const args = [
    ...['--quiet', ...files, '--'],
    ...cflags.filter((flag) => flag !== '-flto'),
    ...[...defines, `NODE_GYP_MODULE_NAME=${target}`].map((define) => `-D${define}`),
    '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
    ...isystem(['node_modules/node-api-headers/include', 'node_modules/node-addon-api']),
    ...flags,
  ];
  try {
    await promisify(execFile)('clang-tidy-19', args, { cwd: root, maxBuffer: 2 ** 28 });
    console.log(`${system}: ${files.length} files are clean`);
  } catch (error) {
    console.error(`${system}: ${error.stdout || error.message}`);
    process.exitCode = 1;
  }
}

await Promise.all(Object.entries(SYSTEMS).map(tidy));
rmSync(scratch, { recursive: true });
