// Checks prebuilt addons by reading the files, because this machine can run only one of them: format,
// architecture, size, what they export, and that they need only Node-API and the system's libraries.
// build.mjs runs it on what it built, prebuilds.test.ts on what is committed.
//
//   node scripts/prebuilds/check.mjs [folder]
//
// The readers (elf.mjs, macho.mjs, pe.mjs) are ours: llvm-readobj neither verifies the signature of a Mach-O
// file nor is it on macOS, where the tests run too, and its text differs between versions.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readElf } from './elf.mjs';
import { readMachO } from './macho.mjs';
import { readPe } from './pe.mjs';
import { TARGETS } from './targets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What Node looks for in an addon. */
export const EXPORTED = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

// Of the Node-API version that binding.gyp asks for: a later function would not load on Node 20.
const { symbols } = createRequire(import.meta.url)('node-api-headers');
const nodeApi = new Set([...symbols.v8.js_native_api_symbols, ...symbols.v8.node_api_symbols]);

const MOST_BYTES = 64 * 1024;

/**
 * Each reader returns { arch, exports, libraries, host, faults, detail }; `host` has what Node must export.
 * On Linux and FreeBSD no library is needed: the C library is loaded already, and musl rejects a file that names glibc's.
 */
const SYSTEMS = {
  linux: { read: readElf, libraries: [] },
  freebsd: { read: readElf, libraries: [] },
  darwin: { read: readMachO, libraries: ['/usr/lib/libSystem.B.dylib'] },
  win32: {
    read: readPe,
    libraries: ['ADVAPI32.dll', 'KERNEL32.dll', 'WS2_32.dll', 'msvcrt.dll'],
  },
};

function check(target, file) {
  const [platform, arch] = target.split('-');
  const found = SYSTEMS[platform].read(file, platform);
  const faults = [...found.faults];
  if (found.arch !== arch) faults.push(`is for ${found.arch}`);
  for (const name of EXPORTED) if (!found.exports.includes(name)) faults.push(`lacks ${name}`);
  for (const name of found.exports) if (!EXPORTED.includes(name)) faults.push(`exports ${name}`);
  for (const name of found.libraries) {
    if (!SYSTEMS[platform].libraries.includes(name)) faults.push(`needs ${name}`);
  }
  for (const name of found.host) {
    if (!nodeApi.has(name)) faults.push(`takes ${name} from Node, which is not of Node-API 8`);
  }
  if (!found.host.includes('napi_create_function')) faults.push('takes nothing from Node');
  if (file.length > MOST_BYTES) faults.push(`is ${file.length} bytes, over ${MOST_BYTES}`);
  if (file.includes(root)) faults.push('has a path of this machine in it');
  if (faults.length > 0) throw new Error(faults.join(', '));
  return `${found.detail}, ${found.host.length} functions of Node-API`;
}

/** Prints a line for each file; returns a sentence for each that is not as it must be. */
export function checkAll(folder) {
  const faults = [];
  for (const target of Object.keys(TARGETS)) {
    const path = join(folder, target, 'socket-options.node');
    try {
      if (!existsSync(path)) throw new Error('is missing; npm run prebuilds');
      const file = readFileSync(path);
      console.log(`${target}: ${check(target, file)}, ${file.length} bytes`);
    } catch (error) {
      faults.push(`${target}/socket-options.node ${error.message}`);
    }
  }
  return faults;
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  for (const fault of checkAll(process.argv[2] ?? join(root, 'prebuilds'))) {
    console.error(fault);
    process.exitCode = 1;
  }
}
